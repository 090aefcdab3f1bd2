//! Colours and formats of templates.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

use crate::table::write::styles::HEADER;

/// Required headers, titles and the tabs of collections.
pub(super) const STRONG: Color = HEADER;
pub(super) const LIGHT: Color = Color::RGB(0xD9E2F3);
pub(super) const ACTION: Color = Color::RGB(0xC55A11);
const RULE: Color = Color::RGB(0xBFBFBF);
const FAINT: Color = Color::RGB(0x595959);
const CODE: Color = Color::RGB(0xF2F2F2);

pub(super) struct TemplateStyles {
    pub(super) required: Format,
    pub(super) optional: Format,
    pub(super) title: Format,
    pub(super) lead: Format,
    pub(super) section: Format,
    pub(super) head: Format,
    pub(super) term: Format,
    pub(super) link: Format,
    pub(super) text: Format,
    pub(super) code: Format,
}

impl TemplateStyles {
    pub(super) fn new() -> Self {
        let cell = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        let ruled = cell.clone().set_border_bottom(FormatBorder::Hair).set_border_bottom_color(RULE);
        let header = Format::new()
            .set_align(FormatAlign::VerticalCenter)
            .set_indent(1)
            .set_border(FormatBorder::Thin)
            .set_border_color(Color::White);
        Self {
            required: header.clone().set_bold().set_font_color(Color::White).set_background_color(STRONG),
            optional: header.set_font_color(STRONG).set_background_color(LIGHT),
            title: Format::new().set_bold().set_font_size(20).set_font_color(STRONG),
            lead: cell.set_font_color(FAINT),
            section: Format::new()
                .set_bold()
                .set_font_size(13)
                .set_font_color(STRONG)
                .set_border_bottom(FormatBorder::Medium)
                .set_border_bottom_color(STRONG),
            head: Format::new().set_bold().set_font_color(FAINT),
            term: ruled.clone().set_bold(),
            link: ruled
                .clone()
                .set_bold()
                .set_font_color(STRONG)
                .set_underline(rust_xlsxwriter::FormatUnderline::Single),
            text: ruled.clone(),
            code: ruled.set_font_name("Consolas").set_background_color(CODE),
        }
    }
}
