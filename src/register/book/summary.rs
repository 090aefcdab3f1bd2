//! The sheet `Summary`: the day, the counts, the totals of each currency.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Url, Worksheet, XlsxError};

use super::formulas::{LineFilter, name};
use super::rates;
use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::RegisterStyles;
use crate::register::columns::ColumnSource;
use crate::register::line::ItemState;
use crate::register::totals::{Amounts, CurrencyTotal};
use crate::register::write::Register;

/// The cell of the day, `B3`, is named `As_of`.
const AS_OF_ROW: u32 = 2;
const COUNTS_ROW: u32 = 7;
/// Columns of a table of totals, without and with converted ones.
const PLAIN: u16 = 7;
const CONVERTED: u16 = 4;

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &RegisterStyles) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Summary", PageOrientation::Landscape)?;
    sheet.set_column_width(0, 30)?;
    sheet.set_column_range_width(1, 2, 13)?;
    sheet.set_column_range_width(3, PLAIN + CONVERTED - 1, 17)?;
    front(sheet, register, styles)?;
    counts(sheet, register, styles)?;
    let mut row = totals(sheet, register, styles, COUNTS_ROW + 6, ItemState::Held)?;
    if register.totals.iter().any(|total| total.disposed.items > 0) {
        row = totals(sheet, register, styles, row + 1, ItemState::Disposed)?;
    }
    row = warnings(sheet, register, styles, row + 1)?;
    contents(sheet, register, styles, row + 1)
}

fn front(sheet: &mut Worksheet, register: &Register<'_>, styles: &RegisterStyles) -> Result<(), XlsxError> {
    let options = register.options;
    let account = &options.account;
    sheet::write_title(sheet, styles, "Fixed-asset register", "Cost, straight-line depreciation and book value")?;
    let strong = styles.plain.clone().set_bold().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left);
    sheet::text(sheet, (AS_OF_ROW, 0), "As of the end of", &styles.label)?;
    sheet::day(sheet, (AS_OF_ROW, 1), options.as_of, &strong)?;
    let tenant = account.tenant.as_ref().map(|tenant| format!(", tenant {tenant}")).unwrap_or_default();
    let made = options.generated_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    for (row, (label, text)) in
        (AS_OF_ROW + 1..).zip([("Account", format!("{}{tenant}", account.base_url)), ("Written", made)])
    {
        sheet::text(sheet, (row, 0), label, &styles.label)?;
        sheet::text(sheet, (row, 1), &text, &styles.plain)?;
    }
    Ok(())
}

/// The counts in two columns of labels and numbers.
fn counts(sheet: &mut Worksheet, register: &Register<'_>, styles: &RegisterStyles) -> Result<(), XlsxError> {
    let counts = &register.counts;
    sheet::section(sheet, styles, COUNTS_ROW - 1, "Items", last_column(register))?;
    let (kind, state, value) = (name(ColumnSource::Kind), name(ColumnSource::State), name(ColumnSource::BookValue));
    let of = |state: ItemState| LineFilter::default().count(state);
    let left = [
        ("In the books (held)", of(ItemState::Held), counts.held),
        ("Disposed of", of(ItemState::Disposed), counts.disposed),
        ("Not yet bought on that day", of(ItemState::NotYetBought), counts.not_yet_bought),
        ("All lines of the register", format!("=COUNTA({kind})"), counts.items),
    ];
    let fully = format!("=COUNTIFS({state},\"held\",Reg_Fully,\"yes\")");
    let open = format!("=COUNTIFS({state},\"held\",{value},\"=\")");
    let right = [
        ("Held and fully depreciated", fully, counts.fully_depreciated),
        ("Held without a book value (see Exceptions)", open, counts.uncomputed),
        ("Assets", format!("=COUNTIFS({kind},\"asset\")"), counts.assets),
        ("Licenses", format!("=COUNTIFS({kind},\"license\")"), counts.licenses),
    ];
    for (column, lines) in [(0, left), (3, right)] {
        let value_column = if column == 0 { 1 } else { 6 };
        for (row, (label, formula, count)) in (COUNTS_ROW..).zip(lines) {
            sheet::text(sheet, (row, column), label, &styles.plain)?;
            sheet::formula(sheet, (row, value_column), &formula, Decimal::from(count), &styles.count)?;
        }
    }
    Ok(())
}

pub(super) fn last_column(register: &Register<'_>) -> u16 {
    if register.rates.is_some() { PLAIN + CONVERTED - 1 } else { PLAIN - 1 }
}

/// The headers of a table of totals.
pub(super) fn headers(register: &Register<'_>, first: &str) -> Vec<(String, HeaderAlign)> {
    let mut headers: Vec<(String, HeaderAlign)> = [
        (first, HeaderAlign::Left),
        ("Items", HeaderAlign::Right),
        ("Without book value", HeaderAlign::Right),
        ("Cost", HeaderAlign::Right),
        ("Cost without book value", HeaderAlign::Right),
        ("Accumulated depreciation", HeaderAlign::Right),
        ("Book value", HeaderAlign::Right),
    ]
    .map(|(title, side)| (title.to_owned(), side))
    .into();
    if let Some(rates) = &register.rates {
        let base = &rates.base.code;
        headers.push((format!("Rate to {base}"), HeaderAlign::Right));
        headers.extend(
            ["Cost", "Accum. depr.", "Book value"].map(|what| (format!("{what} in {base}"), HeaderAlign::Right)),
        );
    }
    headers
}

fn totals(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    mut row: u32,
    state: ItemState,
) -> Result<u32, XlsxError> {
    let (title, of): (_, fn(&CurrencyTotal) -> &Amounts) = match state {
        ItemState::Held => ("Totals of what is held, by currency", |total| &total.held),
        _ => ("Disposed of, as if still held: in no other total", |total| &total.disposed),
    };
    sheet::section(sheet, styles, row, title, last_column(register))?;
    row += 1;
    sheet.set_row_height(row, 32)?;
    for (column, (title, side)) in (0..).zip(headers(register, "Currency")) {
        sheet::heading(sheet, styles, (row, column), &title, side)?;
    }
    row += 1;
    let first = row;
    for total in register.totals.iter().filter(|total| of(total).items > 0) {
        sheet::text(sheet, (row, 0), &total.currency.code, &styles.cell)?;
        let equal = vec![(name(ColumnSource::Currency), format!("$A{}", row + 1), &*total.currency.code)];
        amounts(sheet, styles, row, &LineFilter { equal }, state, total, of(total))?;
        converted(sheet, register, styles, row, total, of(total), &styles.cell)?;
        row += 1;
    }
    if row == first {
        sheet::text(sheet, (row, 0), "nothing", &styles.cell)?;
        return Ok(row + 1);
    }
    grand_total(sheet, register, styles, (first, row), of)
}

/// The seven columns of a line of totals but the first.
fn amounts(
    sheet: &mut Worksheet,
    styles: &RegisterStyles,
    row: u32,
    wanted: &LineFilter<'_>,
    state: ItemState,
    total: &CurrencyTotal,
    amounts: &Amounts,
) -> Result<(), XlsxError> {
    let money = styles.money(&styles.cell, &total.currency);
    let counts = [(wanted.count(state), amounts.items), (wanted.count_uncomputed(state), amounts.uncomputed_items)];
    for (column, (formula, count)) in (1..).zip(counts) {
        sheet::formula(sheet, (row, column), &formula, Decimal::from(count), &styles.number)?;
    }
    let sums = [
        (wanted.sum(ColumnSource::Cost, state), amounts.cost),
        (wanted.sum_uncomputed(state), amounts.uncomputed_cost),
        (wanted.sum(ColumnSource::Accumulated, state), amounts.accumulated),
        (wanted.sum(ColumnSource::BookValue, state), amounts.book_value),
    ];
    for (column, (formula, sum)) in (3..).zip(sums) {
        sheet::formula(sheet, (row, column), &formula, sum, &money)?;
    }
    Ok(())
}

fn converted(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    row: u32,
    total: &CurrencyTotal,
    amounts: &Amounts,
    format: &Format,
) -> Result<(), XlsxError> {
    let Some(rates) = &register.rates else { return Ok(()) };
    let right = format.clone().set_align(FormatAlign::Right).set_indent(0);
    let (Some(rate), Some(cell)) = (rates.rate(&total.currency), rates::cell(rates, &total.currency)) else {
        return (PLAIN..PLAIN + CONVERTED).try_for_each(|column| sheet::text(sheet, (row, column), "no rate", &right));
    };
    sheet::formula(sheet, (row, PLAIN), &format!("={cell}"), rate, &right.set_num_format("0.########"))?;
    let money = styles.money(format, &rates.base);
    for (at, (source, amount)) in
        (1..).zip([("D", amounts.cost), ("F", amounts.accumulated), ("G", amounts.book_value)])
    {
        let formula = format!("=ROUND({source}{}*{cell},{})", row + 1, rates.base.digits);
        let result = rates.converted(amount, &total.currency).unwrap_or_default();
        sheet::formula(sheet, (row, PLAIN + at), &formula, result, &money)?;
    }
    Ok(())
}

/// The one line that sums over currencies: of converted amounts.
fn grand_total(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    (first, row): (u32, u32),
    of: fn(&CurrencyTotal) -> &Amounts,
) -> Result<u32, XlsxError> {
    let Some(rates) = &register.rates else { return Ok(row) };
    let held = || register.totals.iter().filter(|total| of(total).items > 0);
    let without: Vec<&str> =
        held().filter(|total| rates.rate(&total.currency).is_none()).map(|total| &*total.currency.code).collect();
    let label = match without.as_slice() {
        [] => format!("Total in {}", rates.base.code),
        codes => format!("Total in {}, without {}", rates.base.code, codes.join(", ")),
    };
    (1..PLAIN + 1).try_for_each(|column| sheet.write_blank(row, column, &styles.total).map(drop))?;
    sheet::text(sheet, (row, 0), &label, &styles.total)?;
    let money = styles.money(&styles.total, &rates.base);
    let parts: [fn(&Amounts) -> Decimal; 3] =
        [|amounts| amounts.cost, |amounts| amounts.accumulated, |amounts| amounts.book_value];
    for ((column, letter), part) in (PLAIN + 1..).zip(["I", "J", "K"]).zip(parts) {
        let sum = held().filter_map(|total| rates.converted(part(of(total)), &total.currency)).sum();
        sheet::formula(sheet, (row, column), &format!("=SUM({letter}{}:{letter}{row})", first + 1), sum, &money)?;
    }
    Ok(row + 1)
}

fn warnings(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    mut row: u32,
) -> Result<u32, XlsxError> {
    let warnings = register.warnings();
    if warnings.is_empty() {
        return Ok(row);
    }
    sheet::section(sheet, styles, row, "To look at", last_column(register))?;
    for warning in warnings {
        row += 1;
        sheet::text(sheet, (row, 0), &warning.to_string(), &styles.plain)?;
    }
    Ok(row + 1)
}

fn contents(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    mut row: u32,
) -> Result<(), XlsxError> {
    sheet::section(sheet, styles, row, "In this workbook", last_column(register))?;
    let roll_forward = register.roll.is_some().then_some([
        ("Roll-forward", "opening, additions, disposals, adjustments, depreciation, closing"),
        ("Movements", "the items behind additions, disposals and adjustments"),
    ]);
    let rates = register.rates.is_some().then_some(("Rates", "what converted totals were converted with"));
    let groups = [
        ("By category", "totals by category and currency"),
        ("By department", "totals by department and currency"),
        ("By location", "totals by location and currency"),
        ("By status", "totals by status and currency"),
        ("Charts", "book value by category, spend by month, what runs out"),
        ("Running out", "warranties and licenses that end in the next twelve months"),
        ("Register", "a line per item: what every formula here counts"),
    ];
    let rest = [("Exceptions", "what could not be computed, and why"), ("Method", "how the figures come about")];
    let all =
        groups.into_iter().chain(roll_forward.into_iter().flatten()).chain([rest[0]]).chain(rates).chain([rest[1]]);
    let link_format = styles.link.clone().set_border_bottom(FormatBorder::None);
    for (target, what) in all {
        row += 1;
        let url = Url::new(format!("internal:'{target}'!A1")).set_text(target);
        sheet.write_url_with_format(row, 0, url, &link_format)?;
        sheet::text(sheet, (row, 1), what, &styles.label)?;
    }
    Ok(())
}
