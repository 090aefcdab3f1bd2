//! How the workbook looks: one place for its colours and formats.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, FormatUnderline};

use crate::register::Currency;

pub(super) const INK: Color = Color::RGB(0x001F_3044);
pub(super) const FAINT: Color = Color::RGB(0x006B_7785);
pub(super) const LINE: Color = Color::RGB(0x00D0_D7DE);
pub(super) const SHADE: Color = Color::RGB(0x00EE_F2F6);
pub(super) const BLUE: Color = Color::RGB(0x002F_6690);
pub(super) const TEAL: Color = Color::RGB(0x0034_9B8C);
pub(super) const AMBER: Color = Color::RGB(0x00E0_9F3E);
const LINK: Color = Color::RGB(0x0005_63C1);

/// The formats of the workbook's cells.
#[derive(Debug)]
pub(super) struct RegisterStyles {
    pub(super) title: Format,
    pub(super) lead: Format,
    pub(super) section: Format,
    pub(super) label: Format,
    pub(super) head: Format,
    pub(super) head_right: Format,
    pub(super) cell: Format,
    pub(super) wrapped: Format,
    pub(super) number: Format,
    pub(super) percent: Format,
    pub(super) date: Format,
    pub(super) link: Format,
    pub(super) total: Format,
    pub(super) total_number: Format,
    pub(super) total_percent: Format,
    pub(super) count: Format,
    pub(super) plain: Format,
    /// Of lists.
    pub(super) line: Format,
    pub(super) line_number: Format,
    pub(super) line_date: Format,
}

impl RegisterStyles {
    pub(super) fn new() -> Self {
        let base = Format::new().set_font_color(INK).set_align(FormatAlign::VerticalCenter);
        let right = |format: &Format| format.clone().set_align(FormatAlign::Right).set_indent(0);
        let left = |format: Format| format.set_align(FormatAlign::Left).set_indent(1);
        let head = base
            .clone()
            .set_bold()
            .set_font_color(Color::White)
            .set_background_color(INK)
            .set_text_wrap()
            .set_border_bottom(FormatBorder::Thin)
            .set_border_bottom_color(INK);
        let cell = base.clone().set_border_bottom(FormatBorder::Thin).set_border_bottom_color(SHADE);
        let total = base
            .clone()
            .set_bold()
            .set_background_color(SHADE)
            .set_border_top(FormatBorder::Thin)
            .set_border_top_color(INK);
        let counted = |format: &Format| right(format).set_num_format("#,##0");
        let share = |format: &Format| right(format).set_num_format("0.0%");
        Self {
            title: base.clone().set_bold().set_font_size(20),
            lead: base.clone().set_font_color(FAINT),
            section: base
                .clone()
                .set_bold()
                .set_font_size(13)
                .set_border_bottom(FormatBorder::Medium)
                .set_border_bottom_color(INK),
            label: base.clone().set_font_color(FAINT),
            head_right: right(&head),
            wrapped: base.clone().set_text_wrap().set_align(FormatAlign::Top),
            number: counted(&cell),
            percent: share(&cell),
            date: left(cell.clone()).set_num_format("yyyy-mm-dd"),
            link: cell.clone().set_font_color(LINK).set_underline(FormatUnderline::Single),
            total_number: counted(&total),
            total_percent: share(&total),
            count: right(&base).set_num_format("#,##0").set_bold(),
            line_number: right(&cell).set_num_format("0"),
            line_date: left(cell.clone()).set_num_format("yyyy-mm-dd"),
            line: left(cell.clone()),
            plain: base,
            head: left(head),
            total: left(total),
            cell: left(cell),
        }
    }

    /// `format` with the digits of the currency.
    pub(super) fn money(&self, format: &Format, currency: &Currency) -> Format {
        format.clone().set_align(FormatAlign::Right).set_indent(0).set_num_format(plain_code(currency))
    }

    /// `format` with the digits of the currency and its code before the amount.
    pub(super) fn money_with_code(&self, format: &Format, currency: &Currency) -> Format {
        let is_code = currency.code.len() == 3 && currency.code.bytes().all(|byte| byte.is_ascii_uppercase());
        let (code, plain) = (&currency.code, digits_code(currency));
        let shown = if is_code { format!("[${code}] {plain};[${code}] -{plain}") } else { plain_code(currency) };
        format.clone().set_align(FormatAlign::Right).set_indent(0).set_num_format(shown)
    }
}

/// `#,##0.00`, with a dash for nothing.
fn plain_code(currency: &Currency) -> String {
    let digits = digits_code(currency);
    format!("{digits};-{digits};\"–\"")
}

fn digits_code(currency: &Currency) -> String {
    match currency.digits {
        0 => String::from("#,##0"),
        digits => format!("#,##0.{}", "0".repeat(digits as usize)),
    }
}

/// An amount as the binary number nearest to it, which is what a workbook holds.
pub(super) fn binary(amount: Decimal) -> f64 {
    // Through its digits: the nearest of all binary numbers, which a division of two would not always be.
    amount.to_string().parse().ok().or_else(|| amount.to_f64()).unwrap_or_default()
}
