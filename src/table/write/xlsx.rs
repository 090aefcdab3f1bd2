//! Typed cells into a workbook, the way they were typed: text stays text, numbers keep their format.

use hashbrown::HashMap;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Color, ExcelDateTime, Format, FormatAlign, IntoExcelData, Worksheet, XlsxError};

use super::column_type::ColumnType;
use crate::table::{Cell, Value};

/// The length of a cell's text (Excel's specification), counted in UTF-16 units.
pub(crate) const LONGEST_TEXT: usize = 32_767;

/// The rows of a sheet (Excel's specification).
pub(crate) const MAX_ROWS: u32 = 1_048_576;

/// The columns of a sheet (Excel's specification).
pub(crate) const MAX_COLUMNS: u16 = 16_384;

/// Number formats kept apart; the rest of a file with more is written without a format. Excel allows some 65,000
/// cell formats, and a file that has thousands has them by accident.
const MAX_FORMATS: usize = 2_000;

/// Longer format codes are not valid in Excel (its specification says 255).
const LONGEST_FORMAT: usize = 255;

/// Every number of so many digits is kept by a cell.
const EXACT_DIGITS: usize = 15;

/// How dates are shown: unambiguous, and as wide as the code itself.
pub(super) const DATE_FORMAT: &str = "yyyy-mm-dd";
pub(super) const TIMESTAMP_FORMAT: &str = "yyyy-mm-dd hh:mm:ss";
/// An amount without a known currency.
pub(super) const AMOUNT_FORMAT: &str = "#,##0.00";
/// Excel shows a boolean as one whatever the format. LibreOffice shows it as a number, and writes this format itself.
const BOOLEAN_FORMAT: &str = r#""TRUE";"TRUE";"FALSE""#;

/// Whether and why a cell is highlighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CellMark {
    Plain,
    Invalid,
    /// An update changes its field.
    Changed,
}

/// The fills of highlighted cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MarkFills {
    pub invalid: Color,
    pub changed: Color,
}

impl MarkFills {
    /// One colour for all marks.
    pub(crate) fn all(color: Color) -> Self {
        Self { invalid: color, changed: color }
    }
}

/// The number formats of a sheet's cells, each created once.
#[derive(Debug)]
pub(crate) struct CellFormats {
    fills: MarkFills,
    plain: MarkFormats,
    invalid: MarkFormats,
    changed: MarkFormats,
    /// By mark, in the order of [`CellMark`].
    coded: HashMap<String, [Format; 3]>,
    /// Whether a text of several lines is wrapped.
    wraps_lines: bool,
}

/// The formats of one mark.
#[derive(Debug)]
struct MarkFormats {
    text: Format,
    lines: Format,
    general: Format,
    boolean: Format,
    amount: Format,
    date: Format,
    timestamp: Format,
}

/// How a cell is formatted. A cell formatted like its column needs no format of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CellStyle<'a> {
    Text,
    /// Several lines.
    Lines,
    General,
    Boolean,
    Amount,
    Date,
    Timestamp,
    /// A number with a format code of its own.
    Coded(&'a str),
}

impl<'a> CellStyle<'a> {
    pub(super) fn of_column(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Text | ColumnType::Json => Self::Text,
            ColumnType::Integer => Self::General,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Money => Self::Amount,
            ColumnType::Date => Self::Date,
            ColumnType::Timestamp => Self::Timestamp,
        }
    }

    /// Whether a cell needs no format of its own in a column of that type.
    pub(super) fn fits(self, column_type: ColumnType, mark: CellMark) -> bool {
        mark == CellMark::Plain && self == Self::of_column(column_type)
    }

    /// The style as one that can be kept, or its format code.
    pub(super) fn without_code(self) -> Result<CellStyle<'static>, &'a str> {
        Ok(match self {
            Self::Text => CellStyle::Text,
            Self::Lines => CellStyle::Lines,
            Self::General => CellStyle::General,
            Self::Boolean => CellStyle::Boolean,
            Self::Amount => CellStyle::Amount,
            Self::Date => CellStyle::Date,
            Self::Timestamp => CellStyle::Timestamp,
            Self::Coded(code) => return Err(code),
        })
    }
}

impl CellFormats {
    /// Formats for values that are kept as they were typed. Highlighted cells are filled with these colours.
    pub(crate) fn new(fills: MarkFills) -> Self {
        let formats = |base: &Format| MarkFormats::new(base, base.clone(), base.clone().set_num_format("@"));
        let (plain, invalid) = (formats(&base()), formats(&filled(fills.invalid)));
        let changed = formats(&filled(fills.changed));
        Self { fills, plain, invalid, changed, coded: HashMap::new(), wraps_lines: false }
    }

    /// Formats for values that people read: text of several lines is wrapped, booleans look alike in every program.
    pub(crate) fn for_export() -> Self {
        let boolean = base().set_num_format(BOOLEAN_FORMAT);
        let lines = base().set_num_format("@").set_text_wrap();
        let white = MarkFills::all(Color::White);
        Self { plain: MarkFormats::new(&base(), boolean, lines), wraps_lines: true, ..Self::new(white) }
    }

    /// The format of a column. What a person types into it later is formatted alike.
    pub(crate) fn of_column(&self, column_type: ColumnType) -> &Format {
        self.plain.get(CellStyle::of_column(column_type))
    }

    /// The format of a style. A number format that there is no room for is left out.
    pub(super) fn of_style(&mut self, style: CellStyle<'_>, mark: CellMark) -> &Format {
        if let CellStyle::Coded(code) = style
            && self.has_room_for(code)
        {
            return &self.coded(code)[mark as usize];
        }
        let formats = match mark {
            CellMark::Plain => &self.plain,
            CellMark::Invalid => &self.invalid,
            CellMark::Changed => &self.changed,
        };
        formats.get(style)
    }

    fn coded(&mut self, code: &str) -> &[Format; 3] {
        let MarkFills { invalid, changed } = self.fills;
        let create = || [base(), filled(invalid), filled(changed)].map(|format| format.set_num_format(code));
        self.coded.entry_ref(code).or_insert_with(create)
    }

    pub(super) fn has_room_for(&self, code: &str) -> bool {
        code.len() <= LONGEST_FORMAT && (self.coded.len() < MAX_FORMATS || self.coded.contains_key(code))
    }

    /// What a cell holds in a column of that type, and how it is formatted.
    pub(super) fn content<'a>(&self, cell: Cell<'a>, column_type: ColumnType) -> (XlsxCell<'a>, CellStyle<'a>) {
        match cell.value {
            Value::Number(number) if number.is_finite() && is_kept(cell.text, number) => {
                let style = match (cell.format, column_type) {
                    (Some(code), _) => CellStyle::Coded(code),
                    (None, ColumnType::Money) => CellStyle::Amount,
                    (None, _) => CellStyle::General,
                };
                (XlsxCell::Number(number), style)
            }
            Value::Boolean(boolean) => (XlsxCell::Boolean(boolean), CellStyle::Boolean),
            Value::Date(moment) if let Some(excel) = excel_moment(moment) => {
                let is_day = column_type != ColumnType::Timestamp && moment.time() == jiff::civil::Time::midnight();
                (XlsxCell::Moment(excel), if is_day { CellStyle::Date } else { CellStyle::Timestamp })
            }
            _ => {
                let text = truncate_to_cell(cell.text);
                (XlsxCell::Text(text), self.style_of_text(text))
            }
        }
    }

    fn style_of_text(&self, text: &str) -> CellStyle<'static> {
        if self.wraps_lines && text.contains('\n') { CellStyle::Lines } else { CellStyle::Text }
    }
}

impl MarkFormats {
    fn new(base: &Format, boolean: Format, lines: Format) -> Self {
        let coded = |code: &str| base.clone().set_num_format(code);
        Self {
            text: coded("@"),
            lines,
            general: base.clone(),
            boolean,
            amount: coded(AMOUNT_FORMAT),
            date: coded(DATE_FORMAT),
            timestamp: coded(TIMESTAMP_FORMAT),
        }
    }

    fn get(&self, style: CellStyle<'_>) -> &Format {
        match style {
            CellStyle::Text => &self.text,
            CellStyle::Lines => &self.lines,
            CellStyle::General | CellStyle::Coded(_) => &self.general,
            CellStyle::Boolean => &self.boolean,
            CellStyle::Amount => &self.amount,
            CellStyle::Date => &self.date,
            CellStyle::Timestamp => &self.timestamp,
        }
    }
}

/// Messages make rows tall; values stay at the top beside them.
fn base() -> Format {
    Format::new().set_align(FormatAlign::Top)
}

fn filled(fill: Color) -> Format {
    base().set_background_color(fill)
}

/// Writes a cell into a column that has the format [`CellFormats::of_column`]. Text never becomes a formula, and is
/// written as far as it is [`truncate_to_cell`].
pub(crate) fn write_cell(
    sheet: &mut Worksheet,
    at: (u32, u16),
    cell: Cell<'_>,
    column_type: ColumnType,
    mark: CellMark,
    formats: &mut CellFormats,
) -> Result<(), XlsxError> {
    let (content, style) = formats.content(cell, column_type);
    let format = if style.fits(column_type, mark) { None } else { Some(formats.of_style(style, mark)) };
    match content {
        XlsxCell::Number(number) => put(sheet, at, number, format),
        XlsxCell::Boolean(boolean) => put(sheet, at, boolean, format),
        XlsxCell::Moment(moment) => put(sheet, at, &moment, format),
        XlsxCell::Text("") if mark == CellMark::Plain => Ok(()),
        XlsxCell::Text(text) => put(sheet, at, text, format),
    }
}

/// What a cell of a workbook holds.
pub(super) enum XlsxCell<'a> {
    Number(f64),
    Boolean(bool),
    Moment(ExcelDateTime),
    /// As far as it is [`truncate_to_cell`].
    Text(&'a str),
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: impl IntoExcelData,
    format: Option<&Format>,
) -> Result<(), XlsxError> {
    match format {
        Some(format) => sheet.write_with_format(row, column, value, format),
        None => sheet.write(row, column, value),
    }
    .map(drop)
}

/// Whether the number is the one that the text says: a cell keeps 15 to 17 digits, and drops the others.
fn is_kept(text: &str, number: f64) -> bool {
    if text.len() <= EXACT_DIGITS {
        return true;
    }
    let shortest = number.to_string().parse::<Decimal>();
    match (text.parse::<Decimal>(), shortest, Decimal::from_f64_retain(number)) {
        // Halfway between two shortest spellings either is the number.
        (Ok(written), Ok(kept), Some(exact)) => {
            let off = |spelled: Decimal| spelled.checked_sub(exact).map(|off| off.abs());
            let is_as_short = written.normalize().scale() == kept.normalize().scale();
            written == kept || (is_as_short && off(written).is_some_and(|far| off(kept) == Some(far)))
        }
        (Ok(written), Ok(kept), None) => written == kept,
        _ => true,
    }
}

/// The moment as Excel counts it. Spreadsheet programs disagree about days before March 1900, of which Excel knows one
/// that never was, and none before 1900: those are written as text.
pub(super) fn excel_moment(moment: jiff::civil::DateTime) -> Option<ExcelDateTime> {
    if moment.date() < jiff::civil::date(1900, 3, 1) {
        return None;
    }
    let year = u16::try_from(moment.year()).ok()?;
    let day = ExcelDateTime::from_ymd(year, moment.month() as u8, moment.day() as u8).ok()?;
    let seconds = f64::from(moment.second()) + f64::from(moment.millisecond()) / 1000.0;
    day.and_hms(moment.hour() as u16, moment.minute() as u8, seconds).ok()
}

/// The beginning of a text that a cell can hold.
pub(crate) fn truncate_to_cell(text: &str) -> &str {
    // No text has more UTF-16 units than bytes.
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let mut units = 0;
    for (at, char) in text.char_indices() {
        units += char.len_utf16();
        if units > LONGEST_TEXT {
            return &text[..at];
        }
    }
    text
}

/// The width of a cell as [`write_cell`] writes it: dates have our own format, however they were shown.
pub(crate) fn value_width(cell: Cell<'_>) -> usize {
    match cell.value {
        Value::Date(moment) if moment.time() == jiff::civil::Time::midnight() => DATE_FORMAT.len(),
        Value::Date(_) => TIMESTAMP_FORMAT.len(),
        _ => text_width(cell.text),
    }
}

/// The width of a text in digits: East Asian characters take two.
pub(crate) fn text_width(text: &str) -> usize {
    text.lines().map(|line| line.chars().map(char_width).sum()).max().unwrap_or(0)
}

fn char_width(char: char) -> usize {
    match char as u32 {
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe4f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The lines of a text wrapped between words, as a spreadsheet program does it.
pub(crate) fn wrapped_lines(text: &str, characters: usize) -> usize {
    text.lines().map(|line| wrapped_line(line, characters)).sum::<usize>().max(1)
}

fn wrapped_line(line: &str, characters: usize) -> usize {
    let (mut lines, mut used) = (1, 0);
    for word in line.split(' ') {
        let width = text_width(word);
        let needed = if used == 0 { width } else { used + 1 + width };
        if needed <= characters {
            used = needed;
            continue;
        }
        let own_lines = width.div_ceil(characters).max(1);
        lines += own_lines - usize::from(used == 0);
        used = width - (own_lines - 1) * characters;
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use calamine::{Data, Reader, Xlsx};
    use proptest::prelude::*;
    use rust_xlsxwriter::Workbook;
    use std::io::Cursor;

    use crate::table::Row;

    fn round_trip(row: &Row) -> Vec<Data> {
        let mut workbook = Workbook::new();
        let mut formats = CellFormats::new(MarkFills::all(Color::Red));
        let sheet = workbook.add_worksheet_with_constant_memory().unwrap();
        for (column, cell) in (0..).zip(row.cells()) {
            sheet.set_column_format(column, formats.of_column(ColumnType::Text)).unwrap();
            write_cell(sheet, (0, column), cell, ColumnType::Text, CellMark::Plain, &mut formats).unwrap();
        }
        let bytes = workbook.save_to_buffer().unwrap();
        let mut read: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
        let range = read.worksheet_range_at(0).unwrap().unwrap();
        (0..row.len() as u32).map(|column| range.get_value((0, column)).cloned().unwrap_or_default()).collect()
    }

    #[test]
    fn cells_come_back_as_they_were() {
        let mut row = Row::default();
        row.push_text("007");
        row.push_text("=SUM(A1)");
        row.push_text("https://example.com/");
        row.push("1299", Value::Number(1299.0));
        row.push("TRUE", Value::Boolean(true));
        row.push("2024-02-01", Value::Date(jiff::civil::date(2024, 2, 1).at(13, 5, 0, 0)));
        row.push("#N/A", Value::Error);
        row.push("1850-01-01", Value::Date(jiff::civil::date(1850, 1, 1).at(0, 0, 0, 0)));
        row.push("1899-12-31", Value::Date(jiff::civil::date(1899, 12, 31).at(0, 0, 0, 0)));
        row.push("12345678901234567", Value::Number(12_345_678_901_234_567.0));
        row.push("99999999999999.99", Value::Number(99_999_999_999_999.99));
        row.push("1234567890123.25", Value::Number(1_234_567_890_123.25));
        row.push("261256630374.82812", Value::Number(261_256_630_374.828_13));
        let read = round_trip(&row);
        let text = |text: &str| Data::String(text.to_owned());
        assert_eq!(
            read[..5],
            [text("007"), text("=SUM(A1)"), text("https://example.com/"), Data::Float(1299.0), Data::Bool(true)]
        );
        assert!(
            matches!(&read[5], Data::DateTime(moment) if (moment.as_f64() - 45_323.545_138_888_89).abs() < 1e-9),
            "{:?}",
            read[5]
        );
        assert_eq!(
            read[6..],
            [
                text("#N/A"),
                text("1850-01-01"),
                text("1899-12-31"),
                text("12345678901234567"),
                text("99999999999999.99"),
                Data::Float(1_234_567_890_123.25),
                // Halfway between two spellings.
                Data::Float(261_256_630_374.828_13),
            ]
        );
    }

    #[test]
    fn a_text_is_clipped_between_characters() {
        let long = "x".repeat(LONGEST_TEXT - 1) + "😀tail";
        assert_eq!(truncate_to_cell(&long).len(), LONGEST_TEXT - 1);
        let fits = "é".repeat(LONGEST_TEXT);
        assert_eq!(truncate_to_cell(&fits), fits);
    }

    #[test]
    fn lines_are_counted_as_they_wrap() {
        assert_eq!(wrapped_lines("", 10), 1);
        assert_eq!(wrapped_lines("0123456789", 10), 1);
        assert_eq!(wrapped_lines("01234 56789", 10), 2);
        assert_eq!(wrapped_lines("0123456789012345678901234", 10), 3);
        assert_eq!(wrapped_lines("a 0123456789012345678901234", 10), 4);
        assert_eq!(wrapped_lines("a\nb", 10), 2);
    }

    /// Whether a text has `_x` and four digits just before a control character.
    fn has_digits_before_control(text: &str) -> bool {
        text.match_indices("_x").any(|(at, _)| {
            let digits = text[at + 2..].chars().take_while(char::is_ascii_hexdigit).count();
            digits == 4 && text[at + 6..].starts_with(|char: char| char.is_control() && !"\t\n".contains(char))
        })
    }

    proptest! {
        #[test]
        fn every_text_comes_back(texts in proptest::collection::vec("(?s).{0,20}|[ \\t\\r\\n_xX0-9aA]{0,12}|_x00[0-9A-F]{2}_", 1..8)) {
            // The library escapes what follows such digits and not their underscore, so that both are read as one escape.
            prop_assume!(!texts.iter().any(|text| has_digits_before_control(text)));
            let mut row = Row::default();
            texts.iter().for_each(|text| row.push_text(text));
            let read = round_trip(&row);
            for (text, cell) in texts.iter().zip(read) {
                match cell {
                    Data::Empty => prop_assert_eq!(text, ""),
                    Data::String(back) => prop_assert_eq!(text, &back),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
