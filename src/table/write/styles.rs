//! Colours and formats that all our workbooks share.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, FormatUnderline};

/// Headers over what people fill in or an import reads.
pub(crate) const HEADER: Color = Color::RGB(0x001F_3864);
/// Text, and the fill of strong headers.
pub(crate) const INK: Color = Color::RGB(0x001F_3044);
/// Text that matters less.
pub(crate) const FAINT: Color = Color::RGB(0x006B_7785);
/// Rules between rows.
pub(crate) const LINE: Color = Color::RGB(0x00D0_D7DE);
/// The fill of light headers and totals.
pub(crate) const SHADE: Color = Color::RGB(0x00EE_F2F6);
pub(crate) const LINK: Color = Color::RGB(0x0005_63C1);

/// The format of a table's header.
pub(crate) fn header_format(color: Color) -> Format {
    Format::new()
        .set_bold()
        .set_font_color(Color::White)
        .set_background_color(color)
        .set_align(FormatAlign::VerticalCenter)
}

/// The format that all formats of a page start from.
pub(crate) fn plain() -> Format {
    Format::new().set_font_color(INK).set_align(FormatAlign::VerticalCenter)
}

/// `format` with a rule below it.
pub(crate) fn underlined(format: Format, border: FormatBorder, color: Color) -> Format {
    format.set_border_bottom(border).set_border_bottom_color(color)
}

/// `format` aligned to the right, as numbers are.
pub(crate) fn right(format: &Format) -> Format {
    format.clone().set_align(FormatAlign::Right).set_indent(0)
}

/// What differs between the pages of one kind of workbook and those of another.
#[derive(Debug)]
pub(crate) struct PageTheme {
    /// A table's header.
    pub head: Format,
    /// A table's cell.
    pub cell: Format,
    /// A cell of a table's total.
    pub total: Format,
    /// The format code of counts.
    pub count_code: &'static str,
}

/// The formats of a [page](super::page). Those of a table are derived from the [`PageTheme`].
#[derive(Debug)]
pub(crate) struct PageStyles {
    pub title: Format,
    /// What the page is about, below the title.
    pub lead: Format,
    pub section: Format,
    /// Before a value.
    pub label: Format,
    pub plain: Format,
    pub wrapped: Format,
    /// A command to type.
    pub command: Format,
    pub head: Format,
    pub head_centre: Format,
    pub head_right: Format,
    pub cell: Format,
    pub centre: Format,
    pub number: Format,
    pub percent: Format,
    pub date: Format,
    pub link: Format,
    pub total: Format,
    pub total_number: Format,
    pub total_percent: Format,
}

impl PageStyles {
    pub(crate) fn new(theme: PageTheme) -> Self {
        let PageTheme { head, cell, total, count_code } = theme;
        let plain = plain();
        let number = |format: &Format| right(format).set_num_format(count_code);
        let percent = |format: &Format| right(format).set_num_format("0.0%");
        Self {
            title: plain.clone().set_bold().set_font_size(20),
            lead: plain.clone().set_font_color(FAINT),
            section: underlined(plain.clone().set_bold().set_font_size(13), FormatBorder::Medium, INK),
            label: plain.clone().set_font_color(FAINT),
            wrapped: plain.clone().set_text_wrap(),
            command: plain.clone().set_font_name("Consolas").set_background_color(SHADE),
            head_centre: head.clone().set_align(FormatAlign::Center),
            head_right: right(&head),
            centre: number(&cell).set_align(FormatAlign::Center),
            number: number(&cell),
            percent: percent(&cell),
            date: cell.clone().set_num_format("yyyy-mm-dd"),
            link: cell.clone().set_font_color(LINK).set_underline(FormatUnderline::Single),
            total_number: number(&total),
            total_percent: percent(&total),
            plain,
            head,
            cell,
            total,
        }
    }
}
