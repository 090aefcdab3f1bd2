//! The sheet `Rates`: the exchange rates of converted totals.

use rust_decimal::Decimal;
use rust_xlsxwriter::Worksheet;

use super::page::{HEADER_ROW, Page, XlsxResult, left, right};
use crate::register::currency::Currency;
use crate::register::rates::Rates;
use crate::table::write::styles::PageStyles;

pub(super) const RATE_CODE: &str = "0.########";

pub(super) fn cell(rates: &Rates, currency: &Currency) -> Option<String> {
    let at = all(rates).iter().position(|(known, _)| known == currency)?;
    Some(format!("Rates!$B${}", HEADER_ROW as usize + at + 2))
}

/// The rates of the file, and 1 for the base currency if it is not in the file.
fn all(rates: &Rates) -> Vec<(Currency, Decimal)> {
    let mut all: Vec<_> = rates.rates.iter().map(|rate| (rate.currency.clone(), rate.rate)).collect();
    if !all.iter().any(|(currency, _)| *currency == rates.base) {
        all.insert(0, (rates.base.clone(), Decimal::ONE));
    }
    all
}

pub(super) fn write(sheet: &mut Worksheet, rates: &Rates, styles: &PageStyles) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Rates")?;
    let base = &rates.base.code;
    let lead = format!("What one unit of a currency costs in {base}, as given. Converted totals follow a change here.");
    page.title("Rates of exchange", &lead)?;
    page.header(HEADER_ROW, &[left("Currency", 14.0), right("Rate", 16.0), left("In words", 34.0)])?;
    let rate_format = styles.number.clone().set_num_format(RATE_CODE);
    for (row, (currency, rate)) in (HEADER_ROW + 1..).zip(all(rates)) {
        let code = &currency.code;
        page.text((row, 0), code, &styles.cell)?;
        page.amount((row, 1), rate, &rate_format)?;
        page.text((row, 2), &format!("1 {code} = {rate} {base}"), &styles.cell)?;
    }
    Ok(())
}
