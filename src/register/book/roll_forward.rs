//! The sheets `Roll-forward` and `Movements`.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::formulas::{self, LineFilter, name};
use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::RegisterStyles;
use crate::register::columns::ColumnSource;
use crate::register::line::ItemState;
use crate::register::roll_forward::{Measure, Movement, RollForward, RollForwardGroup};
use crate::register::write::Register;

const HEAD: u32 = 3;
const HEADERS: [(&str, HeaderAlign, f64); 10] = [
    ("Category", HeaderAlign::Left, 30.0),
    ("Currency", HeaderAlign::Left, 10.0),
    ("Opening", HeaderAlign::Right, 16.0),
    ("Additions", HeaderAlign::Right, 15.0),
    ("Disposals", HeaderAlign::Right, 15.0),
    ("Adjustments", HeaderAlign::Right, 15.0),
    ("Depreciation", HeaderAlign::Right, 15.0),
    ("Closing", HeaderAlign::Right, 16.0),
    ("Per register", HeaderAlign::Right, 16.0),
    ("Difference", HeaderAlign::Right, 11.0),
];

pub(super) fn write(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    roll: &RollForward,
    styles: &RegisterStyles,
) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Roll-forward", PageOrientation::Landscape)?;
    let from = roll.from.map_or_else(|| String::from("an empty register"), |day| day.to_string());
    let lead = format!(
        "From {from} to {}. Opening + additions + disposals + adjustments + depreciation = closing, to the last digit.",
        register.options.as_of
    );
    sheet::write_title(sheet, styles, "Roll-forward", &lead)?;
    sheet::header(sheet, styles, HEAD, &HEADERS)?;
    let table = Table { styles, use_formulas: formulas::are_affordable(3 * roll.groups.len(), register.lines.len()) };
    let mut row = HEAD + 1;
    for block in roll.groups.chunk_by(|one, other| one.currency == other.currency) {
        for measure in Measure::ALL {
            row = table.measure(sheet, row, block, measure)? + 1;
        }
    }
    if roll.groups.is_empty() {
        sheet::text(sheet, (row, 0), "nothing was held, and nothing is", &styles.cell)?;
    }
    Ok(())
}

struct Table<'a> {
    styles: &'a RegisterStyles,
    use_formulas: bool,
}

impl Table<'_> {
    /// One measure of one currency: a line for each category, and their sum. Gives the row below.
    fn measure(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        block: &[RollForwardGroup],
        measure: Measure,
    ) -> Result<u32, XlsxError> {
        let styles = self.styles;
        let Some(currency) = block.first().map(|group| &group.currency) else { return Ok(row) };
        let title = format!("{}, {}", measure.title(), currency.code);
        sheet::section(sheet, styles, row, &title, HEADERS.len() as u16 - 1)?;
        let first = row + 1;
        let mut row = first;
        for group in block {
            self.group(sheet, row, group, measure)?;
            row += 1;
        }
        sheet::text(sheet, (row, 0), &format!("Total {}", currency.code), &styles.total)?;
        sheet::text(sheet, (row, 1), &currency.code, &styles.total)?;
        let money = styles.money(&styles.total, currency);
        let mut sum = [Decimal::ZERO; 6];
        for group in block {
            let parts = group.movements[measure as usize].parts();
            sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        let last = sum[5];
        for (column, result) in (2u16..).zip(sum.into_iter().chain([last, Decimal::ZERO])) {
            let letter = char::from(b'A' + column as u8);
            let formula = format!("=SUM({letter}{}:{letter}{row})", first + 1);
            sheet::formula(sheet, (row, column), &formula, result, &money)?;
        }
        Ok(row + 1)
    }

    fn group(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        group: &RollForwardGroup,
        measure: Measure,
    ) -> Result<(), XlsxError> {
        let styles = self.styles;
        let money = styles.money(&styles.cell, &group.currency);
        sheet::text(sheet, (row, 0), &group.category, &styles.cell)?;
        sheet::text(sheet, (row, 1), &group.currency.code, &styles.cell)?;
        let movement: &Movement = &group.movements[measure as usize];
        let [movements @ .., closing] = movement.parts();
        for (column, part) in (2..).zip(movements) {
            sheet::amount(sheet, (row, column), part, &money)?;
        }
        let at = row + 1;
        // Sums of binary numbers are off in the last digit; the amounts are not.
        let digits = group.currency.digits.max(2) + 6;
        sheet::formula(sheet, (row, 7), &format!("=ROUND(SUM(C{at}:G{at}),{digits})"), closing, &money)?;
        let wanted = LineFilter {
            equal: vec![
                (name(ColumnSource::Category), format!("$A{at}"), &group.category),
                (name(ColumnSource::Currency), format!("$B{at}"), &group.currency.code),
            ],
        };
        let of = match measure {
            Measure::Cost => ColumnSource::Cost,
            Measure::Accumulated => ColumnSource::Accumulated,
            Measure::BookValue => ColumnSource::BookValue,
        };
        if self.use_formulas {
            sheet::formula(sheet, (row, 8), &wanted.sum(of, ItemState::Held), closing, &money)?;
        } else {
            sheet::amount(sheet, (row, 8), closing, &money)?;
        }
        sheet::formula(sheet, (row, 9), &format!("=ROUND(H{at}-I{at},{digits})"), Decimal::ZERO, &money)
    }
}

const MOVED: [(&str, HeaderAlign, f64); 10] = [
    ("What", HeaderAlign::Left, 12.0),
    ("Kind", HeaderAlign::Left, 9.0),
    ("Id", HeaderAlign::Right, 9.0),
    ("Tag", HeaderAlign::Left, 18.0),
    ("Name", HeaderAlign::Left, 28.0),
    ("Category", HeaderAlign::Left, 22.0),
    ("Currency", HeaderAlign::Left, 10.0),
    ("Cost", HeaderAlign::Right, 16.0),
    ("Accumulated depreciation", HeaderAlign::Right, 16.0),
    ("Book value", HeaderAlign::Right, 16.0),
];

/// The items behind additions, disposals and adjustments, with what each of them changed beside depreciation.
pub(super) fn write_movements(
    sheet: &mut Worksheet,
    roll: &RollForward,
    styles: &RegisterStyles,
) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Movements", PageOrientation::Landscape)?;
    let lead = "The items behind additions, disposals and adjustments: what each changed, beside depreciation.";
    sheet::write_title(sheet, styles, "Movements", lead)?;
    sheet.set_row_height(HEAD, 32)?;
    sheet::header(sheet, styles, HEAD, &MOVED)?;
    for (row, change) in (HEAD + 1..).zip(&roll.changes) {
        let money = styles.money(&styles.line, &change.currency);
        sheet::text(sheet, (row, 0), change.event.name(), &styles.line)?;
        sheet::text(sheet, (row, 1), change.kind.name(), &styles.line)?;
        sheet.write_number_with_format(row, 2, change.id as f64, &styles.line_number)?;
        for (column, text) in (3..).zip([&*change.tag, &*change.title, &*change.category, &*change.currency.code]) {
            sheet::text(sheet, (row, column), text, &styles.line)?;
        }
        for (column, movement) in (7..).zip(&change.movements) {
            let changed = movement.additions + movement.disposals + movement.adjustments;
            sheet::amount(sheet, (row, column), changed, &money)?;
        }
    }
    match roll.changes.len() as u32 {
        0 => sheet::text(sheet, (HEAD + 1, 0), "none", &styles.line),
        changes => sheet.autofilter(HEAD, 0, HEAD + changes, MOVED.len() as u16 - 1).map(drop),
    }
}
