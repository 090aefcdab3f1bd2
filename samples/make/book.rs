//! Workbooks as people keep them: a coloured header, widths that fit, dates that are dates.

use jiff::civil::Date;
use rust_xlsxwriter::{Color, DocProperties, ExcelDateTime, Format, FormatAlign, Formula, Workbook, Worksheet};

use crate::Made;

/// What goes into a cell.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Blank,
    Text(String),
    Number(f64),
    /// A real date of the spreadsheet.
    Day(Date),
    /// A formula with its stored result.
    Formula {
        formula: &'static str,
        result: &'static str,
    },
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() { Cell::Blank } else { Cell::Text(text.to_owned()) }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::from(text.as_str())
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Cell::Number(f64::from(number))
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Cell::Number(number)
    }
}

impl From<Date> for Cell {
    fn from(day: Date) -> Self {
        Cell::Day(day)
    }
}

impl<T> From<Option<T>> for Cell
where
    Cell: From<T>,
{
    fn from(maybe: Option<T>) -> Self {
        maybe.map_or(Cell::Blank, Cell::from)
    }
}

/// A row of whatever cells can be made of.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::book::Cell::from($cell)),*] };
}
pub(crate) use row;

/// A column: its header and how its numbers or dates are shown.
#[derive(Debug, Clone, Copy)]
struct Column {
    header: &'static str,
    /// A number format of Excel; empty for General.
    format: &'static str,
}

impl Column {
    /// `Qty {0}` is a column of numbers, `Purchase Date {dd/mm/yyyy}` one of real dates, `Notes` one of text.
    fn parse(header: &'static str) -> Self {
        match header.trim().split_once(" {") {
            Some((name, format)) => Self { header: name, format: format.trim_end_matches('}') },
            None => Self { header: header.trim(), format: "" },
        }
    }

    /// The cell that a text stands for: a number or a day where the column holds such and the text is one.
    fn cell(self, text: &str) -> Cell {
        if self.format.is_empty() {
            return Cell::from(text);
        }
        let number = text.parse().map(Cell::Number).ok();
        let day = || text.parse().map(Cell::Day).ok();
        number.or_else(day).unwrap_or_else(|| Cell::from(text))
    }
}

/// A sheet with its table.
#[derive(Debug)]
pub(crate) struct Sheet {
    name: &'static str,
    /// A line above the header, as reports have it.
    title: Option<&'static str>,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// A sheet of computed rows. The header's columns are parted by `|`.
    pub(crate) fn new(name: &'static str, header: &'static str, rows: Vec<Vec<Cell>>) -> Self {
        Self { name, title: None, columns: header.split('|').map(Column::parse).collect(), rows }
    }

    /// A sheet as text: a line per row, cells parted by `|`. Every row has a cell for every column.
    pub(crate) fn table(name: &'static str, header: &'static str, lines: &str) -> Made<Self> {
        let mut sheet = Self::new(name, header, Vec::new());
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            if cells.len() != sheet.columns.len() {
                return Err(format!(
                    "{} cells for the {} columns of `{name}`: {line}",
                    cells.len(),
                    sheet.columns.len()
                )
                .into());
            }
            sheet.rows.push(sheet.columns.iter().zip(cells).map(|(column, text)| column.cell(text)).collect());
        }
        Ok(sheet)
    }

    pub(crate) fn titled(self, title: &'static str) -> Self {
        Self { title: Some(title), ..self }
    }
}

/// The whole workbook in memory.
pub(crate) fn write(author: &str, sheets: &[Sheet]) -> Made<Vec<u8>> {
    let mut book = Workbook::new();
    let made_on = ExcelDateTime::from_ymd(2026, 1, 12)?;
    book.set_properties(&DocProperties::new().set_author(author).set_creation_datetime(&made_on));
    for sheet in sheets {
        write_sheet(book.add_worksheet(), sheet)?;
    }
    Ok(book.save_to_buffer()?)
}

fn write_sheet(worksheet: &mut Worksheet, sheet: &Sheet) -> Made<()> {
    worksheet.set_name(sheet.name)?;
    let mut at = 0;
    if let Some(title) = sheet.title {
        worksheet.write_with_format(0, 0, title, &Format::new().set_bold().set_font_size(14))?;
        // An empty row between title and header, as most people leave it.
        at = 2;
    }
    let head = Format::new()
        .set_bold()
        .set_font_color(Color::White)
        .set_background_color(Color::RGB(0x1F_5C_6B))
        .set_align(FormatAlign::VerticalCenter);
    let last_column = u16::try_from(sheet.columns.len() - 1)?;
    for (index, column) in (0..).zip(&sheet.columns) {
        worksheet.write_with_format(at, index, column.header, &head)?;
        worksheet.set_column_width(index, width(sheet, usize::from(index)))?;
        write_column(worksheet, sheet, at + 1, index, *column)?;
    }
    worksheet.set_row_height(at, 20)?;
    worksheet.set_freeze_panes(at + 1, 1)?;
    worksheet.autofilter(at, 0, at + u32::try_from(sheet.rows.len())?, last_column)?;
    worksheet.set_landscape().set_print_fit_to_pages(1, 0);
    Ok(())
}

fn write_column(worksheet: &mut Worksheet, sheet: &Sheet, first_row: u32, index: u16, column: Column) -> Made<()> {
    let format = match column.format {
        "" => Format::new(),
        format => Format::new().set_num_format(format),
    };
    // Text cells carry the text format, or a spreadsheet program makes 004217 a number as soon as somebody edits it.
    let text = Format::new().set_num_format("@");
    for (at, row) in (first_row..).zip(&sheet.rows) {
        match row.get(usize::from(index)) {
            None | Some(Cell::Blank) => {}
            Some(Cell::Text(value)) => drop(worksheet.write_string_with_format(at, index, value, &text)?),
            Some(Cell::Number(value)) => drop(worksheet.write_number_with_format(at, index, *value, &format)?),
            Some(Cell::Day(day)) => {
                let day = ExcelDateTime::from_ymd(u16::try_from(day.year())?, day.month() as u8, day.day() as u8)?;
                worksheet.write_datetime_with_format(at, index, &day, &format)?;
            }
            Some(Cell::Formula { formula, result }) => {
                let formula = Formula::new(*formula).set_result(*result);
                worksheet.write_formula_with_format(at, index, formula, &format)?;
            }
        }
    }
    Ok(())
}

/// Wide enough for the longest text, up to a point, as after a double click on the column's edge.
fn width(sheet: &Sheet, index: usize) -> f64 {
    const WIDEST: usize = 44;
    let length = |cell: &Cell| match cell {
        Cell::Text(text) => text.chars().count(),
        Cell::Day(_) => 11,
        Cell::Number(_) => 8,
        Cell::Blank | Cell::Formula { .. } => 0,
    };
    let cells = sheet.rows.iter().filter_map(|row| row.get(index)).map(length);
    let longest = cells.chain([sheet.columns[index].header.chars().count() + 3]).max().unwrap_or_default();
    longest.min(WIDEST) as f64 + 1.5
}
