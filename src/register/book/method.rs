//! The sheet `Method`: how the figures come about, in words, and worked for a real line.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::sheet::{self, PageOrientation};
use super::styles::RegisterStyles;
use crate::register::line::{ItemState, RegisterLine};
use crate::register::write::Register;

const LAST: u16 = 2;
/// What the three columns hold in one line.
const CHARACTERS: usize = 122;

const DEPRECIATION: [&str; 5] = [
    "Straight line: the charge base, which is the cost less the depreciation's minimum value, is spread evenly over its months. Assets take the depreciation of their product, licenses their own.",
    "A month counts as elapsed on the purchase's day of the month, or on the last day of a shorter month: bought on 31 January, the first month is over on 28 or 29 February, the second on 31 March. What is bought on 1 January has eleven months behind it on 31 December and a full year on 1 January.",
    "Accumulated depreciation is charge base × elapsed months ÷ months, rounded half up to the currency's minor unit (two decimals for most, none for JPY, three for KWD). The total is rounded, not each month, so nothing drifts, and after the last month the book value is exactly the minimum value.",
    "Where the cost is below the minimum value there is nothing to charge, and the book value stays at the cost.",
    "Book value is cost less accumulated depreciation. In every table: cost − cost without book value − accumulated depreciation = book value.",
];

const COUNTED: [&str; 4] = [
    "Held is what counts in totals. An asset whose status is of the type archived is disposed of, and so is a license from its termination date on; the register keeps their lines, with the figures they would have (a license's up to its termination), and no total counts them. The service does not say when an asset was archived: a register of an earlier day has today's statuses.",
    "What was bought after the day of the register is listed as not yet bought, without figures.",
    "What cannot be computed, for want of a cost, a purchase date or a depreciation, has no accumulated depreciation and no book value, rather than zero. Its cost, where it has one, is counted as cost and as cost without book value. The sheet Exceptions has the reasons.",
    "A cost is in the currency of its record, else in that of its location; where neither says it, it is counted apart as unstated. Currencies are never added together.",
];

const CONVERSION: [&str; 1] = [
    "Converted totals are the totals of each currency × its rate on the sheet Rates, rounded half up to the base currency's minor unit. They follow a change of the rates.",
];

const ROLLED: [&str; 4] = [
    "The roll-forward compares this register with an earlier one, item by item, by kind and id. Additions are held now and were not before, with their cost; disposals were held and no longer are, or are no longer in the account, with the amounts of the opening and no charge for the time since.",
    "Depreciation is what the present schedule charges from the day of the opening to that of the closing.",
    "Adjustments are the rest: a changed cost, schedule or purchase date, a move to another category or currency, and what had already been charged by the opening on something that was entered late.",
    "It was checked: openings against the earlier register, closings against this one, and the book value against cost less accumulated depreciation for every item.",
];

const SHEETS: [&str; 2] = [
    "Numbers outside the sheet Register are live formulas over its columns, which are named Reg_Cost, Reg_Currency and so on. Where groups and items are so many that a workbook would take minutes to calculate, a sheet of groups has plain numbers.",
    "On paper the register shows the columns up to the book value; those beyond are on the screen.",
];

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &RegisterStyles) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Method", PageOrientation::Portrait)?;
    sheet.set_column_width(0, 34)?.set_column_width(1, 22)?.set_column_width(2, 54)?;
    sheet::write_title(sheet, styles, "Method", "How the figures of this workbook come about")?;
    let mut row = 3;
    row = paragraphs(sheet, styles, row, "Depreciation", &DEPRECIATION)?;
    if let Some(line) = example(register) {
        row = worked(sheet, register, styles, row, line)?;
    }
    row = paragraphs(sheet, styles, row, "What counts", &COUNTED)?;
    if register.rates.is_some() {
        row = paragraphs(sheet, styles, row, "Conversion", &CONVERSION)?;
    }
    if register.roll.is_some() {
        row = paragraphs(sheet, styles, row, "Roll-forward", &ROLLED)?;
    }
    paragraphs(sheet, styles, row, "This workbook", &SHEETS).map(drop)
}

fn paragraphs(
    sheet: &mut Worksheet,
    styles: &RegisterStyles,
    mut row: u32,
    title: &str,
    texts: &[&str],
) -> Result<u32, XlsxError> {
    sheet::section(sheet, styles, row, title, LAST)?;
    for text in texts {
        row += 1;
        sheet::paragraph(sheet, row, LAST, text, CHARACTERS, &styles.wrapped)?;
    }
    Ok(row + 2)
}

/// The line to work out: held, and in the middle of its months where there is one.
fn example<'a>(register: &'a Register<'_>) -> Option<&'a RegisterLine> {
    let held = || register.lines.iter().filter(|line| line.state == ItemState::Held && line.figures.is_some());
    let is_under_way = |line: &&RegisterLine| {
        line.is_fully_depreciated() == Some(false) && line.figures.as_ref().is_some_and(|figures| figures.elapsed > 0)
    };
    held().find(is_under_way).or_else(|| held().next())
}

/// A line of the register, worked out with formulas that anybody can follow.
fn worked(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    row: u32,
    line: &RegisterLine,
) -> Result<u32, XlsxError> {
    let item = &line.item;
    let (Ok(cost), Ok(purchase_date), Ok(schedule), Some(figures)) =
        (&item.cost, &item.purchase_date, &item.schedule, &line.figures)
    else {
        return Ok(row);
    };
    let title = format!("Worked example: {} {}, {}", item.kind.name(), item.tag, item.title);
    sheet::section(sheet, styles, row, &title, LAST)?;
    let money = styles.money_with_code(&styles.cell, &item.currency);
    let date = styles.date.clone().set_align(rust_xlsxwriter::FormatAlign::Right).set_indent(0);
    let at = |offset: u32| format!("B{}", row + 1 + offset);
    let (b_cost, b_minimum, b_months, b_purchased) = (at(1), at(2), at(3), at(4));
    let (b_day, b_elapsed, b_base, b_accumulated) = (at(5), at(6), at(7), at(8));
    let label = |sheet: &mut Worksheet, offset: u32, label: &str, how: &str| {
        sheet::text(sheet, (row + offset, 0), label, &styles.cell)?;
        sheet::text(sheet, (row + offset, 2), how, &styles.cell)
    };
    label(sheet, 1, "Cost", "")?;
    sheet::amount(sheet, (row + 1, 1), *cost, &money)?;
    label(sheet, 2, "Minimum value", &format!("of the depreciation {}", schedule.name))?;
    sheet::amount(sheet, (row + 2, 1), schedule.minimum, &money)?;
    label(sheet, 3, "Months", "of the same")?;
    sheet::amount(sheet, (row + 3, 1), Decimal::from(schedule.months), &styles.number)?;
    label(sheet, 4, "Purchased", "")?;
    sheet::day(sheet, (row + 4, 1), *purchase_date, &date)?;
    label(sheet, 5, "As of the end of", "")?;
    sheet::formula(sheet, (row + 5, 1), "=As_of", serial(register), &date)?;
    label(sheet, 6, "Months elapsed", "whole months from the one to the other, at most all")?;
    let elapsed = format!(
        "=MAX(0,MIN({b_months},(YEAR({b_day})-YEAR({b_purchased}))*12+MONTH({b_day})-MONTH({b_purchased})-IF(DAY({b_day})<MIN(DAY({b_purchased}),DAY(EOMONTH({b_day},0))),1,0)))"
    );
    sheet::formula(sheet, (row + 6, 1), &elapsed, Decimal::from(figures.elapsed), &styles.number)?;
    label(sheet, 7, "Charge base", "cost − minimum value")?;
    let base = super::super::depreciation::charge_base(*cost, schedule);
    sheet::formula(sheet, (row + 7, 1), &format!("=MAX({b_cost}-{b_minimum},0)"), base, &money)?;
    label(sheet, 8, "Accumulated depreciation", "charge base × months elapsed ÷ months, rounded half up")?;
    let digits = item.currency.digits;
    let accumulated = format!("=ROUND({b_base}*{b_elapsed}/{b_months},{digits})");
    sheet::formula(sheet, (row + 8, 1), &accumulated, figures.accumulated, &money)?;
    label(sheet, 9, "Book value", "cost − accumulated depreciation")?;
    sheet::formula(sheet, (row + 9, 1), &format!("={b_cost}-{b_accumulated}"), figures.book_value, &money)?;
    Ok(row + 11)
}

/// The register's day as Excel counts days.
fn serial(register: &Register<'_>) -> Decimal {
    let start = jiff::civil::date(1899, 12, 30);
    Decimal::from(register.options.as_of.since(start).map(|span| span.get_days()).unwrap_or_default())
}
