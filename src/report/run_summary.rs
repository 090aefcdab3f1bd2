//! The facts of a run that every report shows.

use std::borrow::Cow;
use std::path::PathBuf;

use super::change_tally::ChangeTally;
use super::tally::ProblemTally;
use crate::api::RequestCounts;
use crate::check::{Remark, RemarkCode};
use crate::mapping::{IgnoredColumn, SheetMapping};
use crate::paths::distinct_name;
use crate::plan::{LookAlikes, ReportMode, RowCounts, RunEstimate};
use crate::run::journal::{ApprovedPage, RunKind};

/// What a finished run reports.
#[derive(Debug)]
pub struct RunSummary {
    pub run_id: String,
    pub command: RunCommand,
    pub dry_run: bool,
    pub files: Vec<String>,
    pub sheets: Vec<SheetSummary>,
    /// Sheets that were not read: name and why.
    pub skipped_sheets: Vec<(String, String)>,
    /// The options that differ from their defaults: name and value.
    pub options: Vec<(String, String)>,
    pub requests: RequestCounts,
    /// What a run would take; on a dry run only.
    pub planned: Option<RunEstimate>,
    /// Who approved the plan that was applied, and when: labels and texts.
    pub approval: Vec<(&'static str, String)>,
    /// The first sheet of the plan that was applied.
    pub(crate) plan: Option<ApprovedPage>,
    /// How long it took.
    pub seconds: f64,
    pub problems: ProblemTally,
    /// What updates change, or would change in a dry run.
    pub changes: ChangeTally,
    /// The result file, where one was written.
    pub result: Option<PathBuf>,
    /// Commands to run next, the best first.
    pub next: Vec<String>,
    /// Anything else the user should know.
    pub remarks: Vec<Remark>,
    /// Of a dry run of a result: the run that wrote the result, where it is certain.
    pub(crate) earlier_run: Option<String>,
    /// Which column of each sheet feeds which field.
    pub mapping: Vec<SheetMapping>,
    /// Names that look alike, and what is decided about them.
    pub look_alikes: LookAlikes,
    /// Why the run ended before its last row.
    pub stopped: Option<String>,
}

/// What became of one sheet.
#[derive(Debug, Clone)]
pub struct SheetSummary {
    pub file: String,
    /// None if the file has no sheets, such as a CSV file.
    pub sheet: Option<String>,
    /// The collection's or action's name.
    pub entity: &'static str,
    /// The rows read, header and blank rows not counted.
    pub rows: u64,
    pub counts: RowCounts,
    /// How the text was read, such as `UTF-8, comma`.
    pub decoding: Option<String>,
    /// The columns that feed no field.
    pub ignored: Vec<IgnoredColumn>,
}

/// The command that a summary is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunCommand {
    Check,
    Import,
    Delete,
    Undo,
    Apply,
}

impl RunCommand {
    /// Its name on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            RunCommand::Check => "check",
            RunCommand::Import => RunKind::Import.command(),
            RunCommand::Delete => RunKind::Delete.command(),
            RunCommand::Undo => RunKind::Undo.command(),
            RunCommand::Apply => RunKind::Apply.command(),
        }
    }
}

impl From<RunKind> for RunCommand {
    fn from(kind: RunKind) -> Self {
        match kind {
            RunKind::Import => RunCommand::Import,
            RunKind::Delete => RunCommand::Delete,
            RunKind::Undo => RunCommand::Undo,
            RunKind::Apply => RunCommand::Apply,
        }
    }
}

impl RunSummary {
    /// A run of which nothing is known yet but its name.
    pub fn new(command: RunCommand, run_id: String) -> Self {
        Self {
            run_id,
            command,
            dry_run: false,
            files: Vec::new(),
            sheets: Vec::new(),
            skipped_sheets: Vec::new(),
            options: Vec::new(),
            approval: Vec::new(),
            plan: None,
            requests: RequestCounts::default(),
            planned: None,
            seconds: 0.0,
            problems: ProblemTally::default(),
            changes: ChangeTally::default(),
            result: None,
            next: Vec::new(),
            remarks: Vec::new(),
            earlier_run: None,
            mapping: Vec::new(),
            look_alikes: LookAlikes::default(),
            stopped: None,
        }
    }

    /// Adds a remark.
    pub(crate) fn remark(&mut self, code: RemarkCode, message: impl Into<String>) {
        self.remarks.push(Remark::new(code, message));
    }

    /// Whether its statuses tell what was done, would be done, or was only checked.
    pub fn report_mode(&self) -> ReportMode {
        match (self.command, self.dry_run) {
            (RunCommand::Check, _) => ReportMode::Check,
            (_, true) => ReportMode::DryRun,
            (_, false) => ReportMode::Done,
        }
    }

    /// The rows that an undo could not undo: its skipped ones. In an import, rows are skipped on request.
    pub fn left(&self) -> u64 {
        if self.command == RunCommand::Undo { self.counts().skipped } else { 0 }
    }

    /// All sheets together.
    pub fn counts(&self) -> RowCounts {
        let mut total = RowCounts::default();
        self.sheets.iter().for_each(|sheet| total += sheet.counts);
        total
    }

    /// The rows read.
    pub fn rows(&self) -> u64 {
        self.sheets.iter().map(|sheet| sheet.rows).sum()
    }

    /// The rows that were read but have no outcome, because the run stopped before them.
    pub fn rows_left(&self) -> u64 {
        self.rows().saturating_sub(self.counts().rows())
    }

    /// Whether the run ended before its last row was sent, so that resuming comes before fixing: the rest needs no
    /// fixing, and what is fixed in the result meanwhile would not be read by `resume`.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.stopped.is_some() && self.report_mode() == ReportMode::Done
    }

    /// What people call one of its sheets: the sheet's name, after the file's where there are several files.
    pub fn label<'a>(&self, sheet: &'a SheetSummary) -> Cow<'a, str> {
        match &sheet.sheet {
            Some(name) if self.files.len() < 2 => Cow::Borrowed(name),
            Some(name) => Cow::Owned(format!("{} › {name}", distinct_name(&sheet.file, &self.files))),
            None => Cow::Owned(distinct_name(&sheet.file, &self.files)),
        }
    }
}
