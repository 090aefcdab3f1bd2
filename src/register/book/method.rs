//! The sheet `Method`: how the figures come about, in words, and worked for a real line.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, Worksheet};

use super::page::{Page, XlsxResult, amount_width};
use super::styles::{CODE, money_with_code};
use crate::register::content::Register;
use crate::register::depreciation::charge_base;
use crate::register::line::{ItemState, RegisterLine};
use crate::table::write::styles::{PageStyles, right};

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

const ROLLED: [&str; 5] = [
    "The roll-forward compares this register with an earlier one, item by item, by kind and id. Additions are held now and were not before, with their cost; disposals were held and no longer are, or are no longer in the account, with the amounts of the opening and no charge for the time since: the service does not say when an asset was archived. An asset that was bought and archived in between is in no column.",
    "The day on which a license ends is known. One that ended in between is depreciated up to that day and disposed of with the amounts it then had, those of its line; if it was not held at the opening, its cost is an addition as well.",
    "Depreciation is what the present schedule charges from the day of the opening to that of the closing, or to that on which a license ended.",
    "Adjustments are the rest: a changed cost, schedule or purchase date, a move to another category or currency, and what had already been charged by the opening on something that was entered late.",
    "It was checked: openings against the earlier register, closings against this one, and the book value against cost less accumulated depreciation for every item.",
];

const SHEETS: [&str; 2] = [
    "Numbers outside the sheet Register are live formulas over its columns, which are named Reg_Cost, Reg_Currency and so on. Where groups and items are so many that a workbook would take minutes to calculate, a sheet of groups has plain numbers.",
    "On paper the register shows the columns up to the book value; those beyond are on the screen.",
];

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &PageStyles) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Method")?;
    for (column, width) in (0..).zip([34.0, 22.0, 54.0]) {
        page.set_width(column, width)?;
    }
    page.title("Method", "How the figures of this workbook come about")?;
    let mut row = 3;
    paragraphs(&mut page, &mut row, "Depreciation", &DEPRECIATION)?;
    if let Some(line) = example(register) {
        write_example(&mut page, &mut row, register, line)?;
    }
    paragraphs(&mut page, &mut row, "What counts", &COUNTED)?;
    if register.rates.is_some() {
        paragraphs(&mut page, &mut row, "Conversion", &CONVERSION)?;
    }
    if register.roll.is_some() {
        paragraphs(&mut page, &mut row, "Roll-forward", &ROLLED)?;
    }
    paragraphs(&mut page, &mut row, "This workbook", &SHEETS)
}

fn paragraphs(page: &mut Page<'_>, row: &mut u32, title: &str, texts: &[&str]) -> XlsxResult {
    page.section(*row, title, LAST)?;
    for text in texts {
        *row += 1;
        page.paragraph(*row, LAST, text, CHARACTERS)?;
    }
    *row += 2;
    Ok(())
}

/// The line for the example: a held one, partly depreciated if possible.
fn example<'a>(register: &'a Register<'_>) -> Option<&'a RegisterLine> {
    let held = || register.lines.iter().filter(|line| line.state == ItemState::Held && line.figures.is_some());
    let is_partly_depreciated = |line: &&RegisterLine| {
        line.is_fully_depreciated() == Some(false) && line.figures.as_ref().is_some_and(|figures| figures.elapsed > 0)
    };
    held().find(is_partly_depreciated).or_else(|| held().next())
}

enum ExampleValue {
    Amount(Decimal),
    Date(jiff::civil::Date),
    Formula(String, Decimal),
}

/// Writes a line of the register, computed step by step with formulas.
fn write_example(page: &mut Page<'_>, row: &mut u32, register: &Register<'_>, line: &RegisterLine) -> XlsxResult {
    use ExampleValue::{Amount, Date, Formula};
    let item = &line.item;
    let (Ok(cost), Ok(purchased), Ok(schedule), Some(figures)) =
        (&item.cost, &item.purchase_date, &item.schedule, &line.figures)
    else {
        return Ok(());
    };
    let styles = page.styles;
    let title = format!("Worked example: {} {}, {}", item.kind.name(), item.tag, item.title);
    page.section(*row, &title, LAST)?;
    page.set_width(1, f64::max(22.0, amount_width(*cost, &item.currency) + CODE))?;
    let (money, date) = (money_with_code(&styles.cell, &item.currency), right(&styles.date));
    let cell = |step: u32| format!("B{}", *row + 1 + step);
    let [c_cost, c_minimum, c_months, c_purchased] = [1, 2, 3, 4].map(cell);
    let [c_day, c_elapsed, c_base, c_accumulated] = [5, 6, 7, 8].map(cell);
    let elapsed = format!(
        "=MAX(0,MIN({c_months},(YEAR({c_day})-YEAR({c_purchased}))*12+MONTH({c_day})-MONTH({c_purchased})\
         -IF(DAY({c_day})<MIN(DAY({c_purchased}),DAY(EOMONTH({c_day},0))),1,0)))"
    );
    let accumulated = format!("=ROUND({c_base}*{c_elapsed}/{c_months},{})", item.currency.digits);
    let steps: [(&str, ExampleValue, &Format, String); 9] = [
        ("Cost", Amount(*cost), &money, String::new()),
        ("Minimum value", Amount(schedule.minimum), &money, format!("of the depreciation {}", schedule.name)),
        ("Months", Amount(Decimal::from(schedule.months)), &styles.number, "of the same".into()),
        ("Purchased", Date(*purchased), &date, String::new()),
        ("As of the end of", Formula("=As_of".into(), serial_number(register)), &date, String::new()),
        (
            "Months elapsed",
            Formula(elapsed, Decimal::from(figures.elapsed)),
            &styles.number,
            "whole months from the one to the other, at most all".into(),
        ),
        (
            "Charge base",
            Formula(format!("=MAX({c_cost}-{c_minimum},0)"), charge_base(*cost, schedule)),
            &money,
            "cost − minimum value".into(),
        ),
        (
            "Accumulated depreciation",
            Formula(accumulated, figures.accumulated),
            &money,
            "charge base × months elapsed ÷ months, rounded half up".into(),
        ),
        (
            "Book value",
            Formula(format!("={c_cost}-{c_accumulated}"), figures.book_value),
            &money,
            "cost − accumulated depreciation".into(),
        ),
    ];
    for (label, value, format, explanation) in steps {
        *row += 1;
        page.text((*row, 0), label, &styles.cell)?;
        match value {
            Amount(amount) => page.amount((*row, 1), amount, format)?,
            Date(date) => page.date((*row, 1), date, format)?,
            Formula(formula, result) => page.formula((*row, 1), &formula, result, format)?,
        }
        page.text((*row, 2), &explanation, &styles.cell)?;
    }
    *row += 2;
    Ok(())
}

/// The as-of date as an Excel serial number.
fn serial_number(register: &Register<'_>) -> Decimal {
    let start = jiff::civil::date(1899, 12, 30);
    Decimal::from(register.options.as_of.since(start).map(|span| span.get_days()).unwrap_or_default())
}
