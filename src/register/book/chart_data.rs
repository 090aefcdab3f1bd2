//! The sheet `Chart data`: book value by category, spend by month, and what runs out.
//!
//! Amounts in different currencies are not drawn on one axis. With exchange rates there is one chart in the base currency;
//! without, there is one for each of the currencies with the most items.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Color, Worksheet};

use super::amounts::letters;
use super::expiring::{expiring_lines, last_day_counted};
use super::formulas::{is_plain, range};
use super::groups::{GroupRow, sheet_name};
use super::page::{Header, Page, XlsxResult, left, right};
use super::rates;
use super::styles::{AMBER, BLUE, TEAL, money};
use crate::register::columns::ColumnSource;
use crate::register::content::Register;
use crate::register::currency::Currency;
use crate::register::item::ItemKind;
use crate::register::line::ItemState;
use crate::register::rates::Rates;
use crate::register::totals::{CATEGORY, group_key};
use crate::table::write::styles::PageStyles;

pub(super) const SHEET: &str = "Chart data";

/// The maximum number of currencies drawn without exchange rates.
pub(super) const MAX_CURRENCIES: usize = 3;
/// The maximum number of currencies in the table of spend.
const MAX_SPEND_CURRENCIES: usize = 8;
/// The number of categories with a bar of their own.
const MAX_CATEGORIES: usize = 10;
/// The maximum number of cells that a formula adds up.
const MAX_TERMS: usize = 200;
const MONTHS: i32 = 24;
const LAST_COLUMN: u16 = 4;

/// The rows of a chart: labels in the first column, values in the columns of the series.
pub(super) struct ChartData {
    pub(super) title: String,
    pub(super) kind: ChartKind,
    pub(super) header_row: u32,
    pub(super) last_row: u32,
    pub(super) series: Vec<(u16, Color)>,
    /// The number format of the value axis.
    pub(super) number_format: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChartKind {
    Bars,
    Columns,
}

/// Writes the sheet, and returns the charts to draw from it.
pub(super) fn write(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &PageStyles,
    categories: &[GroupRow],
) -> XlsxResult<Vec<ChartData>> {
    let mut page = Page::new(sheet, styles, SHEET)?;
    page.set_width(0, 30.0)?;
    (1..=12).try_for_each(|column| page.set_width(column, 16.0))?;
    page.title(SHEET, "What the charts are drawn from")?;
    let mut data = ChartDataSheet { register, page, row: 3, charts: Vec::new() };
    data.book_values(categories)?;
    data.spend()?;
    data.expiring()?;
    Ok(data.charts)
}

/// The currencies of held items, those with the most items first.
pub(super) fn currencies(register: &Register<'_>) -> Vec<Currency> {
    let mut totals: Vec<_> = register.totals.iter().filter(|total| total.held.items > 0).collect();
    totals.sort_by_key(|total| std::cmp::Reverse(total.held.items));
    totals.into_iter().map(|total| total.currency.clone()).collect()
}

struct ChartDataSheet<'a> {
    register: &'a Register<'a>,
    page: Page<'a>,
    /// The next row.
    row: u32,
    charts: Vec<ChartData>,
}

/// A bar: its label, the cells it adds up, its value.
struct Bar {
    label: String,
    cells: Vec<String>,
    value: Decimal,
}

impl ChartDataSheet<'_> {
    fn book_values(&mut self, categories: &[GroupRow]) -> XlsxResult {
        if let Some(rates) = &self.register.rates {
            return self.bars(converted_bars(categories, rates), &rates.base);
        }
        for currency in currencies(self.register).iter().take(MAX_CURRENCIES) {
            let bars =
                categories.iter().filter(|row| row.group.currency == *currency).map(|GroupRow { group, row }| Bar {
                    label: group.name.clone(),
                    cells: vec![category_cell('H', *row)],
                    value: group.amounts.book_value,
                });
            self.bars(bars.collect(), currency)?;
        }
        Ok(())
    }

    /// Writes the largest bars, and one for the sum of the others. Writes nothing if there are none.
    fn bars(&mut self, mut bars: Vec<Bar>, currency: &Currency) -> XlsxResult {
        bars.retain(|bar| !bar.value.is_zero());
        bars.sort_by_key(|bar| std::cmp::Reverse(bar.value));
        if bars.is_empty() {
            return Ok(());
        }
        let others = bars.split_off(bars.len().min(MAX_CATEGORIES));
        if !others.is_empty() {
            let label = format!("{} others", others.len());
            let value = others.iter().map(|bar| bar.value).sum();
            bars.push(Bar { label, cells: others.into_iter().flat_map(|bar| bar.cells).collect(), value });
        }
        let headers = [left("Category", 0.0), right("Book value", 0.0)];
        self.begin(format!("Book value by category, {}", currency.code), ChartKind::Bars, &[(1, BLUE)], &headers)?;
        let styles = self.page.styles;
        let money = money(&styles.cell, currency);
        for Bar { label, cells, value } in bars {
            self.page.text((self.row, 0), &label, &styles.cell)?;
            self.page.make_room(1, value, currency)?;
            if cells.len() <= MAX_TERMS {
                self.page.formula((self.row, 1), &format!("={}", cells.join("+")), value, &money)?;
            } else {
                self.page.amount((self.row, 1), value, &money)?;
            }
            self.row += 1;
        }
        self.end();
        Ok(())
    }

    /// Writes the spend in each of the 24 months up to the as-of date.
    fn spend(&mut self) -> XlsxResult {
        let spend = MonthlySpend::of(self.register);
        let currencies = spend.currencies(self.register);
        match &self.register.rates {
            Some(rates) => {
                let known = currencies.into_iter().filter(|currency| rates.rate(currency).is_some()).collect();
                self.spend_in(&spend, known)
            }
            None => currencies.into_iter().take(MAX_CURRENCIES).try_for_each(|one| self.spend_in(&spend, vec![one])),
        }
    }

    /// Writes the spend in these currencies and, with exchange rates, their converted sum.
    fn spend_in(&mut self, spend: &MonthlySpend, currencies: Vec<Currency>) -> XlsxResult {
        let Some(first) = currencies.first() else { return Ok(()) };
        let rates = self.register.rates.as_ref();
        let drawn = rates.map_or(first, |rates| &rates.base);
        let mut headers = vec![left("Month", 0.0)];
        headers.extend(currencies.iter().map(|currency| Header::amount(currency.code.to_string(), 0.0)));
        headers.extend(rates.map(|rates| Header::amount(format!("All in {}", rates.base.code), 0.0)));
        let column = if rates.is_some() { currencies.len() as u16 + 1 } else { 1 };
        let title = format!("Spend by month, {}", drawn.code);
        let header_row = self.begin(title, ChartKind::Columns, &[(column, TEAL)], &headers)?;
        let month_format = self.page.styles.date.clone().set_num_format("mmm yyyy");
        for back in (0..MONTHS).rev() {
            let Ok(month) = self.register.options.as_of.first_of_month().checked_sub(back.months()) else { continue };
            self.page.date((self.row, 0), month, &month_format)?;
            for (column, currency) in (1..).zip(&currencies) {
                self.spend_cell(column, header_row, currency, spend.in_month(month, currency))?;
            }
            if let Some(rates) = rates {
                self.converted_spend(spend, month, &currencies, rates)?;
            }
            self.row += 1;
        }
        self.end();
        Ok(())
    }

    fn spend_cell(&mut self, column: u16, header_row: u32, currency: &Currency, amount: Decimal) -> XlsxResult {
        let money = money(&self.page.styles.cell, currency);
        self.page.make_room(column, amount, currency)?;
        if !is_plain(&currency.code) {
            return self.page.amount((self.row, column), amount, &money);
        }
        let [cost, codes, dates] = [ColumnSource::Cost, ColumnSource::Currency, ColumnSource::PurchaseDate].map(range);
        let (code, month) = (format!("{}${}", letters(column), header_row + 1), format!("$A{}", self.row + 1));
        let formula = format!(
            "=SUMIFS({cost},{codes},{code},{dates},\">=\"&{month},{dates},\"<\"&EDATE({month},1),{dates},\"<=\"&As_of)"
        );
        self.page.formula((self.row, column), &formula, amount, &money)
    }

    fn converted_spend(
        &mut self,
        spend: &MonthlySpend,
        month: Date,
        currencies: &[Currency],
        rates: &Rates,
    ) -> XlsxResult {
        let (mut terms, mut sum) = (Vec::new(), Decimal::ZERO);
        for (column, currency) in (1..).zip(currencies) {
            let rate = rates::cell(rates, currency).unwrap_or_default();
            terms.push(format!("{}{}*{rate}", letters(column), self.row + 1));
            sum += spend.in_month(month, currency) * rates.rate(currency).unwrap_or_default();
        }
        let formula = format!("=ROUND({},{})", terms.join("+"), rates.base.digits);
        let money = money(&self.page.styles.cell, &rates.base);
        let (column, sum) = (currencies.len() as u16 + 1, rates.base.rounded(sum));
        self.page.make_room(column, sum, &rates.base)?;
        self.page.formula((self.row, column), &formula, sum, &money)
    }

    /// Writes how many warranties and licenses end in each month of the year after the as-of date.
    fn expiring(&mut self) -> XlsxResult {
        let headers = ["Warranties", "Licenses", "From", "Before"].map(|text| right(text, 0.0));
        let headers = [&[left("Month", 0.0)], &headers[..]].concat();
        let series = [(1, BLUE), (2, AMBER)];
        self.begin("Warranties and licenses running out".into(), ChartKind::Columns, &series, &headers)?;
        let (as_of, styles) = (self.register.options.as_of, self.page.styles);
        let end = last_day_counted(as_of).tomorrow().unwrap_or(Date::MAX);
        let [kinds, states, ends] = [ColumnSource::Kind, ColumnSource::State, ColumnSource::ExpiresOn].map(range);
        let expiring: Vec<_> = expiring_lines(self.register).map(|(day, line)| (day, line.item.kind)).collect();
        for ahead in 0..=12 {
            let Ok(month) = as_of.first_of_month().checked_add(ahead.months()) else { continue };
            let next = month.checked_add(1.month()).unwrap_or(Date::MAX);
            let (from, before) = (month.max(as_of), next.min(end));
            let (row, number) = (self.row, self.row + 1);
            self.page.text((row, 0), &month.strftime("%b %Y").to_string(), &styles.cell)?;
            for (column, kind) in [(1, ItemKind::Asset), (2, ItemKind::License)] {
                let count = expiring.iter().filter(|(day, of)| *of == kind && *day >= from && *day < before).count();
                let formula = format!(
                    "=COUNTIFS({kinds},\"{}\",{states},\"{}\",{ends},\">=\"&$D{number},{ends},\"<\"&$E{number})",
                    kind.name(),
                    ItemState::Held.name()
                );
                self.page.formula((row, column), &formula, Decimal::from(count as u64), &styles.number)?;
            }
            self.page.date((row, 3), from, &styles.date)?;
            self.page.date((row, 4), before, &styles.date)?;
            self.row += 1;
        }
        self.end();
        Ok(())
    }

    /// Begins a chart and its table, and returns the row of its headers.
    fn begin(
        &mut self,
        title: String,
        kind: ChartKind,
        series: &[(u16, Color)],
        headers: &[Header],
    ) -> XlsxResult<u32> {
        self.page.section(self.row, &title, LAST_COLUMN)?;
        let header_row = self.row + 1;
        self.page.headings(header_row, headers)?;
        self.row = header_row + 1;
        // Two series are counts, one is an amount.
        let number_format = if series.len() > 1 { "0" } else { "#,##0" };
        let series = series.to_vec();
        self.charts.push(ChartData { title, kind, header_row, last_row: header_row, series, number_format });
        Ok(header_row)
    }

    /// Ends the table of the last chart before the current row.
    fn end(&mut self) {
        if let Some(chart) = self.charts.last_mut() {
            chart.last_row = self.row - 1;
        }
        self.row += 1;
    }
}

fn category_cell(column: char, row: u32) -> String {
    format!("'{}'!${column}${row}", sheet_name(&CATEGORY))
}

/// The book values of categories in the base currency, summed over their currencies.
fn converted_bars(categories: &[GroupRow], rates: &Rates) -> Vec<Bar> {
    let mut bars: Vec<(String, Bar)> = Vec::new();
    for GroupRow { group, row } in categories {
        let Some(value) = rates.converted(group.amounts.book_value, &group.currency) else { continue };
        let (key, cell) = (group_key(&group.name), category_cell('L', *row));
        match bars.iter_mut().find(|(known, _)| *known == key) {
            Some((_, bar)) => {
                bar.cells.push(cell);
                bar.value += value;
            }
            None => bars.push((key, Bar { label: group.name.clone(), cells: vec![cell], value })),
        }
    }
    bars.into_iter().map(|(_, bar)| bar).collect()
}

/// The cost of the purchases of each month and currency, including items disposed of since.
struct MonthlySpend(BTreeMap<(Date, Currency), Decimal>);

impl MonthlySpend {
    fn of(register: &Register<'_>) -> Self {
        let mut spend = BTreeMap::new();
        for line in register.lines.iter().filter(|line| line.state != ItemState::NotYetBought) {
            if let (Ok(cost), Ok(day)) = (&line.item.cost, &line.item.purchase_date) {
                *spend.entry((day.first_of_month(), line.item.currency.clone())).or_default() += *cost;
            }
        }
        Self(spend)
    }

    fn in_month(&self, month: Date, currency: &Currency) -> Decimal {
        self.0.get(&(month, currency.clone())).copied().unwrap_or_default()
    }

    /// The currencies with spend in the months that are drawn, those with the most items first.
    fn currencies(&self, register: &Register<'_>) -> Vec<Currency> {
        let start = register.options.as_of.first_of_month().checked_sub((MONTHS - 1).months()).unwrap_or(Date::MIN);
        let mut all = currencies(register);
        let unheld = register.totals.iter().filter(|total| total.held.items == 0);
        all.extend(unheld.map(|total| total.currency.clone()));
        all.retain(|currency| {
            self.0.iter().any(|((month, other), cost)| *month >= start && other == currency && !cost.is_zero())
        });
        all.truncate(MAX_SPEND_CURRENCIES);
        all
    }
}
