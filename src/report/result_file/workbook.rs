//! The result as a workbook.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use rust_xlsxwriter::DocProperties;

use super::super::plan_book::{PLAN_SHEET, write_approved_page};
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
use crate::run::journal::ApprovedPage;
use crate::table::write::sheet::set_width;
use crate::table::write::streamed::{SheetLimits, StreamedColumn, StreamedSheet, StreamedWorkbook};
use crate::table::write::workbook::TableSheet;
use crate::table::write::xlsx::{
    CellFormats, CellMark, MAX_COLUMNS, MarkFills, text_width, truncate_to_cell, wrapped_lines,
};
use crate::table::write::{Access, AtomicFile, ColumnType, WriteError};
use crate::table::{Cell, Row};
use crate::wording::thousands;
use crate::written_files::WrittenFiles;

/// Widths in characters.
const NARROWEST: usize = 6;
const MESSAGE_WIDTH: usize = 72;
/// What a line of a message holds: widths count digits, and letters are narrower on average.
const MESSAGE_CHARS: usize = 80;
/// What a line of text takes in pixels, and the most lines a row shows (Excel allows 409 points).
const LINE_PIXELS: u32 = 20;
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
    pub(super) workbook: StreamedWorkbook,
    /// The list that the file is to be on.
    pub(super) list: Option<WrittenFiles>,
    began: DateTime,
    formats: ResultFormats,
    sheet: Option<ResultSheet>,
    errors: CellErrors,
    notes: SummaryNotes,
    /// The Summary's index.
    summary: usize,
}

/// The sheet that rows go to.
struct ResultSheet {
    sheet: StreamedSheet,
    /// The name it should have, were no other sheet called so.
    wanted: String,
    columns: ResultColumns,
    counts: RowCounts,
    tall_rows: usize,
}

/// A sheet that has ended.
struct ClosedSheet {
    table: TableSheet,
    wanted: String,
    columns: ResultColumns,
}

impl ResultWorkbook {
    pub(super) fn create(path: &Path, access: Access) -> Result<Self, WriteError> {
        let file = AtomicFile::create_for(path, access)?;
        let values = CellFormats::new(MarkFills { invalid: INVALID, changed: CHANGED });
        let mut workbook = StreamedWorkbook::new(Some(&file), values, COMPRESSION)?;
        let summary = workbook.writer().add_sheet(SUMMARY_SHEET)?;
        let formats = ResultFormats::new(workbook.writer());
        Ok(Self {
            file,
            workbook,
            list: None,
            began: jiff::ZonedDateTime::now().datetime(),
            formats,
            sheet: None,
            errors: CellErrors::new(),
            notes: SummaryNotes::default(),
            summary,
        })
    }

    pub(super) fn plan_page(&mut self, page: &ApprovedPage) -> Result<(), WriteError> {
        // A journal of an earlier version has none.
        if page.rows.is_empty() {
            return Ok(());
        }
        let writer = self.workbook.writer();
        let index = writer.add_sheet(PLAN_SHEET)?;
        writer.edit_sheet(index, |sheet| write_approved_page(sheet, page))
    }

    pub(super) fn start_sheet(&mut self, label: &str, name: &str, columns: ResultColumns) -> Result<(), WriteError> {
        self.close_sheet()?;
        self.notes.labels.push(label.to_owned());
        self.open_sheet(name, columns)
    }

    pub(super) fn row(&mut self, row: &Row, outcome: &RowOutcome, mode: ReportMode) -> Result<(), WriteError> {
        self.continue_if_full()?;
        let Self { file, workbook, formats, sheet, errors, notes, .. } = self;
        let Some(current) = sheet else { return Err(WriteError::NoSheet { path: file.path().to_owned() }) };
        errors.collect(outcome, &current.columns, mode);
        write_result_columns(workbook, current, outcome, mode, formats, errors.row_mark)?;
        write_values(workbook, current, row, outcome, errors, notes)?;
        notes.remember(&current.sheet.table, &current.columns, row, outcome);
        current.counts.add(outcome.status);
        workbook.end_row(&mut current.sheet)
    }

    /// The path that the file is meant for.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn losses(&self) -> Vec<String> {
        self.notes.losses()
    }

    pub(super) fn finish(mut self, summary: &RunSummary) -> Result<PathBuf, WriteError> {
        self.close_sheet()?;
        let Self { file, list, mut workbook, notes, began, formats, .. } = self;
        let writer = workbook.writer();
        look_alikes::write(writer, &summary.look_alikes, &formats)?;
        writer.set_properties(&properties(summary, began));
        writer.edit_sheet(self.summary, |sheet| summary_sheet::write(sheet, summary, &notes, began))?;
        workbook.save(file.as_file())?;
        file.listed_in(list.as_ref()).commit_or_numbered()
    }

    /// Continues in a new sheet when the current one is full.
    fn continue_if_full(&mut self) -> Result<(), WriteError> {
        if !self.sheet.as_ref().is_some_and(|current| self.workbook.is_full(&current.sheet)) {
            return Ok(());
        }
        let Some(ClosedSheet { table, wanted, columns }) = self.close_sheet()? else { return Ok(()) };
        self.open_sheet(&wanted, columns)?;
        let next = self.sheet.as_ref().map(|current| current.sheet.table.name.as_str()).unwrap_or_default();
        let limit = limit_text(self.workbook.limits, &table);
        self.notes.continued.push(format!("sheet `{}` continues in `{next}` (limit: {limit} per sheet)", table.name));
        Ok(())
    }

    fn open_sheet(&mut self, wanted: &str, columns: ResultColumns) -> Result<(), WriteError> {
        let ours = RESULT_HEADERS.into_iter().map(|text| StreamedColumn {
            text,
            format: &self.formats.ours,
            column_type: None,
        });
        let theirs = columns.kept(columns.width()).map(|column| StreamedColumn {
            text: columns.header(column).unwrap_or_default(),
            format: &self.formats.theirs,
            column_type: Some(ColumnType::Text),
        });
        let sheet = self.workbook.open_sheet(wanted, NARROWEST, &ours.chain(theirs).collect::<Vec<_>>())?;
        let (wanted, counts) = (wanted.to_owned(), RowCounts::default());
        self.sheet = Some(ResultSheet { sheet, wanted, columns, counts, tall_rows: 0 });
        Ok(())
    }

    /// Ends the current sheet, if there is one.
    fn close_sheet(&mut self) -> Result<Option<ClosedSheet>, WriteError> {
        let Some(ResultSheet { sheet, wanted, columns, counts, .. }) = self.sheet.take() else { return Ok(None) };
        let table = self.workbook.close_sheet(sheet, RESULT_COLUMNS as u16)?;
        self.workbook.writer().edit_sheet(table.index, |worksheet| {
            worksheet.set_tab_color(status_colors(worst(counts)).bar);
            set_width(worksheet, MESSAGE as u16, MESSAGE_WIDTH)
        })?;
        Ok(Some(ClosedSheet { table, wanted, columns }))
    }
}

fn write_result_columns(
    workbook: &mut StreamedWorkbook,
    current: &mut ResultSheet,
    outcome: &RowOutcome,
    mode: ReportMode,
    formats: &ResultFormats,
    row_mark: CellMark,
) -> Result<(), WriteError> {
    let text = current.columns.message(outcome, mode);
    let lines = wrapped_lines(&text, MESSAGE_CHARS);
    let wrap = if lines > 1 && current.tall_rows < MAX_TALL_ROWS { TextWrap::MultiLine } else { TextWrap::SingleLine };
    let height = (wrap == TextWrap::MultiLine).then(|| lines.min(MAX_LINES) as u32 * LINE_PIXELS);
    current.tall_rows += usize::from(height.is_some());

    let sheet = &mut current.sheet;
    workbook.begin_row(sheet, height)?;
    let wording = outcome.status.label(mode);
    sheet.rows.text(0, formats.status(outcome.status), wording);
    sheet.table.widths.observe_width(sheet.table.next_row, 0, || text_width(wording));
    if let Some(id) = outcome.id {
        sheet.rows.number(1, formats.id, id as f64);
    }
    if !text.is_empty() || row_mark != CellMark::Plain {
        sheet.rows.text(MESSAGE, formats.message(row_mark, wrap), truncate_to_cell(&text));
    }
    Ok(())
}

fn write_values(
    workbook: &mut StreamedWorkbook,
    current: &mut ResultSheet,
    row: &Row,
    outcome: &RowOutcome,
    errors: &mut CellErrors,
    notes: &mut SummaryNotes,
) -> Result<(), WriteError> {
    let ResultSheet { sheet, columns, .. } = current;
    let end = row.len().max(errors.end());
    for column in 0..end {
        let Some(place) = columns.place(column) else { continue };
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
        workbook.cell(sheet, place, cell, mark);
        let table = &mut sheet.table;
        table.widths.observe(table.next_row, place, cell);
        if let Some(said) = said {
            let (index, at) = (table.index, (table.next_row, at));
            workbook.writer().edit_sheet(index, |worksheet| notes.note(worksheet, at, &said))?;
        }
    }
    Ok(())
}

/// The limit that a full sheet has reached.
fn limit_text(limits: SheetLimits, full: &TableSheet) -> String {
    if full.next_row < limits.rows {
        return format!("{} MiB of cells", thousands(limits.size >> 20));
    }
    format!("{} rows", thousands(u64::from(limits.rows)))
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
