//! The sheet `Rates`: what converted totals were converted with.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::RegisterStyles;
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

pub(super) fn write(sheet: &mut Worksheet, rates: &Rates, styles: &RegisterStyles) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Rates", PageOrientation::Portrait)?;
    let base = &rates.base.code;
    let lead = format!("What one unit of a currency costs in {base}, as given. Converted totals follow a change here.");
    sheet::write_title(sheet, styles, "Rates of exchange", &lead)?;
    let titles = [
        ("Currency", HeaderAlign::Left, 14.0),
        ("Rate", HeaderAlign::Right, 16.0),
        ("In words", HeaderAlign::Left, 34.0),
    ];
    sheet::header(sheet, styles, HEAD, &titles)?;
    let rate_format: Format = styles.number.clone().set_num_format("0.########");
    for (row, (currency, rate)) in (HEAD + 1..).zip(all(rates)) {
        let code = &currency.code;
        sheet::text(sheet, (row, 0), code, &styles.cell)?;
        sheet::amount(sheet, (row, 1), rate, &rate_format)?;
        sheet::text(sheet, (row, 2), &format!("1 {code} = {rate} {base}"), &styles.cell)?;
    }
    Ok(())
}
