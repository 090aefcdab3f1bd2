//! Exchange rates supplied by the user.
//!
//! A file in any supported format with the columns `currency` and `rate` on one visible sheet, the price of **one unit** of
//! the currency in the base currency. The base currency is given by a column `base`, or by the only row whose rate is 1.
//!
//! ```text
//! currency,rate
//! EUR,1
//! USD,0.92
//! ```

use std::ops::ControlFlow;
use std::path::Path;

use rust_decimal::Decimal;

use super::currency::{Currency, rounded};
use super::error::{RatesProblem, RegisterError};
use crate::check::column::MoneySurvey;
use crate::check::money::{self, DecimalMark};
use crate::schema::fold_header;
use crate::table::{Input, ReadError, ReadOptions, Row, Sheet, Value, Visibility, Workbook};

/// Exchange rates into one base currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rates {
    pub base: Currency,
    /// In the order of the file.
    pub rates: Vec<Rate>,
}

/// The price of one unit of a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rate {
    pub currency: Currency,
    /// In the base currency; above zero.
    pub rate: Decimal,
}

impl Rates {
    /// Reads a file of exchange rates.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or has an invalid rate.
    pub(crate) fn read(path: &Path) -> Result<Rates, RegisterError> {
        let mut book = Workbook::open(&Input::Path(path.to_owned()), &ReadOptions::default())?;
        let fault = |problem| RegisterError::Rates { file: path.to_owned(), problem };
        let sheet = match sheets_of_rates(&mut book)?.as_slice() {
            [] => 0,
            [only] => *only,
            several => {
                let names = several.iter().filter_map(|sheet| book.sheets()[*sheet].name.as_ref());
                let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                return Err(fault(RatesProblem::SeveralSheets { sheets: names.join(" and ") }));
            }
        };
        let mut rows = Vec::new();
        book.each_row(sheet, &mut |row| {
            rows.push(row.clone());
            ControlFlow::Continue(())
        })?;
        of(&rows).map_err(fault)
    }

    /// The rate of a currency, if the file has one.
    pub(crate) fn rate(&self, currency: &Currency) -> Option<Decimal> {
        let rate = self.rates.iter().find(|rate| rate.currency == *currency);
        rate.map(|rate| rate.rate).or_else(|| (*currency == self.base).then_some(Decimal::ONE))
    }

    /// Converts an amount to the base currency, rounded half up to its minor unit.
    pub(crate) fn converted(&self, amount: Decimal, currency: &Currency) -> Option<Decimal> {
        Some(rounded(amount.checked_mul(self.rate(currency)?)?, self.base.digits))
    }
}

/// The visible sheets that have both columns.
fn sheets_of_rates(book: &mut Workbook) -> Result<Vec<usize>, ReadError> {
    let is_visible = |sheet: &Sheet| sheet.visibility == Visibility::Visible;
    let visible = (0..book.sheets().len()).filter(|sheet| is_visible(&book.sheets()[*sheet]));
    let mut found = Vec::new();
    for sheet in visible.collect::<Vec<_>>() {
        let rows = book.first_rows(sheet, 1)?;
        let has =
            |name: &str| rows.iter().any(|row| (0..row.len()).any(|column| fold_header(row.cell(column).text) == name));
        if has("currency") && has("rate") {
            found.push(sheet);
        }
    }
    Ok(found)
}

fn of(rows: &[Row]) -> Result<Rates, RatesProblem> {
    let (header, rows) = rows.split_first().ok_or(RatesProblem::ColumnMissing { column: "currency" })?;
    let currency = position(header, "currency")?.ok_or(RatesProblem::ColumnMissing { column: "currency" })?;
    let rate = position(header, "rate")?.ok_or(RatesProblem::ColumnMissing { column: "rate" })?;
    let marks = RateMarks::of(rows, rate);
    let rates = rows.iter().map(|row| read_row(row, currency, rate, marks)).collect::<Result<Vec<_>, _>>()?;
    for (at, (row, rate)) in rates.iter().enumerate() {
        if rates[..at].iter().any(|(_, earlier)| earlier.currency == rate.currency) {
            return Err(RatesProblem::Twice { row: *row, currency: rate.currency.code.to_string() });
        }
    }
    let named = match position(header, "base")? {
        Some(base) => base_of(rows, base)?,
        None => None,
    };
    let base = match named {
        Some(base) => base,
        None => only_one(&rates)?,
    };
    match rates.iter().find(|(_, rate)| rate.currency == base && rate.rate != Decimal::ONE) {
        Some((row, rate)) => {
            Err(RatesProblem::BaseRate { row: *row, base: base.code.to_string(), found: rate.rate.to_string() })
        }
        None => Ok(Rates { base, rates: rates.into_iter().map(|(_, rate)| rate).collect() }),
    }
}

/// The position of a column, if there is one.
fn position(header: &Row, name: &'static str) -> Result<Option<usize>, RatesProblem> {
    let mut found = (0..header.len()).filter(|column| fold_header(header.cell(*column).text) == name);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(RatesProblem::ColumnTwice { column: name }),
        (position, None) => Ok(position),
    }
}

/// The currency whose rate is 1. Some currencies are tied to another one, so that several may have it.
fn only_one(rates: &[(u64, Rate)]) -> Result<Currency, RatesProblem> {
    let ones: Vec<&Currency> =
        rates.iter().filter(|(_, rate)| rate.rate == Decimal::ONE).map(|(_, rate)| &rate.currency).collect();
    match ones.as_slice() {
        [] => Err(RatesProblem::NoBase),
        [base] => Ok((*base).clone()),
        several => {
            let currencies: Vec<&str> = several.iter().map(|currency| &*currency.code).collect();
            Err(RatesProblem::SeveralBases { currencies: currencies.join(" and ") })
        }
    }
}

/// What the column of rates shows of its decimal mark.
#[derive(Debug, Clone, Copy)]
struct RateMarks {
    /// The mark that the column proves.
    proven: Option<DecimalMark>,
    /// Whether any rate can only be read with a decimal comma.
    has_comma: bool,
}

impl RateMarks {
    fn of(rows: &[Row], column: usize) -> Self {
        let mut survey = MoneySurvey::default();
        let mut has_comma = false;
        let cells = rows.iter().map(|row| row.cell(column));
        for cell in cells.filter(|cell| !matches!(cell.value, Value::Number(_))) {
            survey.observe(cell.text);
            let is_read = |mark| money::parse(cell, Some(mark)).is_ok();
            has_comma |= is_read(DecimalMark::Comma) && !is_read(DecimalMark::Point);
        }
        Self { proven: survey.decide(), has_comma }
    }
}

fn read_row(row: &Row, currency: usize, rate: usize, marks: RateMarks) -> Result<(u64, Rate), RatesProblem> {
    let currency = code(row, currency)?;
    let cell = row.cell(rate);
    let amount = |mark| money::parse(cell, mark).ok().map(|amount| amount.value);
    let read = match (cell.value, marks.proven) {
        // The stored number; the cell may display fewer digits.
        (Value::Number(number), _) => number.to_string().parse().ok(),
        (_, Some(DecimalMark::Comma)) => amount(marks.proven),
        // Programs write rates with a point, mostly with many decimals. A comma elsewhere makes that doubtful.
        (_, proven) => {
            let plain = if marks.has_comma { None } else { cell.text.trim().parse().ok() };
            plain.or_else(|| amount(proven))
        }
    };
    if let (None, [Some(point), Some(comma)]) =
        (read, [DecimalMark::Point, DecimalMark::Comma].map(|mark| amount(Some(mark))))
    {
        let [large, small] = [point.max(comma), point.min(comma)].map(|rate: Decimal| rate.to_string());
        return Err(RatesProblem::Ambiguous { row: row.number, found: cell.text.trim().to_owned(), large, small });
    }
    let read = read.filter(|rate| *rate > Decimal::ZERO && *rate < Decimal::from(1_000_000_000));
    let rate = read.ok_or_else(|| RatesProblem::Rate { row: row.number, found: cell.text.to_owned() })?;
    Ok((row.number, Rate { currency, rate: rate.normalize() }))
}

fn code(row: &Row, column: usize) -> Result<Currency, RatesProblem> {
    let found = row.cell(column).text.trim();
    let currency = Currency::of(found);
    let is_fine = currency.is_known() && !found.is_empty();
    is_fine.then_some(currency).ok_or_else(|| RatesProblem::Currency { row: row.number, found: found.to_owned() })
}

/// The currency in the column `base`, which must be the same in all rows.
fn base_of(rows: &[Row], column: usize) -> Result<Option<Currency>, RatesProblem> {
    let mut base: Option<Currency> = None;
    for row in rows.iter().filter(|row| !row.cell(column).is_blank()) {
        let own = code(row, column)?;
        match &base {
            Some(base) if *base != own => {
                let (base, found) = (base.code.to_string(), own.code.to_string());
                return Err(RatesProblem::TwoBases { row: row.number, base, found });
            }
            _ => base = Some(own),
        }
    }
    Ok(base)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::error::Diagnostic as _;

    fn read(text: &str) -> Result<Rates, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.csv");
        std::fs::write(&path, text).unwrap();
        Rates::read(&path).map_err(|error| error.to_string().split_once(": ").unwrap().1.to_owned())
    }

    #[test]
    fn a_rate_is_what_one_unit_costs_in_the_base() {
        let rates = read("Currency,Rate\nEUR,1\nusd,0.92\nJPY,0.0061\n").unwrap();
        assert_eq!(&*rates.base.code, "EUR");
        let converted = |amount: i64, code| rates.converted(Decimal::from(amount), &Currency::of(code));
        assert_eq!(converted(1000, "USD"), Some(Decimal::new(92_000, 2)));
        assert_eq!(converted(12_345, "JPY"), Some(Decimal::new(7530, 2)), "75.3045");
        assert_eq!(converted(5, "EUR"), Some(Decimal::from(5)));
        assert_eq!(converted(5, "GBP"), None);
        let named = read("currency;rate;base\nEUR;1,0812;USD\nGBP;1,31;\n").unwrap();
        assert_eq!(named.converted(Decimal::from(100), &Currency::of("EUR")), Some(Decimal::new(10_812, 2)));
        assert_eq!(named.rate(&Currency::of("USD")), Some(Decimal::ONE));
        let tied = read("currency,rate,base\nBMD,1,USD\nUSD,1,\nEUR,1.08,\n").unwrap();
        assert_eq!(&*tied.base.code, "USD");
    }

    #[test]
    fn what_is_no_table_of_rates_is_told() {
        for (text, value) in [
            ("code,rate\nEUR,1\n", "column `currency` is missing"),
            ("currency,value\nEUR,1\n", "column `rate` is missing"),
            ("currency,rate,Rate\nEUR,1,1\nUSD,0.92,0.95\n", "several columns are called `rate`"),
            ("currency,rate,base,base\nEUR,1,EUR,USD\n", "several columns are called `base`"),
            ("currency,rate\nEUR,1\nUSD,0\n", "row 3: invalid rate `0`"),
            ("currency,rate\nEUR,1\nUSD,-1\n", "row 3: invalid rate `-1`"),
            ("currency,rate\nEUR,1\nUSD,soon\n", "row 3: invalid rate `soon`"),
            ("currency,rate\nEUR,1\nGoats,2\n", "row 3: `Goats` is not an ISO 4217 currency code"),
            ("currency,rate\nEUR,1\nUSD,2\nUSD,2\n", "row 4: duplicate rate for USD"),
            ("currency,rate\nEUR,1.1\n", "the base currency is missing"),
            ("currency,rate\nBMD,1\nUSD,1\nEUR,1.08\n", "the base currency is not clear: BMD and USD have the rate 1"),
            ("currency,rate,base\nEUR,2,EUR\n", "row 2: the rate of the base currency EUR is 2 instead of 1"),
            ("currency,rate,base\nEUR,2,USD\nGBP,2,CHF\n", "row 3: base currency `CHF` differs from `USD` above"),
        ] {
            assert_eq!(read(text).unwrap_err(), value);
        }
    }

    #[test]
    fn rates_are_on_the_one_visible_sheet_that_has_the_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.xlsx");
        let read = |sheets: &[(&str, &str)], hidden: &str| {
            let mut book = rust_xlsxwriter::Workbook::new();
            for (name, header) in sheets {
                let sheet = book.add_worksheet().set_name(*name).unwrap().set_hidden(*name == hidden);
                for (row, currency, rate) in [(1, "EUR", "1"), (2, "USD", if *name == "2025" { "0.9" } else { "0.8" })]
                {
                    let texts = [(0, header.split(',').next().unwrap()), (1, header.split(',').nth(1).unwrap())];
                    texts.iter().for_each(|(column, text)| drop(sheet.write_string(0, *column, *text)));
                    sheet.write_string(row, 0, currency).unwrap().write_string(row, 1, rate).unwrap();
                }
            }
            book.save(&path).unwrap();
            let rates = Rates::read(&path).map_err(|error| (error.to_string(), error.hint().unwrap_or_default()))?;
            Ok::<_, (String, String)>(rates.rate(&Currency::of("USD")).unwrap().to_string())
        };
        let (notes, last, this) = (("Notes", "what,why"), ("2025", "currency,rate"), ("2026", "Currency,Rate"));
        assert_eq!(read(&[notes, last], ""), Ok(String::from("0.9")));
        assert_eq!(read(&[notes, last, this], "2025"), Ok(String::from("0.8")));
        let (message, hint) = read(&[last, this], "").unwrap_err();
        assert!(
            message.ends_with("several sheets have the columns `currency` and `rate`: `2025` and `2026`"),
            "{message}"
        );
        assert_eq!(hint, "hide all but the one that is meant, or save it as a file of its own");
        assert!(read(&[notes, ("More", "a,b")], "").unwrap_err().0.ends_with("column `currency` is missing"));
    }

    #[test]
    fn the_column_proves_the_decimal_mark_of_its_rates() {
        for (text, rates) in [
            ("currency;rate\nIDR;1\nEUR;17.501,25\nUSD;16.250\n", "1 17501.25 16250"),
            ("currency;rate\nEUR;1\nUSD;0,925\nGBP;1,168\nJPY;0,006\n", "1 0.925 1.168 0.006"),
            ("currency,rate\nEUR,1\nUSD,0.925\nGBP,1.168\n", "1 0.925 1.168"),
            ("currency,rate\nEUR,1\nGBP,1.168\n", "1 1.168"),
            ("currency;rate\nEUR;1\nUSD;0.925\nKWD;58,250\n", "1 0.925 58250"),
            ("currency;rate\nEUR;1\nUSD;0.92\nGBP;1,17\n", "1 0.92 1.17"),
            ("currency,rate\nEUR,1\nVND,0.0000361234567\n", "1 0.0000361234567"),
        ] {
            let rates_read = read(text).unwrap().rates;
            let found: Vec<String> = rates_read.iter().map(|rate| rate.rate.to_string()).collect();
            assert_eq!(found.join(" "), rates, "{text}");
        }
        for (text, value) in [
            ("currency;rate\nEUR;1\nGBP;1,168\n", "row 3: ambiguous rate `1,168`; could be `1168` or `1.168`"),
            (
                "currency;rate\nEUR;1\nGBP;1,17\nUSD;0.92\nIDR;16.250\n",
                "row 5: ambiguous rate `16.250`; could be `16250` or `16.250`",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), value);
        }
    }
}
