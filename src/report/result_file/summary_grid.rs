//! The Summary sheet's paper: its grid, its looks, and how text is put on it.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, FormatUnderline, Worksheet, XlsxError};

use super::styles::{FAINT, INK, LINE, LINK, SHADE};
use crate::table::write::xlsx::{truncate_to_cell, wrapped_lines};

/// The grid, in characters: a column for labels, then equal ones that tables merge as they need.
const LABEL_WIDTH: f64 = 22.0;
const COLUMN_WIDTH: f64 = 11.0;

/// The last column.
pub(super) const LAST: u16 = 15;

/// A line of text, and the air around a row's lines.
const LINE_POINTS: f64 = 15.0;
const AIR_POINTS: f64 = 4.0;
/// The tallest row that Excel allows is 409 points.
const MAX_LINES: usize = 26;

/// The formats of the sheet.
pub(super) struct SummaryStyles {
    pub(super) title: Format,
    pub(super) lead: Format,
    pub(super) section: Format,
    pub(super) label: Format,
    pub(super) text: Format,
    pub(super) wrapped: Format,
    pub(super) command: Format,
    pub(super) head: Format,
    pub(super) head_right: Format,
    pub(super) cell: Format,
    pub(super) head_centre: Format,
    pub(super) centre: Format,
    pub(super) number: Format,
    pub(super) link: Format,
    pub(super) total: Format,
    pub(super) total_number: Format,
}

/// The sheet and its next free row.
pub(super) struct SummaryGrid<'a> {
    pub(super) sheet: &'a mut Worksheet,
    pub(super) styles: &'a SummaryStyles,
    pub(super) row: u32,
}

impl SummaryStyles {
    pub(super) fn new() -> Self {
        let base = Format::new().set_font_color(INK).set_align(FormatAlign::VerticalCenter);
        let under = |format: Format, border, color| format.set_border_bottom(border).set_border_bottom_color(color);
        let head = under(base.clone().set_bold().set_background_color(SHADE), FormatBorder::Thin, LINE);
        let cell = under(base.clone().set_text_wrap(), FormatBorder::Thin, SHADE);
        let total = base.clone().set_bold().set_border_top(FormatBorder::Thin).set_border_top_color(INK);
        let numeric = |format: Format| format.set_num_format("#,##0;-#,##0;–").set_align(FormatAlign::Right);
        Self {
            title: base.clone().set_bold().set_font_size(20),
            lead: base.clone().set_font_size(12),
            section: under(base.clone().set_bold().set_font_size(13), FormatBorder::Medium, INK),
            label: base.clone().set_font_color(FAINT),
            wrapped: base.clone().set_text_wrap(),
            command: base.clone().set_font_name("Consolas").set_background_color(SHADE),
            head_centre: head.clone().set_align(FormatAlign::Center),
            centre: numeric(cell.clone()).set_align(FormatAlign::Center),
            head_right: head.clone().set_align(FormatAlign::Right),
            number: numeric(cell.clone()),
            link: cell.clone().set_font_color(LINK).set_underline(FormatUnderline::Single),
            total_number: numeric(total.clone()),
            text: base,
            head,
            cell,
            total,
        }
    }
}

impl<'a> SummaryGrid<'a> {
    pub(super) fn new(sheet: &'a mut Worksheet, styles: &'a SummaryStyles) -> Result<Self, XlsxError> {
        sheet.set_screen_gridlines(false);
        sheet.set_default_row_height(AIR_POINTS + LINE_POINTS);
        sheet.set_column_width(0, LABEL_WIDTH)?;
        sheet.set_column_range_width(1, LAST, COLUMN_WIDTH)?;
        sheet.set_landscape().set_print_fit_to_pages(1, 0).set_tab_color(INK);
        sheet.set_footer("&L&A&RPage &P of &N");
        Ok(Self { sheet, styles, row: 0 })
    }

    /// Text over the columns of that row, which are merged.
    pub(super) fn span(&mut self, (first, last): (u16, u16), text: &str, format: &Format) -> Result<(), XlsxError> {
        match first == last {
            true => self.sheet.write_string_with_format(self.row, first, truncate_to_cell(text), format).map(drop),
            false => self.sheet.merge_range(self.row, first, self.row, last, truncate_to_cell(text), format).map(drop),
        }
    }

    /// Text over columns that it does not need all of: not merged, so that it can be selected as one cell.
    pub(super) fn line(&mut self, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row, 0, truncate_to_cell(text), format)?;
        self.row += 1;
        Ok(())
    }

    /// A section's heading, underlined to the column `last`.
    pub(super) fn section(&mut self, title: &str, last: u16) -> Result<(), XlsxError> {
        let styles = self.styles;
        self.sheet.set_row_height(self.row, 24)?;
        self.span((0, last), title, &styles.section)?;
        self.row += 1;
        Ok(())
    }

    /// Makes the row as tall as the tallest of its wrapped texts: merged cells do not do it by themselves.
    pub(super) fn fit<'t>(&mut self, texts: impl IntoIterator<Item = ((u16, u16), &'t str)>) -> Result<(), XlsxError> {
        let lines = texts.into_iter().map(|(span, text)| wrapped_lines(text, characters(span))).max().unwrap_or(1);
        if lines > 1 {
            self.sheet.set_row_height(self.row, AIR_POINTS + LINE_POINTS * lines.min(MAX_LINES) as f64)?;
        }
        Ok(())
    }
}

/// The characters a span of columns holds: widths count digits, and letters are narrower on average.
fn characters((first, last): (u16, u16)) -> usize {
    let columns = f64::from(last + 1 - first);
    let width = if first == 0 { LABEL_WIDTH + (columns - 1.0) * COLUMN_WIDTH } else { columns * COLUMN_WIDTH };
    (width * 1.1) as usize
}
