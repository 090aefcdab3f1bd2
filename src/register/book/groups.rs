//! The sheets of totals by category, department, location and status: each currency by itself.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::formulas::{self, LineFilter, column_of, name};
use super::rates;
use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::RegisterStyles;
use crate::register::Currency;
use crate::register::columns::ColumnSource;
use crate::register::line::ItemState;
use crate::register::totals::{Amounts, GroupBy, LineGroup, groups};
use crate::register::write::Register;

const HEAD: u32 = 3;
/// The columns without and with converted amounts.
const PLAIN: u16 = 9;

/// A group, and the row (from 1) in which its sheet shows it.
#[derive(Debug)]
pub(super) struct GroupRow {
    pub(super) group: LineGroup,
    pub(super) row: u32,
}

/// Writes the four sheets, and gives the categories for the charts.
pub(super) fn write_all(
    workbook: &mut Workbook,
    register: &Register<'_>,
    styles: &RegisterStyles,
) -> Result<Vec<GroupRow>, XlsxError> {
    let mut categories = Vec::new();
    for by in GroupBy::ALL {
        let shown = write(workbook.add_worksheet(), register, styles, by)?;
        if by == GroupBy::Category {
            categories = shown;
        }
    }
    Ok(categories)
}

pub(super) fn sheet_name(by: GroupBy) -> String {
    format!("By {}", by.title().to_lowercase())
}

fn write(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    by: GroupBy,
) -> Result<Vec<GroupRow>, XlsxError> {
    let groups = groups(&register.lines, by);
    sheet::set_up(sheet, &sheet_name(by), PageOrientation::Landscape)?;
    let title = format!("Book value by {}", by.title().to_lowercase());
    sheet::write_title(sheet, styles, &title, &lead(register))?;
    let titles = titles(register, by);
    let titles: Vec<(&str, HeaderAlign, f64)> =
        titles.iter().map(|(title, side, width)| (title.as_str(), *side, *width)).collect();
    sheet.set_row_height(HEAD, 32)?;
    sheet::header(sheet, styles, HEAD, &titles)?;
    let table =
        Table { register, styles, by, use_formulas: formulas::are_affordable(groups.len(), register.lines.len()) };
    let mut row = HEAD + 1;
    let mut shown = Vec::new();
    for block in groups.chunk_by(|one, other| one.currency == other.currency) {
        let first = row;
        for group in block {
            table.group(sheet, row, group)?;
            shown.push(GroupRow { group: group.clone(), row: row + 1 });
            row += 1;
        }
        table.subtotal(sheet, (first, row), block)?;
        row += 2;
    }
    if groups.is_empty() {
        sheet::text(sheet, (row, 0), "nothing is held", &styles.cell)?;
    }
    Ok(shown)
}

fn lead(register: &Register<'_>) -> String {
    let mut lead = format!("What is held at the end of {}, each currency by itself.", register.options.as_of);
    if register.rates.is_some() {
        lead +=
            " Every line is converted and rounded by itself, so converted lines may differ by a cent from their total.";
    }
    lead
}

fn titles(register: &Register<'_>, by: GroupBy) -> Vec<(String, HeaderAlign, f64)> {
    let mut titles: Vec<(String, HeaderAlign, f64)> = [
        (by.title(), HeaderAlign::Left, 30.0),
        ("Currency", HeaderAlign::Left, 10.0),
        ("Items", HeaderAlign::Right, 9.0),
        ("Without book value", HeaderAlign::Right, 11.0),
        ("Cost", HeaderAlign::Right, 16.0),
        ("Cost without book value", HeaderAlign::Right, 15.0),
        ("Accumulated depreciation", HeaderAlign::Right, 16.0),
        ("Book value", HeaderAlign::Right, 16.0),
        ("Depreciated", HeaderAlign::Right, 12.0),
    ]
    .map(|(title, side, width)| (title.to_owned(), side, width))
    .into();
    if let Some(rates) = &register.rates {
        let base = &rates.base.code;
        titles.extend(
            ["Cost", "Accum. depr.", "Book value"].map(|what| (format!("{what} in {base}"), HeaderAlign::Right, 18.5)),
        );
    }
    titles
}

struct Table<'a> {
    register: &'a Register<'a>,
    styles: &'a RegisterStyles,
    by: GroupBy,
    use_formulas: bool,
}

impl Table<'_> {
    fn group(&self, sheet: &mut Worksheet, row: u32, group: &LineGroup) -> Result<(), XlsxError> {
        let styles = self.styles;
        let (currency, amounts) = (&group.currency, &group.amounts);
        sheet::text(sheet, (row, 0), &group.name, &styles.cell)?;
        sheet::text(sheet, (row, 1), &currency.code, &styles.cell)?;
        let wanted = LineFilter {
            equal: vec![
                (name(column_of(self.by)), format!("$A{}", row + 1), &group.name),
                (name(ColumnSource::Currency), format!("$B{}", row + 1), &currency.code),
            ],
        };
        let held = ItemState::Held;
        let money = styles.money(&styles.cell, currency);
        let cells = [
            (wanted.count(held), Decimal::from(amounts.items), &styles.number),
            (wanted.count_uncomputed(held), Decimal::from(amounts.uncomputed_items), &styles.number),
            (wanted.sum(ColumnSource::Cost, held), amounts.cost, &money),
            (wanted.sum_uncomputed(held), amounts.uncomputed_cost, &money),
            (wanted.sum(ColumnSource::Accumulated, held), amounts.accumulated, &money),
            (wanted.sum(ColumnSource::BookValue, held), amounts.book_value, &money),
        ];
        for (column, (formula, result, format)) in (2..).zip(cells) {
            if self.use_formulas {
                sheet::formula(sheet, (row, column), &formula, result, format)?;
            } else {
                sheet::amount(sheet, (row, column), result, format)?;
            }
        }
        self.share(sheet, row, amounts, &styles.percent)?;
        self.converted(sheet, row, currency, amounts, &styles.cell)
    }

    fn subtotal(&self, sheet: &mut Worksheet, (first, row): (u32, u32), block: &[LineGroup]) -> Result<(), XlsxError> {
        let styles = self.styles;
        let Some(currency) = block.first().map(|group| &group.currency) else { return Ok(()) };
        let sum = |part: fn(&Amounts) -> Decimal| block.iter().map(|group| part(&group.amounts)).sum::<Decimal>();
        let amounts = Amounts {
            items: block.iter().map(|group| group.amounts.items).sum(),
            uncomputed_items: block.iter().map(|group| group.amounts.uncomputed_items).sum(),
            cost: sum(|amounts| amounts.cost),
            uncomputed_cost: sum(|amounts| amounts.uncomputed_cost),
            accumulated: sum(|amounts| amounts.accumulated),
            book_value: sum(|amounts| amounts.book_value),
        };
        sheet::text(sheet, (row, 0), &format!("Total {}", currency.code), &styles.total)?;
        sheet::text(sheet, (row, 1), &currency.code, &styles.total)?;
        let money = styles.money(&styles.total, currency);
        let cells = [
            ("C", Decimal::from(amounts.items), &styles.total_number),
            ("D", Decimal::from(amounts.uncomputed_items), &styles.total_number),
            ("E", amounts.cost, &money),
            ("F", amounts.uncomputed_cost, &money),
            ("G", amounts.accumulated, &money),
            ("H", amounts.book_value, &money),
        ];
        for (column, (letter, result, format)) in (2..).zip(cells) {
            let formula = format!("=SUM({letter}{}:{letter}{row})", first + 1);
            sheet::formula(sheet, (row, column), &formula, result, format)?;
        }
        self.share(sheet, row, &amounts, &styles.total_percent)?;
        self.converted(sheet, row, currency, &amounts, &styles.total)
    }

    /// How much of the cost that has a book value is depreciated.
    fn share(&self, sheet: &mut Worksheet, row: u32, amounts: &Amounts, format: &Format) -> Result<(), XlsxError> {
        let of = amounts.cost - amounts.uncomputed_cost;
        let column = PLAIN - 1;
        if of.is_zero() {
            return sheet::text(sheet, (row, column), "", format);
        }
        let at = row + 1;
        let share = (amounts.accumulated / of).round_dp(12);
        sheet::formula(sheet, (row, column), &format!("=IF(E{at}-F{at}=0,0,G{at}/(E{at}-F{at}))"), share, format)
    }

    fn converted(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        currency: &Currency,
        amounts: &Amounts,
        format: &Format,
    ) -> Result<(), XlsxError> {
        let Some(rates) = &self.register.rates else { return Ok(()) };
        let money = self.styles.money(format, &rates.base);
        let sources = [("E", amounts.cost), ("G", amounts.accumulated), ("H", amounts.book_value)];
        for (column, (letter, amount)) in (PLAIN..).zip(sources) {
            match (rates.converted(amount, currency), rates::cell(rates, currency)) {
                (Some(result), Some(cell)) => {
                    let formula = format!("=ROUND({letter}{}*{cell},{})", row + 1, rates.base.digits);
                    sheet::formula(sheet, (row, column), &formula, result, &money)?;
                }
                _ => sheet::text(
                    sheet,
                    (row, column),
                    "no rate",
                    &format.clone().set_align(FormatAlign::Right).set_indent(0),
                )?,
            }
        }
        Ok(())
    }
}
