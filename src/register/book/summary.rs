//! The sheet `Summary`: the as-of date, the counts, the totals of each currency.

use rust_decimal::Decimal;
use rust_xlsxwriter::{FormatAlign, FormatBorder, Worksheet};

use super::amounts::{self, AmountRow, letters};
use super::formulas::{LineFilter, range};
use super::page::{Header, Page, TWO_LINES, XlsxResult, left};
use super::rates;
use super::styles::money;
use crate::register::columns::ColumnSource;
use crate::register::content::Register;
use crate::register::line::ItemState;
use crate::register::rates::Rates;
use crate::register::totals::{Amounts, CurrencyTotal};
use crate::table::CellRef;
use crate::table::write::page::write_link;
use crate::table::write::styles::{PageStyles, right};

/// The cell of the as-of date, `B3`, is named `As_of`.
const AS_OF_ROW: u32 = 2;
const COUNTS_ROW: u32 = 7;
const AMOUNTS: u16 = 1;
/// The column of the exchange rate; the converted amounts are to the right of it.
const RATE: u16 = AMOUNTS + amounts::COLUMNS;
const CONVERTED: u16 = RATE + 1;
const LAST_CONVERTED: u16 = CONVERTED + 2;

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &PageStyles) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Summary")?;
    page.sheet.set_landscape();
    page.set_width(0, 30.0)?;
    (1..=2).try_for_each(|column| page.set_width(column, 13.0))?;
    (3..=LAST_CONVERTED).try_for_each(|column| page.set_width(column, 17.0))?;
    let last_column = if register.rates.is_some() { LAST_CONVERTED } else { RATE - 1 };
    let mut summary = SummaryPage { page, register, last_column, row: COUNTS_ROW - 1 };
    summary.account()?;
    summary.counts()?;
    summary.totals("Totals of what is held, by currency", ItemState::Held, |total| &total.held)?;
    if register.totals.iter().any(|total| total.disposed.items > 0) {
        let title = "Disposed of, as if still held: in no other total";
        summary.totals(title, ItemState::Disposed, |total| &total.disposed)?;
    }
    summary.warnings()?;
    summary.contents()
}

/// The totals of held or of disposed items.
type Part = fn(&CurrencyTotal) -> &Amounts;

struct SummaryPage<'a> {
    page: Page<'a>,
    register: &'a Register<'a>,
    /// The last column of the totals.
    last_column: u16,
    /// The next row.
    row: u32,
}

impl SummaryPage<'_> {
    fn account(&mut self) -> XlsxResult {
        let (options, styles) = (self.register.options, self.page.styles);
        let account = &options.account;
        self.page.title("Fixed-asset register", "Cost, straight-line depreciation and book value")?;
        let strong = styles.plain.clone().set_bold().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left);
        self.page.text((AS_OF_ROW, 0), "As of the end of", &styles.label)?;
        self.page.date((AS_OF_ROW, 1), options.as_of, &strong)?;
        let tenant = account.tenant.as_ref().map(|tenant| format!(", tenant {tenant}")).unwrap_or_default();
        let written = options.generated_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let lines = [("Account", format!("{}{tenant}", account.base_url)), ("Written", written)];
        for (row, (label, text)) in (AS_OF_ROW + 1..).zip(lines) {
            self.page.text((row, 0), label, &styles.label)?;
            self.page.text((row, 1), &text, &styles.plain)?;
        }
        Ok(())
    }

    fn section(&mut self, title: &str) -> XlsxResult {
        self.page.section(self.row, title, self.last_column)?;
        self.row += 1;
        Ok(())
    }

    /// Writes the counts in two columns of labels and numbers.
    fn counts(&mut self) -> XlsxResult {
        self.section("Items")?;
        let counts = &self.register.counts;
        let (kind, state, value) =
            (range(ColumnSource::Kind), range(ColumnSource::State), range(ColumnSource::BookValue));
        let in_state = |state| LineFilter::new(state).count();
        let states = [
            ("In the books (held)", in_state(ItemState::Held), counts.held),
            ("Disposed of", in_state(ItemState::Disposed), counts.disposed),
            ("Not yet bought on that day", in_state(ItemState::NotYetBought), counts.not_yet_bought),
            ("All lines of the register", format!("=COUNTA({kind})"), counts.items),
        ];
        let depreciated = format!("=COUNTIFS({state},\"held\",Reg_Fully,\"yes\")");
        let uncomputed = format!("=COUNTIFS({state},\"held\",{value},\"=\")");
        let kinds = [
            ("Held and fully depreciated", depreciated, counts.fully_depreciated),
            ("Held without a book value (see Exceptions)", uncomputed, counts.uncomputed),
            ("Assets", format!("=COUNTIFS({kind},\"asset\")"), counts.assets),
            ("Licenses", format!("=COUNTIFS({kind},\"license\")"), counts.licenses),
        ];
        let styles = self.page.styles;
        let number = right(&styles.plain).set_num_format("#,##0").set_bold();
        for (label_column, number_column, lines) in [(0, 1, states), (3, 6, kinds)] {
            for (row, (label, formula, count)) in (self.row..).zip(lines) {
                self.page.text((row, label_column), label, &styles.plain)?;
                self.page.formula((row, number_column), &formula, Decimal::from(count), &number)?;
            }
        }
        self.row += 6;
        Ok(())
    }

    /// Writes a table of the totals of each currency.
    fn totals(&mut self, title: &str, state: ItemState, part: Part) -> XlsxResult {
        self.section(title)?;
        self.page.sheet.set_row_height(self.row, TWO_LINES)?;
        self.page.headings(self.row, &headers(self.register.rates.as_ref()))?;
        self.row += 1;
        let (first, styles) = (self.row, self.page.styles);
        for total in self.register.totals.iter().filter(|total| part(total).items > 0) {
            let (row, currency) = (self.row, &total.currency);
            self.page.text((row, 0), &currency.code, &styles.cell)?;
            let filter = LineFilter::new(state).equal(ColumnSource::Currency, format!("$A{}", row + 1), &currency.code);
            let amounts = AmountRow { row, first: AMOUNTS, currency, amounts: part(total), format: &styles.cell };
            amounts.write(&mut self.page, Some(filter.amounts()))?;
            if let Some(rates) = &self.register.rates {
                self.rate(&amounts, rates)?;
                amounts.write_converted(&mut self.page, rates, CONVERTED)?;
            }
            self.row += 1;
        }
        if self.row == first {
            self.page.text((first, 0), "nothing", &styles.cell)?;
            self.row += 1;
        } else if let Some(rates) = &self.register.rates {
            self.grand_total(first, rates, part)?;
            self.row += 1;
        }
        self.row += 1;
        Ok(())
    }

    fn rate(&mut self, amounts: &AmountRow<'_>, rates: &Rates) -> XlsxResult {
        let format = right(amounts.format);
        match (rates.rate(amounts.currency), rates::cell(rates, amounts.currency)) {
            (Some(rate), Some(cell)) => {
                let format = format.set_num_format(rates::RATE_CODE);
                self.page.formula((amounts.row, RATE), &format!("={cell}"), rate, &format)
            }
            _ => self.page.text((amounts.row, RATE), "no rate", &format),
        }
    }

    /// Writes the total of the converted amounts, the only sum of several currencies.
    fn grand_total(&mut self, first: u32, rates: &Rates, part: Part) -> XlsxResult {
        let (row, styles) = (self.row, self.page.styles);
        let totals = || self.register.totals.iter().filter(|total| part(total).items > 0);
        let without: Vec<&str> =
            totals().filter(|total| rates.rate(&total.currency).is_none()).map(|total| &*total.currency.code).collect();
        let label = match without.as_slice() {
            [] => format!("Total in {}", rates.base.code),
            codes => format!("Total in {}, without {}", rates.base.code, codes.join(", ")),
        };
        self.page.text((row, 0), &label, &styles.total)?;
        (1..CONVERTED).try_for_each(|column| self.page.text((row, column), "", &styles.total))?;
        let money = money(&styles.total, &rates.base);
        let parts: [fn(&Amounts) -> Decimal; 3] =
            [|amounts| amounts.cost, |amounts| amounts.accumulated, |amounts| amounts.book_value];
        for (column, amount) in (CONVERTED..).zip(parts) {
            let sum = totals().filter_map(|total| rates.converted(amount(part(total)), &total.currency)).sum();
            let formula = format!("=SUM({0}{1}:{0}{row})", letters(column), first + 1);
            self.page.make_room(column, sum, &rates.base)?;
            self.page.formula((row, column), &formula, sum, &money)?;
        }
        Ok(())
    }

    fn warnings(&mut self) -> XlsxResult {
        let warnings = self.register.warnings();
        if warnings.is_empty() {
            return Ok(());
        }
        self.section("To look at")?;
        for warning in warnings {
            self.page.text((self.row, 0), &warning.to_string(), &self.page.styles.plain)?;
            self.row += 1;
        }
        self.row += 1;
        Ok(())
    }

    /// Writes links to the other sheets.
    fn contents(&mut self) -> XlsxResult {
        self.section("In this workbook")?;
        let (has_roll, has_rates) = (self.register.roll.is_some(), self.register.rates.is_some());
        let sheets = [
            (true, "By category", "totals by category and currency"),
            (true, "By department", "totals by department and currency"),
            (true, "By location", "totals by location and currency"),
            (true, "By status", "totals by status and currency"),
            (true, "Charts", "book value by category, spend by month, what runs out"),
            (true, "Running out", "warranties and licenses that end in the next twelve months"),
            (true, "Register", "a line per item: what every formula here counts"),
            (has_roll, "Roll-forward", "opening, additions, disposals, adjustments, depreciation, closing"),
            (has_roll, "Movements", "the items behind additions, disposals and adjustments"),
            (true, "Exceptions", "what could not be computed, and why"),
            (has_rates, "Rates", "what converted totals were converted with"),
            (true, "Method", "how the figures come about"),
        ];
        let styles = self.page.styles;
        let link = styles.link.clone().set_border_bottom(FormatBorder::None).set_indent(0);
        for (_, name, description) in sheets.into_iter().filter(|(is_there, ..)| *is_there) {
            write_link(self.page.sheet, (self.row, 0), (name, CellRef { row: 1, column: 0 }), name, &link)?;
            self.page.text((self.row, 1), description, &styles.label)?;
            self.row += 1;
        }
        Ok(())
    }
}

fn headers(rates: Option<&Rates>) -> Vec<Header> {
    let mut headers = vec![left("Currency", 0.0)];
    headers.extend(amounts::HEADERS);
    if let Some(rates) = rates {
        headers.push(Header::amount(format!("Rate to {}", rates.base.code), 0.0));
        headers.extend(amounts::converted_headers(rates));
    }
    headers
}
