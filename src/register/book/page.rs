//! A sheet of the workbook: page setup, title, header row, cells and lists.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::styles::{binary, integer, money};
use crate::register::currency::Currency;
use crate::table::write::page::{
    Position, fit_lines, write_date, write_formula, write_section, write_span, write_text,
};
use crate::table::write::styles::{INK, PageStyles};
use crate::table::write::xlsx::{MAX_ROWS, wrapped_lines};

/// A4.
const PAPER: u8 = 9;
const ROW_POINTS: f64 = 18.0;
const TITLE_POINTS: f64 = 30.0;

/// The header row of a sheet with a title.
pub(super) const HEADER_ROW: u32 = 3;

/// The height of a header row with two lines, in points.
pub(super) const TWO_LINES: f64 = 32.0;

/// In characters: what the button of a filter takes, what a text needs beside itself, and the widest column of a list.
const FILTER_BUTTON: f64 = 3.0;
const PADDING: f64 = 2.0;
const WIDEST: f64 = 60.0;

/// How much wider bold digits are than plain ones.
const BOLD: f64 = 1.1;

/// What writing a part of the workbook gives.
pub(super) type XlsxResult<T = ()> = Result<T, XlsxError>;

#[derive(Debug, Clone)]
pub(super) struct Header {
    text: Cow<'static, str>,
    is_right: bool,
    /// In characters.
    width: f64,
}

/// The header of a column of text.
pub(super) const fn left(text: &'static str, width: f64) -> Header {
    Header { text: Cow::Borrowed(text), is_right: false, width }
}

/// The header of a column of numbers.
pub(super) const fn right(text: &'static str, width: f64) -> Header {
    Header { text: Cow::Borrowed(text), is_right: true, width }
}

impl Header {
    /// The header of a column of numbers whose text is computed.
    pub(super) fn amount(text: String, width: f64) -> Self {
        Self { text: Cow::Owned(text), is_right: true, width }
    }
}

pub(super) enum ListCell<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Date(Date),
    Amount(Decimal, &'a Currency),
    /// A formula with its integer result.
    Formula(String, i64),
}

/// A column of a list: its header, and the cell of a row.
pub(super) struct ListColumn<R> {
    header: Header,
    cell: for<'r> fn(&'r R) -> ListCell<'r>,
}

impl Header {
    /// The column with this header.
    pub(super) fn of<R>(self, cell: for<'r> fn(&'r R) -> ListCell<'r>) -> ListColumn<R> {
        ListColumn { header: self, cell }
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for ListCell<'a> {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// A sheet, and the styles of its cells.
pub(super) struct Page<'a> {
    pub(super) sheet: &'a mut Worksheet,
    pub(super) styles: &'a PageStyles,
    /// Of each column, in characters.
    widths: Vec<f64>,
}

/// In characters, what an amount takes in bold: a narrower column shows `###` in its place.
pub(super) fn amount_width(amount: Decimal, currency: &Currency) -> f64 {
    let whole = amount.abs().trunc().mantissa().unsigned_abs().checked_ilog10().unwrap_or_default() as usize + 1;
    let decimals = if currency.digits > 0 { currency.digits as usize + 1 } else { 0 };
    let characters = usize::from(amount.is_sign_negative()) + whole + (whole - 1) / 3 + decimals;
    characters as f64 * BOLD + PADDING
}

impl<'a> Page<'a> {
    /// Names a new sheet and sets it up for the screen and for printing, in portrait.
    pub(super) fn new(sheet: &'a mut Worksheet, styles: &'a PageStyles, name: &str) -> XlsxResult<Self> {
        sheet.set_name(name)?;
        sheet.set_default_row_height(ROW_POINTS);
        sheet.set_screen_gridlines(false).set_tab_color(INK).set_paper_size(PAPER);
        sheet.set_print_fit_to_pages(1, 0).set_margins(0.5, 0.5, 0.6, 0.7, 0.3, 0.3);
        sheet.set_footer("&L&8Fixed-asset register&C&8&A&R&8Page &P of &N");
        Ok(Self { sheet, styles, widths: Vec::new() })
    }

    /// Sets the width of a column, in characters.
    pub(super) fn set_width(&mut self, column: u16, width: f64) -> XlsxResult {
        let index = usize::from(column);
        if self.widths.len() <= index {
            self.widths.resize(index + 1, 0.0);
        }
        self.widths[index] = width;
        self.sheet.set_column_width(column, width).map(drop)
    }

    /// Widens a column where it is too narrow for an amount.
    pub(super) fn make_room(&mut self, column: u16, amount: Decimal, currency: &Currency) -> XlsxResult {
        let needed = amount_width(amount, currency);
        let present = self.widths.get(usize::from(column)).copied().unwrap_or_default();
        if needed > present { self.set_width(column, needed) } else { Ok(()) }
    }

    /// Writes the title and a line of explanation, in the first two rows.
    pub(super) fn title(&mut self, title: &str, lead: &str) -> XlsxResult {
        self.sheet.set_row_height(0, TITLE_POINTS)?;
        self.text((0, 0), title, &self.styles.title)?;
        self.text((1, 0), lead, &self.styles.lead)
    }

    /// Writes the header row, keeps it in view and repeats it on every printed page.
    pub(super) fn header(&mut self, row: u32, headers: &[Header]) -> XlsxResult {
        for (column, header) in (0..).zip(headers) {
            self.set_width(column, header.width)?;
        }
        self.headings(row, headers)?;
        self.sheet.set_freeze_panes(row + 1, 0)?;
        self.sheet.set_repeat_rows(row, row).map(drop)
    }

    /// Writes headers. Those of numbers are aligned to the right.
    pub(super) fn headings(&mut self, row: u32, headers: &[Header]) -> XlsxResult {
        for (column, header) in (0..).zip(headers) {
            let format = if header.is_right { &self.styles.head_right } else { &self.styles.head };
            self.text((row, column), &header.text, format)?;
        }
        Ok(())
    }

    pub(super) fn section(&mut self, row: u32, title: &str, last: u16) -> XlsxResult {
        write_section(self.sheet, self.styles, row, title, last)
    }

    pub(super) fn text(&mut self, at: Position, text: &str, format: &Format) -> XlsxResult {
        write_text(self.sheet, at, text, format)
    }

    pub(super) fn date(&mut self, at: Position, date: Date, format: &Format) -> XlsxResult {
        write_date(self.sheet, at, date, format)
    }

    pub(super) fn amount(&mut self, at: Position, amount: Decimal, format: &Format) -> XlsxResult {
        self.sheet.write_number_with_format(at.0, at.1, binary(amount), format).map(drop)
    }

    pub(super) fn formula(&mut self, at: Position, formula: &str, result: Decimal, format: &Format) -> XlsxResult {
        write_formula(self.sheet, at, formula, result.normalize(), format)
    }

    /// Writes text over the columns up to `last`, which together hold that many characters.
    pub(super) fn paragraph(&mut self, row: u32, last: u16, text: &str, characters: usize) -> XlsxResult {
        write_span(self.sheet, row, (0, last), text, &self.styles.wrapped)?;
        fit_lines(self.sheet, row, wrapped_lines(text, characters))
    }

    /// Writes a header row and a list with a filter below it, or `empty` if it has no rows.
    pub(super) fn list<R>(
        &mut self,
        columns: &[ListColumn<R>],
        rows: impl IntoIterator<Item = R>,
        empty: &str,
    ) -> XlsxResult {
        let mut headers: Vec<Header> = columns.iter().map(|column| column.header.clone()).collect();
        // The button of the filter covers the end of a header.
        headers.iter_mut().for_each(|header| header.width = header.width.max(header.text.len() as f64 + FILTER_BUTTON));
        self.header(HEADER_ROW, &headers)?;
        let mut row = HEADER_ROW + 1;
        for item in rows {
            if row == MAX_ROWS - 1 {
                self.text((row, 0), "more: see the Register", &self.styles.cell)?;
                break;
            }
            for (place, ListColumn { cell, .. }) in columns.iter().enumerate() {
                let cell = cell(&item);
                let needed = match &cell {
                    ListCell::Text(text) => (text.chars().count() as f64 + PADDING).min(WIDEST),
                    ListCell::Amount(amount, currency) => amount_width(*amount, currency),
                    ListCell::Integer(_) | ListCell::Date(_) | ListCell::Formula(..) => 0.0,
                };
                headers[place].width = headers[place].width.max(needed);
                self.list_cell((row, place as u16), &cell)?;
            }
            row += 1;
        }
        if row == HEADER_ROW + 1 {
            return self.text((row, 0), empty, &self.styles.cell);
        }
        for (column, header) in (0..).zip(&headers) {
            self.set_width(column, header.width)?;
        }
        self.sheet.autofilter(HEADER_ROW, 0, row - 1, columns.len() as u16 - 1).map(drop)
    }

    fn list_cell(&mut self, at: Position, cell: &ListCell<'_>) -> XlsxResult {
        let styles = self.styles;
        match cell {
            ListCell::Text(text) => self.text(at, text, &styles.cell),
            ListCell::Integer(number) => self.amount(at, Decimal::from(*number), &integer(&styles.cell)),
            ListCell::Date(date) => self.date(at, *date, &styles.date),
            ListCell::Amount(amount, currency) => self.amount(at, *amount, &money(&styles.cell, currency)),
            ListCell::Formula(formula, result) => {
                self.formula(at, formula, Decimal::from(*result), &integer(&styles.cell))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_amount_has_room_for_its_digits_and_marks() {
        for (amount, code, shown) in [
            ("0", "EUR", "0.00"),
            ("-999.5", "EUR", "-999.50"),
            ("1000", "JPY", "1,000"),
            ("125000000000", "IDR", "125,000,000,000.00"),
            ("1234567.891", "KWD", "1,234,567.891"),
        ] {
            let width = amount_width(amount.parse().unwrap(), &Currency::of(code));
            assert!((width - (shown.len() as f64 * BOLD + PADDING)).abs() < 1e-9, "{shown}: {width}");
        }
    }

    #[test]
    fn a_column_grows_with_its_largest_amount_and_never_shrinks() {
        let (mut sheet, styles) = (Worksheet::new(), super::super::styles::page_styles());
        let mut page = Page::new(&mut sheet, &styles, "Sheet").unwrap();
        let rupiah = Currency::of("IDR");
        page.set_width(2, 16.0).unwrap();
        let large = Decimal::from(125_000_000_000_i64);
        for (amount, width) in
            [(Decimal::ONE, 16.0), (large, amount_width(large, &rupiah)), (Decimal::ONE, amount_width(large, &rupiah))]
        {
            page.make_room(2, amount, &rupiah).unwrap();
            assert!((page.widths[2] - width).abs() < 1e-9, "{amount}");
        }
    }
}
