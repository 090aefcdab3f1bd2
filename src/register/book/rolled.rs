//! The sheets `Roll-forward` and `Movements`.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::live::{Calculates, Live, Where, name};
use super::paint::Looks;
use super::sheet::{self, Paper, Side};
use crate::register::columns::Of;
use crate::register::line::Standing;
use crate::register::roll::{Measure, Movement, Roll, RollGroup};
use crate::register::write::Register;

const HEAD: u32 = 3;
const TITLES: [(&str, Side, f64); 10] = [
    ("Category", Side::Left, 30.0),
    ("Currency", Side::Left, 10.0),
    ("Opening", Side::Right, 16.0),
    ("Additions", Side::Right, 15.0),
    ("Disposals", Side::Right, 15.0),
    ("Adjustments", Side::Right, 15.0),
    ("Depreciation", Side::Right, 15.0),
    ("Closing", Side::Right, 16.0),
    ("Per register", Side::Right, 16.0),
    ("Difference", Side::Right, 11.0),
];

pub(super) fn write(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    roll: &Roll,
    looks: &Looks,
    live: &Live,
) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Roll-forward", Paper::Landscape)?;
    let from = roll.from.map_or_else(|| String::from("an empty register"), |day| day.to_string());
    let lead = format!(
        "From {from} to {}. Opening + additions + disposals + adjustments + depreciation = closing, to the last digit.",
        register.options.as_of
    );
    sheet::entitle(sheet, looks, "Roll-forward", &lead)?;
    sheet::header(sheet, looks, HEAD, &TITLES)?;
    let table = Table { looks, calculates: live.with(3 * roll.groups.len()) };
    let mut row = HEAD + 1;
    for block in roll.groups.chunk_by(|one, other| one.currency == other.currency) {
        for measure in Measure::ALL {
            row = table.measure(sheet, row, block, measure)? + 1;
        }
    }
    if roll.groups.is_empty() {
        sheet::text(sheet, (row, 0), "nothing was held, and nothing is", &looks.cell)?;
    }
    Ok(())
}

struct Table<'a> {
    looks: &'a Looks,
    calculates: Calculates,
}

impl Table<'_> {
    /// One measure of one currency: a line for each category, and their sum. Gives the row below.
    fn measure(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        block: &[RollGroup],
        measure: Measure,
    ) -> Result<u32, XlsxError> {
        let looks = self.looks;
        let Some(currency) = block.first().map(|group| &group.currency) else { return Ok(row) };
        let title = format!("{}, {}", measure.title(), currency.code);
        sheet::section(sheet, looks, row, &title, TITLES.len() as u16 - 1)?;
        let first = row + 1;
        let mut row = first;
        for group in block {
            self.group(sheet, row, group, measure)?;
            row += 1;
        }
        sheet::text(sheet, (row, 0), &format!("Total {}", currency.code), &looks.total)?;
        sheet::text(sheet, (row, 1), &currency.code, &looks.total)?;
        let money = looks.money(&looks.total, currency);
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

    fn group(&self, sheet: &mut Worksheet, row: u32, group: &RollGroup, measure: Measure) -> Result<(), XlsxError> {
        let looks = self.looks;
        let money = looks.money(&looks.cell, &group.currency);
        sheet::text(sheet, (row, 0), &group.category, &looks.cell)?;
        sheet::text(sheet, (row, 1), &group.currency.code, &looks.cell)?;
        let movement: &Movement = &group.movements[measure as usize];
        let [movements @ .., closing] = movement.parts();
        for (column, part) in (2..).zip(movements) {
            sheet::amount(sheet, (row, column), part, &money)?;
        }
        let at = row + 1;
        // Sums of binary numbers are off in the last digit; the amounts are not.
        let digits = group.currency.digits.max(2) + 6;
        sheet::formula(sheet, (row, 7), &format!("=ROUND(SUM(C{at}:G{at}),{digits})"), closing, &money)?;
        let wanted = Where {
            equal: vec![
                (name(Of::Category), format!("$A{at}"), &group.category),
                (name(Of::Currency), format!("$B{at}"), &group.currency.code),
            ],
        };
        let of = match measure {
            Measure::Cost => Of::Cost,
            Measure::Accumulated => Of::Accumulated,
            Measure::BookValue => Of::BookValue,
        };
        match self.calculates {
            Calculates::Yes => {
                sheet::formula(sheet, (row, 8), &wanted.sum(of, Standing::Held), closing, &money)?;
            }
            Calculates::No => sheet::amount(sheet, (row, 8), closing, &money)?,
        }
        sheet::formula(sheet, (row, 9), &format!("=ROUND(H{at}-I{at},{digits})"), Decimal::ZERO, &money)
    }
}

const MOVED: [(&str, Side, f64); 10] = [
    ("What", Side::Left, 12.0),
    ("Kind", Side::Left, 9.0),
    ("Id", Side::Right, 9.0),
    ("Tag", Side::Left, 18.0),
    ("Name", Side::Left, 28.0),
    ("Category", Side::Left, 22.0),
    ("Currency", Side::Left, 10.0),
    ("Cost", Side::Right, 16.0),
    ("Accumulated depreciation", Side::Right, 16.0),
    ("Book value", Side::Right, 16.0),
];

/// The items behind additions, disposals and adjustments, with what each of them changed beside depreciation.
pub(super) fn write_movements(sheet: &mut Worksheet, roll: &Roll, looks: &Looks) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Movements", Paper::Landscape)?;
    let lead = "The items behind additions, disposals and adjustments: what each changed, beside depreciation.";
    sheet::entitle(sheet, looks, "Movements", lead)?;
    sheet.set_row_height(HEAD, 32)?;
    sheet::header(sheet, looks, HEAD, &MOVED)?;
    for (row, change) in (HEAD + 1..).zip(&roll.changes) {
        let money = looks.money(&looks.line, &change.currency);
        sheet::text(sheet, (row, 0), change.event.name(), &looks.line)?;
        sheet::text(sheet, (row, 1), change.kind.name(), &looks.line)?;
        sheet.write_number_with_format(row, 2, change.id as f64, &looks.line_number)?;
        for (column, text) in (3..).zip([&*change.tag, &*change.title, &*change.category, &*change.currency.code]) {
            sheet::text(sheet, (row, column), text, &looks.line)?;
        }
        for (column, movement) in (7..).zip(&change.movements) {
            let changed = movement.additions + movement.disposals + movement.adjustments;
            sheet::amount(sheet, (row, column), changed, &money)?;
        }
    }
    match roll.changes.len() as u32 {
        0 => sheet::text(sheet, (HEAD + 1, 0), "none", &looks.line),
        changes => sheet.autofilter(HEAD, 0, HEAD + changes, MOVED.len() as u16 - 1).map(drop),
    }
}
