//! The sheets `Roll-forward` and `Movements`.

use rust_decimal::Decimal;
use rust_xlsxwriter::Worksheet;

use super::amounts::letters;
use super::formulas::{self, LineFilter};
use super::page::{HEADER_ROW, Header, ListCell, ListColumn, Page, TWO_LINES, XlsxResult, left, right};
use super::styles::money;
use crate::register::columns::ColumnSource;
use crate::register::content::Register;
use crate::register::line::ItemState;
use crate::register::roll_forward::{ItemChange, MEASURES, RollForward, RollForwardGroup};
use crate::register::totals::name_or_none;
use crate::table::write::styles::PageStyles;

const HEADERS: [Header; 10] = [
    left("Category", 30.0),
    left("Currency", 10.0),
    right("Opening", 16.0),
    right("Additions", 15.0),
    right("Disposals", 15.0),
    right("Adjustments", 15.0),
    right("Depreciation", 15.0),
    right("Closing", 16.0),
    right("Per register", 16.0),
    right("Difference", 11.0),
];

pub(super) fn write(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    roll: &RollForward,
    styles: &PageStyles,
) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Roll-forward")?;
    page.sheet.set_landscape();
    let from = roll.from.map_or_else(|| String::from("an empty register"), |day| day.to_string());
    let lead = format!(
        "From {from} to {}. Opening + additions + disposals + adjustments + depreciation = closing, to the last digit.",
        register.options.as_of
    );
    page.title("Roll-forward", &lead)?;
    page.header(HEADER_ROW, &HEADERS)?;
    let use_formulas = formulas::are_affordable(3 * roll.groups.len(), register.lines.len());
    let mut table = MeasureTable { page, use_formulas, row: HEADER_ROW + 1 };
    for block in roll.groups.chunk_by(|one, other| one.currency == other.currency) {
        for measure in 0..MEASURES.len() {
            table.measure(block, measure)?;
        }
    }
    if roll.groups.is_empty() {
        table.page.text((table.row, 0), "nothing was held, and nothing is", &styles.cell)?;
    }
    Ok(())
}

struct MeasureTable<'a> {
    page: Page<'a>,
    use_formulas: bool,
    /// The next row.
    row: u32,
}

impl MeasureTable<'_> {
    /// Writes one of [`MEASURES`] of the groups of one currency, and its total.
    fn measure(&mut self, block: &[RollForwardGroup], measure: usize) -> XlsxResult {
        let Some(currency) = block.first().map(|group| &group.currency) else { return Ok(()) };
        let title = format!("{}, {}", MEASURES[measure].column().title, currency.code);
        self.page.section(self.row, &title, HEADERS.len() as u16 - 1)?;
        let first = self.row + 1;
        for group in block {
            self.row += 1;
            self.group(group, measure)?;
        }
        self.row += 1;
        let (row, styles) = (self.row, self.page.styles);
        self.page.text((row, 0), &format!("Total {}", currency.code), &styles.total)?;
        self.page.text((row, 1), &currency.code, &styles.total)?;
        let money = money(&styles.total, currency);
        let sum = |index| block.iter().map(|group| group.movements[measure].parts()[index]).sum::<Decimal>();
        let sums = [0, 1, 2, 3, 4, 5, 5].map(sum);
        for (column, result) in (2..).zip(sums.into_iter().chain([Decimal::ZERO])) {
            let formula = format!("=SUM({0}{1}:{0}{row})", letters(column), first + 1);
            self.page.make_room(column, result, currency)?;
            self.page.formula((row, column), &formula, result, &money)?;
        }
        self.row += 2;
        Ok(())
    }

    fn group(&mut self, group: &RollForwardGroup, measure: usize) -> XlsxResult {
        let (row, number, styles) = (self.row, self.row + 1, self.page.styles);
        let money = money(&styles.cell, &group.currency);
        self.page.text((row, 0), &group.category, &styles.cell)?;
        self.page.text((row, 1), &group.currency.code, &styles.cell)?;
        let [movements @ .., closing] = group.movements[measure].parts();
        for (column, part) in (2..).zip(movements) {
            self.page.make_room(column, part, &group.currency)?;
            self.page.amount((row, column), part, &money)?;
        }
        (7..=8).try_for_each(|column| self.page.make_room(column, closing, &group.currency))?;
        // Sums of binary numbers differ from the amounts in the last digit.
        let digits = group.currency.digits.max(2) + 6;
        self.page.formula((row, 7), &format!("=ROUND(SUM(C{number}:G{number}),{digits})"), closing, &money)?;
        if self.use_formulas {
            let filter = LineFilter::new(ItemState::Held)
                .equal(ColumnSource::Category, format!("$A{number}"), &group.category)
                .equal(ColumnSource::Currency, format!("$B{number}"), &group.currency.code);
            self.page.formula((row, 8), &filter.sum(MEASURES[measure]), closing, &money)?;
        } else {
            self.page.amount((row, 8), closing, &money)?;
        }
        self.page.formula((row, 9), &format!("=ROUND(H{number}-I{number},{digits})"), Decimal::ZERO, &money)
    }
}

fn movement_columns<'a>() -> [ListColumn<&'a ItemChange>; 10] {
    [
        left("What", 12.0).of(|change| change.event.name().into()),
        left("Kind", 9.0).of(|change| change.entry.kind.name().into()),
        right("Id", 9.0).of(|change| ListCell::Integer(change.entry.id)),
        left("Tag", 18.0).of(|change| change.entry.tag.as_str().into()),
        left("Name", 28.0).of(|change| change.entry.title.as_str().into()),
        left("Category", 22.0).of(|change| name_or_none(&change.entry.category).into()),
        left("Currency", 10.0).of(|change| (*change.entry.currency.code).into()),
        right("Cost", 16.0).of(|change| changed(change, 0)),
        right("Accumulated depreciation", 16.0).of(|change| changed(change, 1)),
        right("Book value", 16.0).of(|change| changed(change, 2)),
    ]
}

/// What an item changed one of [`MEASURES`] by, apart from depreciation.
fn changed(change: &ItemChange, measure: usize) -> ListCell<'_> {
    let movement = &change.movements[measure];
    ListCell::Amount(movement.additions + movement.disposals + movement.adjustments, &change.entry.currency)
}

/// Writes the items behind additions, disposals and adjustments, with what each of them changed apart from depreciation.
pub(super) fn write_movements(sheet: &mut Worksheet, roll: &RollForward, styles: &PageStyles) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Movements")?;
    page.sheet.set_landscape();
    let lead = "The items behind additions, disposals and adjustments: what each changed, beside depreciation.";
    page.title("Movements", lead)?;
    page.sheet.set_row_height(HEADER_ROW, TWO_LINES)?;
    page.list(&movement_columns(), &roll.changes, "none")
}
