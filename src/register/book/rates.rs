//! The sheet `Rates`: what converted totals were converted with.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::paint::Looks;
use super::sheet::{self, Paper, Side};
use crate::register::{Currency, Rates};

const HEAD: u32 = 3;

/// The cell of a currency's rate; none where there is none.
pub(super) fn cell(rates: &Rates, currency: &Currency) -> Option<String> {
    let at = all(rates).iter().position(|(known, _)| known == currency)?;
    Some(format!("Rates!$B${}", HEAD as usize + at + 2))
}

/// The rates of the file, and the base's own where the file has none.
fn all(rates: &Rates) -> Vec<(Currency, Decimal)> {
    let mut all: Vec<_> = rates.rates.iter().map(|rate| (rate.currency.clone(), rate.rate)).collect();
    if !all.iter().any(|(currency, _)| *currency == rates.base) {
        all.insert(0, (rates.base.clone(), Decimal::ONE));
    }
    all
}

pub(super) fn write(sheet: &mut Worksheet, rates: &Rates, looks: &Looks) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Rates", Paper::Portrait)?;
    let base = &rates.base.code;
    let lead = format!("What one unit of a currency costs in {base}, as given. Converted totals follow a change here.");
    sheet::entitle(sheet, looks, "Rates of exchange", &lead)?;
    let titles = [("Currency", Side::Left, 14.0), ("Rate", Side::Right, 16.0), ("In words", Side::Left, 34.0)];
    sheet::header(sheet, looks, HEAD, &titles)?;
    let rate_format: Format = looks.number.clone().set_num_format("0.########");
    for (row, (currency, rate)) in (HEAD + 1..).zip(all(rates)) {
        let code = &currency.code;
        sheet::text(sheet, (row, 0), code, &looks.cell)?;
        sheet::amount(sheet, (row, 1), rate, &rate_format)?;
        sheet::text(sheet, (row, 2), &format!("1 {code} = {rate} {base}"), &looks.cell)?;
    }
    Ok(())
}
