//! Writes the workbook. Lines go to disk as they come, however many there are.

use std::collections::{BTreeMap, HashSet};

use std::ops::Range;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{DataValidation, DocProperties, Format, FormatAlign, FormatBorder, XlsxError};

use super::action::PlanAction;
use super::digest::SheetDigest;
use super::lines::{PlanLine, StepDescriber};
use super::page::{PageText, write_page};
use super::stored::{PlanGroup, PlanHead, StoredStep, to_cells};
use super::{AUTHOR, DATA_SHEET, HEADERS, NO, PLAN_SHEET, PROBLEM, YES};
use crate::catalog::Catalog;
use crate::check::Problem;
use crate::error::Result;
use crate::plan::{RowStatus, Step, StepRole, WriteKind, order};
use crate::run::approved::records_with_key;
use crate::run::input::own_sheets::PLAN_DATA_HEADER;
use crate::run::journal::{Journal, RowState, SheetHeader};
use crate::schema::{self, Entity};
use crate::table::CellRef;
use crate::table::write::sheet::set_width;
use crate::table::write::styles::{INK, LINE, header_format};
use crate::table::write::workbook::{HeaderCell, TableSheet, WorkbookWriter};
use crate::table::write::xlsx::{MAX_ROWS, text_width, truncate_to_cell, wrapped_lines};
use crate::table::write::{Access, AtomicFile, WriteError};
use crate::written_files::WrittenFiles;
use rust_xlsxwriter::Color;

/// Widths in characters.
const NARROWEST: usize = 8;
const REASON_WIDTH: usize = 46;
/// What a line of a reason holds: widths count digits, and letters are narrower on average.
const REASON_CHARS: usize = 50;
const LINE_POINTS: f64 = 15.0;
/// Rows made tall for their reason: the workbook writer keeps the height of each in memory.
const MAX_TALL_ROWS: u32 = 50_000;
/// Drop-downs of a sheet: the workbook writer keeps each in memory.
const MAX_DROP_DOWNS: usize = 1_000;

/// What is put into a plan workbook.
pub(crate) struct PlanSource<'p> {
    /// Without its groups.
    pub head: PlanHead,
    pub journal: &'p Journal,
    pub sheets: &'p [SheetHeader],
    pub catalog: &'p Catalog,
    /// The fields that the rows of each sheet are matched by.
    pub match_on: Vec<Vec<&'static str>>,
    /// The check-outs of which the service sends e-mails.
    pub notifying: &'p HashSet<u32>,
    pub page: PageText,
    /// The list that the file is to be on.
    pub list: Option<WrittenFiles>,
}

impl PlanSource<'_> {
    /// A step with what `apply` has to know of it beyond what is sent.
    fn stored_step(&self, step: &Step, sheet: &str, line: u32) -> StoredStep {
        let mut stored = StoredStep::new(step, sheet, line);
        stored.notifies = self.notifying.contains(&step.number);
        if step.write == WriteKind::Create && step.entity.is_collection() {
            let of_row = self.match_on.get(usize::from(step.row.sheet)).filter(|_| step.role == StepRole::Row);
            let match_on = of_row.map_or(step.entity.key, Vec::as_slice);
            stored.same_key = records_with_key(step, match_on, self.catalog);
            if match_on != step.entity.key {
                stored.match_on = Some(match_on.iter().map(|name| (*name).to_owned()).collect());
            }
        }
        stored
    }
}

/// Writes the workbook, and returns where it stands.
///
/// # Errors
/// Where the file cannot be written or the plan cannot be read.
pub(crate) fn write_plan_book(path: &Path, access: Access, source: PlanSource<'_>) -> Result<PathBuf> {
    write_in_sheets(path, access, source, MAX_ROWS)
}

/// Writes the workbook with at most so many rows in a sheet.
pub(super) fn write_in_sheets(
    path: &Path,
    access: Access,
    source: PlanSource<'_>,
    rows_per_sheet: u32,
) -> Result<PathBuf> {
    let file = AtomicFile::create_for(path, access)?.listed_in(source.list.as_ref());
    let mut writer = WorkbookWriter::new(file.path(), Some(file.folder()))?;
    let page = writer.add_sheet(PLAN_SHEET)?;
    let book = PlanBookWriter::new(writer, source.head.clone(), rows_per_sheet)?;
    let (mut writer, mut head, digests) = book.fill(&source)?;
    let mut digest = SheetDigest::default();
    writer.edit_sheet(page, |sheet| write_page(sheet, &source.page, &mut head, &mut digest))?;
    writer.set_properties(
        &DocProperties::new()
            .set_title(&source.page.title)
            .set_subject(format!("plan {}", head.id))
            .set_author(AUTHOR)
            .set_comment(format!("Made by tallyport {}", env!("CARGO_PKG_VERSION"))),
    );
    let mut finished = digests;
    finished.sheets.push((PLAN_SHEET.to_owned(), digest.finish()));
    finished.write(&mut writer, &head)?;
    writer.save(file.as_file())?;
    Ok(file.commit_or_numbered()?)
}

/// The digests of the sheets, and the hidden sheet that they go to.
struct DataSheet {
    table: TableSheet,
    sheets: Vec<(String, String)>,
    digest: SheetDigest,
}

impl DataSheet {
    fn new(writer: &mut WorkbookWriter) -> Result<Self, WriteError> {
        let plain = Format::new();
        let header = PLAN_DATA_HEADER.map(|text| HeaderCell { text, format: &plain, column_format: None });
        let table = writer.add_table(DATA_SHEET, NARROWEST, header)?;
        writer.edit_sheet(table.index, |sheet| {
            sheet.set_very_hidden(true);
            Ok(())
        })?;
        Ok(Self { table, sheets: Vec::new(), digest: SheetDigest::default() })
    }

    fn row(&mut self, writer: &mut WorkbookWriter, kind: &str, cells: &[String]) -> Result<(), WriteError> {
        let row = self.table.next_row;
        writer.edit_sheet(self.table.index, |sheet| {
            sheet.write_string(row, 0, kind)?;
            for (column, text) in (1..).zip(cells) {
                sheet.write_string(row, column, text)?;
            }
            Ok(())
        })?;
        self.digest.cell(row, 0, kind);
        for (column, text) in (1..).zip(cells) {
            self.digest.cell(row, column, text);
        }
        self.table.next_row += 1;
        Ok(())
    }

    /// The head, and last the digest of each sheet.
    fn write(mut self, writer: &mut WorkbookWriter, head: &PlanHead) -> Result<(), WriteError> {
        let path = writer.path().to_path_buf();
        let cells = to_cells(head).map_err(|error| WriteError::from_io(&path, error.into()))?;
        self.row(writer, "head", &cells)?;
        let own = std::mem::take(&mut self.digest).finish();
        self.sheets.push((DATA_SHEET.to_owned(), own));
        for (sheet, digest) in std::mem::take(&mut self.sheets) {
            self.row(writer, "digest", &[sheet, digest])?;
        }
        Ok(())
    }
}

struct PlanBookWriter {
    writer: WorkbookWriter,
    head: PlanHead,
    data: DataSheet,
    styles: LineStyles,
    /// [`MAX_ROWS`]; less in tests.
    rows_per_sheet: u32,
}

/// The sheet that lines go to.
struct LineSheet {
    entity: &'static Entity,
    table: TableSheet,
    digest: SheetDigest,
    tall_rows: u32,
    /// The lines that have a drop-down: the first of each record.
    asked: Vec<Range<u32>>,
}

impl LineSheet {
    /// Notes that the next line is the first of a record.
    fn ask(&mut self) {
        let row = self.table.next_row;
        let is_last = self.asked.len() == MAX_DROP_DOWNS;
        match self.asked.last_mut() {
            Some(range) if range.end == row || is_last => range.end = row + 1,
            _ => self.asked.push(row..row + 1),
        }
    }
}

impl PlanBookWriter {
    fn new(mut writer: WorkbookWriter, head: PlanHead, rows_per_sheet: u32) -> Result<Self> {
        let data = DataSheet::new(&mut writer)?;
        Ok(Self { writer, head, data, styles: LineStyles::new(), rows_per_sheet })
    }

    /// Writes the sheet of every collection and action that has something.
    fn fill(mut self, source: &PlanSource<'_>) -> Result<(WorkbookWriter, PlanHead, DataSheet)> {
        let mut entities: Vec<&'static Entity> = schema::importable().collect();
        entities.sort_by_key(|entity| order::rank(entity));
        for entity in entities {
            self.fill_sheet(source, entity)?;
        }
        Ok((self.writer, self.head, self.data))
    }

    fn fill_sheet(&mut self, source: &PlanSource<'_>, entity: &'static Entity) -> Result<()> {
        let describer = StepDescriber::new(source.journal, source.sheets, source.catalog);
        let mut sheet: Option<LineSheet> = None;
        let mut groups: BTreeMap<PlanAction, u64> = BTreeMap::new();
        let mut written: Result<()> = Ok(());
        source.journal.each_planned_step(entity, &mut |step| {
            if written.is_ok() {
                *groups.entry(PlanAction::of(&step)).or_default() += 1;
                written = self.write_step(&mut sheet, source, &describer, &step);
            }
        })?;
        written?;
        for (index, header) in source.sheets.iter().enumerate().filter(|(_, header)| header.entity.name == entity.name)
        {
            let mut written: Result<()> = Ok(());
            source.journal.each_planned_row(index as u16, &mut |row| {
                let is_failed = row.planned.state == RowState::Ended && row.planned.status == RowStatus::Failed;
                if written.is_ok() && is_failed {
                    let problems = row.planned.problems.iter();
                    written = problems
                        .map(|problem| problem_line(header, row.number, problem))
                        .try_for_each(|line| self.write_problem(&mut sheet, entity, &line));
                }
            })?;
            written?;
        }
        self.head.groups.extend(groups.into_iter().map(|(action, records)| PlanGroup {
            entity: entity.name.to_owned(),
            action,
            records,
        }));
        sheet.map_or(Ok(()), |sheet| self.close(sheet))
    }

    fn write_step(
        &mut self,
        sheet: &mut Option<LineSheet>,
        source: &PlanSource<'_>,
        describer: &StepDescriber<'_>,
        step: &Step,
    ) -> Result<()> {
        let lines = describer.lines(step)?;
        self.make_room(sheet, step.entity, lines.len())?;
        let Some(sheet) = sheet else { return Ok(()) };
        let stored = source.stored_step(step, &sheet.table.name, sheet.table.next_row);
        let path = self.writer.path().to_path_buf();
        let cells = to_cells(&stored).map_err(|error| WriteError::from_io(&path, error.into()))?;
        self.data.row(&mut self.writer, "step", &cells)?;
        let action = PlanAction::of(step);
        sheet.ask();
        for (position, line) in lines.iter().enumerate() {
            let style = self.styles.of(action, position == 0);
            write_line(&mut self.writer, sheet, (action.as_str(), line), style)?;
        }
        Ok(())
    }

    fn write_problem(&mut self, sheet: &mut Option<LineSheet>, entity: &'static Entity, line: &PlanLine) -> Result<()> {
        self.make_room(sheet, entity, 1)?;
        let Some(sheet) = sheet else { return Ok(()) };
        Ok(write_line(&mut self.writer, sheet, (PROBLEM, line), &self.styles.problem)?)
    }

    /// Opens a sheet for so many lines, unless the present one has room for them: the lines of a record stay together.
    fn make_room(&mut self, sheet: &mut Option<LineSheet>, entity: &'static Entity, lines: usize) -> Result<()> {
        let is_full = |sheet: &LineSheet| sheet.table.next_row as usize + lines > self.rows_per_sheet as usize;
        if sheet.as_ref().is_some_and(is_full)
            && let Some(full) = sheet.take()
        {
            self.close(full)?;
        }
        if sheet.is_none() {
            let header = HEADERS.map(|text| HeaderCell { text, format: &self.styles.header, column_format: None });
            let table = self.writer.add_table(entity.name, NARROWEST, header)?;
            let mut digest = SheetDigest::default();
            (0..).zip(HEADERS).for_each(|(column, text)| digest.cell(0, column, text));
            *sheet = Some(LineSheet { entity, table, digest, tall_rows: 0, asked: Vec::new() });
        }
        Ok(())
    }

    fn close(&mut self, sheet: LineSheet) -> Result<()> {
        let LineSheet { entity, table, digest, asked, .. } = sheet;
        self.writer.finish_table(&table, 3)?;
        self.writer.edit_sheet(table.index, |page| {
            for lines in asked {
                page.add_data_validation(lines.start, 0, lines.end - 1, 0, &approval_choice()?)?;
            }
            set_width(page, 7, REASON_WIDTH)?;
            page.set_header(format!("&L{}", entity.help));
            Ok(())
        })?;
        self.data.sheets.push((table.name, digest.finish()));
        Ok(())
    }
}

/// The drop-down of an approval.
pub(super) fn approval_choice() -> Result<DataValidation, XlsxError> {
    let choice = DataValidation::new().allow_list_strings(&[YES, NO])?;
    choice
        .set_error_title("approve")?
        .set_error_message("yes, no, or nothing: then the group on the first sheet decides")
}

fn write_line(
    writer: &mut WorkbookWriter,
    sheet: &mut LineSheet,
    (action, line): (&str, &PlanLine),
    style: &LineStyle,
) -> Result<(), WriteError> {
    let row = sheet.table.next_row;
    let texts = [action, &line.record, &line.field, &line.old, &line.new, &line.source, &line.reason];
    let reason_lines = wrapped_lines(&line.reason, REASON_CHARS);
    let is_tall = reason_lines > 1 && sheet.tall_rows < MAX_TALL_ROWS;
    sheet.tall_rows += u32::from(is_tall);
    writer.edit_sheet(sheet.table.index, |page| {
        if is_tall {
            page.set_row_height(row, reason_lines as f64 * LINE_POINTS)?;
        }
        page.write_blank(row, 0, &style.approve)?;
        for (column, text) in (1..).zip(texts) {
            let format = match column {
                1 => &style.action,
                7 => &style.wrapped,
                _ => &style.text,
            };
            page.write_string_with_format(row, column, truncate_to_cell(text), format)?;
        }
        Ok(())
    })?;
    for (column, text) in (1..).zip(texts) {
        sheet.digest.cell(row, column, truncate_to_cell(text));
        sheet.table.widths.observe_width(row, column, || text_width(text));
    }
    sheet.table.next_row += 1;
    Ok(())
}

/// A row that cannot be approved, and why.
fn problem_line(sheet: &SheetHeader, row: u64, problem: &Problem) -> PlanLine {
    let header = problem.column.and_then(|column| sheet.header_of(column)).unwrap_or_default();
    let at = match problem.column {
        Some(column) => CellRef { row, column }.to_string(),
        None => format!("row {row}"),
    };
    let hint = problem.error.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    PlanLine {
        record: format!("row {row}"),
        field: header.to_owned(),
        old: String::new(),
        new: problem.found.to_string(),
        source: format!("{} {at}", sheet.label),
        reason: format!("{}{hint}", problem.error.message),
    }
}

/// The formats of one line.
struct LineStyle {
    approve: Format,
    action: Format,
    text: Format,
    /// Of texts that may be long.
    wrapped: Format,
}

struct LineStyles {
    header: Format,
    actions: Vec<(PlanAction, LineStyle, LineStyle)>,
    problem: LineStyle,
}

impl LineStyles {
    fn new() -> Self {
        use PlanAction::{CheckIn, CheckOut, Clear, Create, Delete, Update};
        let actions = [Create, Update, Clear, Delete, CheckOut, CheckIn];
        Self {
            header: header_format(INK),
            actions: actions.map(|action| (action, line_style(action, true), line_style(action, false))).into(),
            problem: problem_style(),
        }
    }

    /// The style of a line, the first of its record or another one.
    fn of(&self, action: PlanAction, is_first: bool) -> &LineStyle {
        let known = self.actions.iter().find(|(known, ..)| *known == action);
        known.map_or(&self.problem, |(_, first, other)| if is_first { first } else { other })
    }
}

/// What may be filled in.
pub(super) const INPUT: Color = Color::RGB(0x00FF_F9DB);

fn cell() -> Format {
    Format::new().set_align(FormatAlign::Top).set_num_format("@")
}

fn line_style(action: PlanAction, is_first: bool) -> LineStyle {
    let (fill, ink) = match action {
        PlanAction::Create => (0x00E2_F3E6, 0x0000_6100),
        PlanAction::Update | PlanAction::CheckOut | PlanAction::CheckIn => (0x00E8_EEF7, 0x001F_3864),
        PlanAction::Clear | PlanAction::Delete => (0x00FF_E3D6, 0x009C_2A00),
    };
    let border = if is_first { FormatBorder::Thin } else { FormatBorder::None };
    let base = cell().set_border_top(border).set_border_top_color(LINE);
    let coloured = base.clone().set_background_color(Color::RGB(fill)).set_font_color(Color::RGB(ink));
    let stands_out = matches!(action, PlanAction::Clear | PlanAction::Delete);
    LineStyle {
        // Only the first line of a record is asked.
        approve: if is_first { base.clone().set_background_color(INPUT) } else { base.clone() },
        action: if stands_out { coloured.clone().set_bold() } else { coloured.clone() },
        wrapped: if stands_out { coloured.clone().set_text_wrap() } else { base.clone().set_text_wrap() },
        text: if stands_out { coloured } else { base },
    }
}

fn problem_style() -> LineStyle {
    let red = cell().set_background_color(Color::RGB(0x00FF_C7CE)).set_font_color(Color::RGB(0x009C_0006));
    let (action, wrapped) = (red.clone().set_bold(), red.clone().set_text_wrap());
    LineStyle { approve: red.clone(), action, wrapped, text: red }
}
