//! The result as a workbook.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use rust_xlsxwriter::{DocProperties, Worksheet, XlsxError};

use super::super::summary::title;

use super::super::run_summary::RunSummary;
use super::cell_errors::CellErrors;
use super::columns::{MESSAGE, RESULT_COLUMNS, RESULT_HEADERS, ResultColumns};
use super::look_alikes;
use super::styles::{CHANGED, INVALID, ResultFormats, TextWrap, status_colors};
use super::summary_notes::SummaryNotes;
use super::summary_sheet;
use crate::check::is_withheld;
use crate::plan::RowOutcome;
use crate::plan::{ReportMode, RowCounts, RowStatus};
use crate::run::input::own_sheets::SUMMARY_SHEET;
use crate::table::write::sheet::set_width;
use crate::table::write::workbook::{HeaderCell, TableSheet, WorkbookWriter};
use crate::table::write::xlsx::{
    CellFormats, CellMark, MAX_COLUMNS, MAX_ROWS, MarkFills, text_width, truncate_to_cell, wrapped_lines, write_cell,
};
use crate::table::write::{Access, AtomicFile, ColumnType, WriteError};
use crate::table::{Cell, Row};
use crate::wording::thousands;

/// Widths in characters.
const NARROWEST: usize = 6;
const MESSAGE_WIDTH: usize = 72;
/// What a line of a message holds: widths count digits, and letters are narrower on average.
const MESSAGE_CHARS: usize = 80;
/// What a line of text takes, and the most lines a row shows (Excel allows 409 points).
const LINE_POINTS: f64 = 15.0;
const MAX_LINES: usize = 20;
/// Rows made tall for their message. The workbook writer keeps each such row's height in memory; the messages of
/// the rows beyond stand on one line.
const MAX_TALL_ROWS: usize = 50_000;

/// The note on a cell whose text is too long for it.
const CUT: &str = "Only the first 32,767 characters are kept: a cell holds no more\nHint: shorten the text, or import the original file";

/// Result files are large and soon replaced: level 3 is half again as fast as the usual 6, and a few per cent larger.
const COMPRESSION: u8 = 3;

/// Writes a result workbook.
pub(super) struct ResultWorkbook {
    file: AtomicFile,
    writer: WorkbookWriter,
    mode: ReportMode,
    began: DateTime,
    formats: ResultFormats,
    values: CellFormats,
    sheet: Option<ResultSheet>,
    errors: CellErrors,
    notes: SummaryNotes,
    /// The Summary's index.
    summary: usize,
    /// [`MAX_ROWS`]; less in tests.
    pub(super) rows_per_sheet: u32,
}

/// The sheet that rows go to.
#[derive(Debug)]
struct ResultSheet {
    table: TableSheet,
    /// The name it should have, were no other sheet called so.
    wanted: String,
    columns: ResultColumns,
    counts: RowCounts,
    tall_rows: usize,
}

impl ResultWorkbook {
    pub(super) fn create(path: &Path, mode: ReportMode, access: Access) -> Result<Self, WriteError> {
        let file = AtomicFile::create_for(path, access)?;
        let mut writer = WorkbookWriter::new(file.path(), Some(file.folder()))?;
        writer.set_compression(COMPRESSION);
        let summary = writer.add_sheet(SUMMARY_SHEET)?;
        Ok(Self {
            file,
            writer,
            mode,
            began: jiff::ZonedDateTime::now().datetime(),
            formats: ResultFormats::new(),
            values: CellFormats::new(MarkFills { invalid: INVALID, changed: CHANGED }),
            sheet: None,
            errors: CellErrors::new(),
            notes: SummaryNotes::default(),
            summary,
            rows_per_sheet: MAX_ROWS,
        })
    }

    pub(super) fn start_sheet(&mut self, label: &str, columns: ResultColumns, entity: &str) -> Result<(), WriteError> {
        self.close_sheet()?;
        let wanted = if label.trim().is_empty() { entity } else { label };
        self.notes.labels.push(label.to_owned());
        self.open_sheet(wanted, columns)
    }

    pub(super) fn row(&mut self, row: &Row, outcome: &RowOutcome) -> Result<(), WriteError> {
        self.continue_if_full()?;
        let Self { file, writer, mode, formats, values, sheet, errors, notes, .. } = self;
        let Some(sheet) = sheet else { return Err(WriteError::NoSheet { path: file.path().to_owned() }) };
        errors.collect(outcome, &sheet.columns, *mode);
        writer.edit_sheet(sheet.table.index, |worksheet| {
            write_result_columns(worksheet, sheet, outcome, *mode, formats, errors.row_mark)?;
            write_values(worksheet, sheet, row, outcome, values, errors, notes)
        })?;
        notes.remember(&sheet.table, &sheet.columns, row, outcome);
        sheet.counts.add(outcome.status);
        sheet.table.next_row += 1;
        Ok(())
    }

    pub(super) fn losses(&self) -> Vec<String> {
        self.notes.losses()
    }

    pub(super) fn finish(mut self, summary: &RunSummary) -> Result<PathBuf, WriteError> {
        self.close_sheet()?;
        let Self { file, mut writer, notes, began, formats, .. } = self;
        look_alikes::write(&mut writer, &summary.look_alikes, &formats)?;
        writer.set_properties(&properties(summary, began));
        writer.edit_sheet(self.summary, |sheet| summary_sheet::write(sheet, summary, &notes, began))?;
        writer.save(file.as_file())?;
        file.commit_or_numbered()
    }

    /// Continues in a new sheet when the current one is full.
    fn continue_if_full(&mut self) -> Result<(), WriteError> {
        if self.sheet.as_ref().is_none_or(|sheet| sheet.table.next_row < self.rows_per_sheet) {
            return Ok(());
        }
        let Some(full) = self.close_sheet()? else { return Ok(()) };
        self.open_sheet(&full.wanted, full.columns)?;
        let next = self.sheet.as_ref().map(|sheet| sheet.table.name.as_str()).unwrap_or_default();
        let (full, rows) = (full.table.name, thousands(u64::from(MAX_ROWS)));
        self.notes.continued.push(format!("sheet `{full}` continues in `{next}` (limit: {rows} rows per sheet)"));
        Ok(())
    }

    fn open_sheet(&mut self, wanted: &str, columns: ResultColumns) -> Result<(), WriteError> {
        let ours =
            RESULT_HEADERS.into_iter().map(|text| HeaderCell { text, format: &self.formats.ours, column_format: None });
        let theirs = columns.kept(columns.width()).map(|column| HeaderCell {
            text: columns.header(column).unwrap_or_default(),
            format: &self.formats.theirs,
            column_format: Some(self.values.of_column(ColumnType::Text)),
        });
        let table = self.writer.add_table(wanted, NARROWEST, ours.chain(theirs))?;
        self.sheet =
            Some(ResultSheet { table, wanted: wanted.to_owned(), columns, counts: RowCounts::default(), tall_rows: 0 });
        Ok(())
    }

    /// Ends the current sheet, if there is one.
    fn close_sheet(&mut self) -> Result<Option<ResultSheet>, WriteError> {
        let Some(sheet) = self.sheet.take() else { return Ok(None) };
        self.writer.finish_table(&sheet.table, RESULT_COLUMNS as u16)?;
        self.writer.edit_sheet(sheet.table.index, |worksheet| {
            worksheet.set_tab_color(status_colors(worst(sheet.counts)).bar);
            set_width(worksheet, MESSAGE as u16, MESSAGE_WIDTH)
        })?;
        Ok(Some(sheet))
    }
}

fn write_result_columns(
    worksheet: &mut Worksheet,
    sheet: &mut ResultSheet,
    outcome: &RowOutcome,
    mode: ReportMode,
    formats: &ResultFormats,
    row_mark: CellMark,
) -> Result<(), XlsxError> {
    let row = sheet.table.next_row;
    let wording = outcome.status.label(mode);
    worksheet.write_string_with_format(row, 0, wording, formats.status(outcome.status))?;
    sheet.table.widths.observe_width(row, 0, || text_width(wording));
    if let Some(id) = outcome.id {
        worksheet.write_number_with_format(row, 1, id as f64, &formats.id)?;
    }
    let text = sheet.columns.message(outcome, mode);
    if text.is_empty() && row_mark == CellMark::Plain {
        return Ok(());
    }
    let lines = wrapped_lines(&text, MESSAGE_CHARS);
    let wrap = if lines > 1 && sheet.tall_rows < MAX_TALL_ROWS { TextWrap::MultiLine } else { TextWrap::SingleLine };
    if wrap == TextWrap::MultiLine {
        sheet.tall_rows += 1;
        worksheet.set_row_height(row, lines.min(MAX_LINES) as f64 * LINE_POINTS)?;
    }
    worksheet
        .write_string_with_format(row, MESSAGE as u16, truncate_to_cell(&text), formats.message(row_mark, wrap))
        .map(drop)
}

fn write_values(
    worksheet: &mut Worksheet,
    sheet: &mut ResultSheet,
    row: &Row,
    outcome: &RowOutcome,
    values: &mut CellFormats,
    errors: &mut CellErrors,
    notes: &mut SummaryNotes,
) -> Result<(), XlsxError> {
    let end = row.len().max(errors.end());
    for column in 0..end {
        let Some(place) = sheet.columns.place(column) else { continue };
        let cell = if is_withheld(&outcome.problems, column) { Cell::BLANK } else { row.cell(column) };
        let Some(at) = in_sheet(place) else {
            notes.cells_beyond += u64::from(!cell.is_blank());
            continue;
        };
        let marked = errors.take(column);
        let mut mark = marked.as_ref().map_or(CellMark::Plain, |cell| cell.mark);
        let mut said = marked.map(|cell| cell.text);
        if truncate_to_cell(cell.text).len() < cell.text.len() {
            notes.texts_cut += 1;
            mark = CellMark::Invalid;
            said = Some(said.map_or_else(|| CUT.to_owned(), |said| format!("{said}\n\n{CUT}")));
        }
        write_cell(worksheet, (sheet.table.next_row, at), cell, ColumnType::Text, mark, values)?;
        sheet.table.widths.observe(sheet.table.next_row, place, cell);
        if let Some(said) = said {
            notes.note(worksheet, (sheet.table.next_row, at), &said)?;
        }
    }
    Ok(())
}

/// The status that decides the colour of the tab: whether there is anything to fix or to review.
fn worst(counts: RowCounts) -> RowStatus {
    match (counts.failed, counts.unknown) {
        (0, 0) if counts.not_sent > 0 => RowStatus::NotSent,
        (0, 0) => RowStatus::Created,
        (0, _) => RowStatus::Unknown,
        _ => RowStatus::Failed,
    }
}

fn properties(summary: &RunSummary, began: DateTime) -> DocProperties {
    DocProperties::new()
        .set_title(title(summary))
        .set_subject(format!("run {}", summary.run_id))
        .set_author("tallyport")
        .set_comment(format!("Made by tallyport {} on {}", env!("CARGO_PKG_VERSION"), began.date()))
}

/// The column, where a sheet has one so far right.
fn in_sheet(place: usize) -> Option<u16> {
    u16::try_from(place).ok().filter(|&place| place < MAX_COLUMNS)
}
