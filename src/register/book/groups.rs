//! The sheets of totals by category, department, location and status, one currency after the other.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, Workbook, Worksheet};

use super::amounts::{self, AmountRow, letters};
use super::formulas::{self, LineFilter};
use super::page::{HEADER_ROW, Header, Page, TWO_LINES, XlsxResult, left, right};
use crate::register::columns::ColumnSource;
use crate::register::content::Register;
use crate::register::line::ItemState;
use crate::register::totals::{Amounts, GROUPINGS, Grouping, LineGroup, groups};
use crate::table::write::styles::PageStyles;

const AMOUNTS: u16 = 2;
const SHARE: u16 = AMOUNTS + amounts::COLUMNS;

/// A group, and its row on the sheet, counting from 1.
#[derive(Debug)]
pub(super) struct GroupRow {
    pub(super) group: LineGroup,
    pub(super) row: u32,
}

/// Writes the four sheets, and returns the categories for the charts.
pub(super) fn write_all(
    workbook: &mut Workbook,
    register: &Register<'_>,
    styles: &PageStyles,
) -> XlsxResult<Vec<GroupRow>> {
    let mut sheets = GROUPINGS.iter().map(|by| write(workbook.add_worksheet(), register, styles, by));
    let categories = sheets.next().unwrap_or_else(|| Ok(Vec::new()))?;
    sheets.try_for_each(|sheet| sheet.map(drop))?;
    Ok(categories)
}

pub(super) fn sheet_name(by: &Grouping) -> String {
    format!("By {}", by.column.column().title.to_lowercase())
}

fn write(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &PageStyles,
    by: &'static Grouping,
) -> XlsxResult<Vec<GroupRow>> {
    let groups = groups(&register.lines, by);
    let mut page = Page::new(sheet, styles, &sheet_name(by))?;
    page.sheet.set_landscape();
    page.title(&format!("Book value by {}", by.column.column().title.to_lowercase()), &lead(register))?;
    page.sheet.set_row_height(HEADER_ROW, TWO_LINES)?;
    page.header(HEADER_ROW, &headers(register, by))?;
    let use_formulas = formulas::are_affordable(groups.len(), register.lines.len());
    let mut table = GroupTable { page, register, by, use_formulas };
    let mut row = HEADER_ROW + 1;
    let mut rows = Vec::new();
    for block in groups.chunk_by(|one, other| one.currency == other.currency) {
        let first = row;
        for group in block {
            table.group(row, group)?;
            rows.push(GroupRow { group: group.clone(), row: row + 1 });
            row += 1;
        }
        table.subtotal((first, row), block)?;
        row += 2;
    }
    if groups.is_empty() {
        table.page.text((row, 0), "nothing is held", &styles.cell)?;
    }
    Ok(rows)
}

fn lead(register: &Register<'_>) -> String {
    let mut lead = format!("What is held at the end of {}, each currency by itself.", register.options.as_of);
    if register.rates.is_some() {
        lead +=
            " Every line is converted and rounded by itself, so converted lines may differ by a cent from their total.";
    }
    lead
}

fn headers(register: &Register<'_>, by: &Grouping) -> Vec<Header> {
    let mut headers = vec![left(by.column.column().title, 30.0), left("Currency", 10.0)];
    headers.extend(amounts::HEADERS);
    headers.push(right("Depreciated", 12.0));
    headers.extend(register.rates.iter().flat_map(amounts::converted_headers));
    headers
}

struct GroupTable<'a> {
    page: Page<'a>,
    register: &'a Register<'a>,
    by: &'static Grouping,
    use_formulas: bool,
}

impl GroupTable<'_> {
    fn group(&mut self, row: u32, group: &LineGroup) -> XlsxResult {
        let (currency, styles, number) = (&group.currency, self.page.styles, row + 1);
        let filter = LineFilter::new(ItemState::Held).equal(self.by.column, format!("$A{number}"), &group.name).equal(
            ColumnSource::Currency,
            format!("$B{number}"),
            &currency.code,
        );
        let formulas = self.use_formulas.then(|| filter.amounts());
        let amounts = AmountRow { row, first: AMOUNTS, currency, amounts: &group.amounts, format: &styles.cell };
        self.row(&group.name, &amounts, formulas, &styles.percent)
    }

    fn subtotal(&mut self, (first, row): (u32, u32), block: &[LineGroup]) -> XlsxResult {
        let Some(currency) = block.first().map(|group| &group.currency) else { return Ok(()) };
        let mut total = Amounts::default();
        block.iter().for_each(|group| total.add_all(&group.amounts));
        let styles = self.page.styles;
        let formulas = [0, 1, 2, 3, 4, 5].map(|index| {
            let column = letters(AMOUNTS + index);
            format!("=SUM({column}{}:{column}{row})", first + 1)
        });
        let amounts = AmountRow { row, first: AMOUNTS, currency, amounts: &total, format: &styles.total };
        self.row(&format!("Total {}", currency.code), &amounts, Some(formulas), &styles.total_percent)
    }

    fn row(
        &mut self,
        name: &str,
        amounts: &AmountRow<'_>,
        formulas: Option<[String; 6]>,
        percent: &Format,
    ) -> XlsxResult {
        self.page.text((amounts.row, 0), name, amounts.format)?;
        self.page.text((amounts.row, 1), &amounts.currency.code, amounts.format)?;
        amounts.write(&mut self.page, formulas)?;
        self.share(amounts.row, amounts.amounts, percent)?;
        match &self.register.rates {
            Some(rates) => amounts.write_converted(&mut self.page, rates, SHARE + 1),
            None => Ok(()),
        }
    }

    /// Writes the depreciated share of the cost that has a book value.
    fn share(&mut self, row: u32, amounts: &Amounts, format: &Format) -> XlsxResult {
        let cost: Decimal = amounts.cost - amounts.uncomputed_cost;
        if cost.is_zero() {
            return self.page.text((row, SHARE), "", format);
        }
        let number = row + 1;
        let formula = format!("=IF(E{number}-F{number}=0,0,G{number}/(E{number}-F{number}))");
        self.page.formula((row, SHARE), &formula, (amounts.accumulated / cost).round_dp(12), format)
    }
}
