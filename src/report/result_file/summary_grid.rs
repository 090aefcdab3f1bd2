//! The grid of the Summary sheet, and how text is put on it.

use rust_xlsxwriter::{Format, FormatBorder, Worksheet, XlsxError};

use crate::table::write::page::{fit_lines, lines_height, write_section, write_span};
use crate::table::write::styles::{INK, LINE, PageStyles, PageTheme, SHADE, plain, underlined};
use crate::table::write::xlsx::{truncate_to_cell, wrapped_lines};

/// In characters: a column for labels, then equal ones that tables merge as they need.
const LABEL_WIDTH: f64 = 22.0;
const COLUMN_WIDTH: f64 = 11.0;

/// The last column.
pub(super) const LAST: u16 = 15;

/// The formats of the sheet.
pub(super) fn styles() -> PageStyles {
    let theme = PageTheme {
        head: underlined(plain().set_bold().set_background_color(SHADE), FormatBorder::Thin, LINE),
        cell: underlined(plain().set_text_wrap(), FormatBorder::Thin, SHADE),
        total: plain().set_bold().set_border_top(FormatBorder::Thin).set_border_top_color(INK),
        count_code: "#,##0;-#,##0;–",
    };
    PageStyles { lead: plain().set_font_size(12), ..PageStyles::new(theme) }
}

/// The sheet and its next free row.
pub(super) struct SummaryGrid<'a> {
    pub(super) sheet: &'a mut Worksheet,
    pub(super) styles: &'a PageStyles,
    pub(super) row: u32,
}

impl<'a> SummaryGrid<'a> {
    pub(super) fn new(sheet: &'a mut Worksheet, styles: &'a PageStyles) -> Result<Self, XlsxError> {
        sheet.set_screen_gridlines(false);
        sheet.set_default_row_height(lines_height(1));
        sheet.set_column_width(0, LABEL_WIDTH)?;
        sheet.set_column_range_width(1, LAST, COLUMN_WIDTH)?;
        sheet.set_landscape().set_print_fit_to_pages(1, 0).set_tab_color(INK);
        sheet.set_footer("&L&A&RPage &P of &N");
        Ok(Self { sheet, styles, row: 0 })
    }

    /// Writes text over columns of the current row, which are merged.
    pub(super) fn span(&mut self, columns: (u16, u16), text: &str, format: &Format) -> Result<(), XlsxError> {
        write_span(self.sheet, self.row, columns, text, format)
    }

    /// Writes a row of text that needs several columns but is not merged, so that it can be selected as one cell.
    pub(super) fn line(&mut self, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row, 0, truncate_to_cell(text), format)?;
        self.row += 1;
        Ok(())
    }

    /// Writes the heading of a section, underlined up to the column `last`.
    pub(super) fn section(&mut self, title: &str, last: u16) -> Result<(), XlsxError> {
        write_section(self.sheet, self.styles, self.row, title, last)?;
        self.row += 1;
        Ok(())
    }

    /// Makes the current row as tall as the tallest of these texts, each wrapped in its columns.
    pub(super) fn fit<'t>(&mut self, texts: impl IntoIterator<Item = ((u16, u16), &'t str)>) -> Result<(), XlsxError> {
        let lines = texts.into_iter().map(|(span, text)| wrapped_lines(text, characters(span))).max().unwrap_or(1);
        if lines > 1 { fit_lines(self.sheet, self.row, lines) } else { Ok(()) }
    }
}

/// The characters that a span of columns holds: widths count digits, and letters are narrower on average.
fn characters((first, last): (u16, u16)) -> usize {
    let columns = f64::from(last + 1 - first);
    let width = if first == 0 { LABEL_WIDTH + (columns - 1.0) * COLUMN_WIDTH } else { columns * COLUMN_WIDTH };
    (width * 1.1) as usize
}
