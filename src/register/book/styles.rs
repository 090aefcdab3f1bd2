//! The colours and formats of the workbook.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

use crate::register::currency::Currency;
use crate::table::write::styles::{INK, PageStyles, PageTheme, SHADE, plain, right, underlined};

pub(super) const BLUE: Color = Color::RGB(0x002F_6690);
pub(super) const TEAL: Color = Color::RGB(0x0034_9B8C);
pub(super) const AMBER: Color = Color::RGB(0x00E0_9F3E);

pub(super) fn page_styles() -> PageStyles {
    let indented = |format: Format| format.set_align(FormatAlign::Left).set_indent(1);
    let head = plain().set_bold().set_font_color(Color::White).set_background_color(INK).set_text_wrap();
    let total = plain().set_bold().set_background_color(SHADE);
    let styles = PageStyles::new(PageTheme {
        head: indented(underlined(head, FormatBorder::Thin, INK)),
        cell: indented(underlined(plain(), FormatBorder::Thin, SHADE)),
        total: indented(total.set_border_top(FormatBorder::Thin).set_border_top_color(INK)),
        count_code: "#,##0",
    });
    PageStyles { wrapped: styles.wrapped.clone().set_align(FormatAlign::Top), ..styles }
}

/// `format` for integers without thousands separators, such as ids.
pub(super) fn integer(format: &Format) -> Format {
    right(format).set_num_format("0")
}

/// `format` with the decimal places of the currency, and a dash for zero.
pub(super) fn money(format: &Format, currency: &Currency) -> Format {
    let code = amount_code(currency);
    right(format).set_num_format(format!("{code};-{code};\"–\""))
}

/// In characters, what the code in front of an amount takes.
pub(super) const CODE: f64 = 4.5;

/// `format` with the decimal places of the currency and its code in front of the amount.
pub(super) fn money_with_code(format: &Format, currency: &Currency) -> Format {
    let is_code = currency.code.len() == 3 && currency.code.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_code {
        return money(format, currency);
    }
    let (code, amount) = (&currency.code, amount_code(currency));
    right(format).set_num_format(format!("[${code}] {amount};[${code}] -{amount}"))
}

fn amount_code(currency: &Currency) -> String {
    match currency.digits {
        0 => String::from("#,##0"),
        digits => format!("#,##0.{}", "0".repeat(digits as usize)),
    }
}

/// The binary number nearest to an amount, which is what a workbook stores.
pub(super) fn binary(amount: Decimal) -> f64 {
    // Parsing the digits gives the nearest number, which converting by division does not always do.
    let nearest: f64 = amount.to_string().parse().ok().or_else(|| amount.to_f64()).unwrap_or_default();
    // Turns a negative zero into a zero.
    nearest + 0.0
}
