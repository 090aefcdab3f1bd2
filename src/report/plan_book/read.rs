//! Reads a plan workbook back: its head and steps, what was approved, and whether anything else was changed.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::digest::SheetDigest;
use super::stored::{FORMAT, PlanHead, StoredStep};
use super::{DATA_SHEET, NO, PLAN_SHEET, PROBLEM, YES};
use crate::error::Diagnostic;
use crate::run::journal::ApprovedPage;
use crate::table::{CellRef, Input, ReadError, ReadOptions, Row, Workbook};

/// A plan workbook as it was read.
#[derive(Debug)]
pub(crate) struct PlanBook {
    pub(crate) path: PathBuf,
    pub(crate) head: PlanHead,
    /// In the order of the plan.
    pub(crate) steps: Vec<StepText>,
    /// The collection or action of each sheet that has a step.
    pub(crate) entities: HashMap<String, String>,
    /// The sheets of lines, in their order.
    pub(crate) sheets: Vec<String>,
    /// The first sheet, as it was approved.
    pub(crate) page: ApprovedPage,
    /// By sheet and row, from 0.
    approvals: HashMap<(String, u32), Approval>,
    /// A digest over the whole plan.
    pub(crate) digest: String,
}

/// A step as the text that it was stored as: there may be very many, and a text takes a fraction of the memory.
#[derive(Debug)]
pub(crate) struct StepText {
    pub(crate) number: u32,
    pub(crate) text: Box<str>,
}

impl StepText {
    /// None if it is not a step, which was found out when it was read.
    pub(crate) fn parse(&self) -> Option<StoredStep> {
        serde_json::from_str(&self.text).ok()
    }
}

/// What somebody says to a record or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    Yes,
    No,
}

/// Why a workbook is no plan that can be applied. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanBookError {
    #[error(transparent)]
    Read(ReadError),
    #[error("`{}` is not a plan of tallyport", path.display())]
    NoPlan { path: PathBuf },
    #[error("`{}` was made by a newer tallyport ({version})", path.display())]
    Newer { path: PathBuf, version: String },
    #[error("the plan `{}` was edited: sheet `{sheet}` is not as it was written", path.display())]
    Edited { path: PathBuf, sheet: String },
    #[error("{at} of sheet `{sheet}`: `{found}` is neither yes nor no")]
    BadApproval { sheet: String, at: CellRef, found: String },
    #[error("{at} of sheet `{sheet}`: `{found}` differs from {first}, the first line of the record, which counts")]
    StrayApproval { sheet: String, at: CellRef, found: String, first: CellRef },
    #[error("{at} of sheet `{sheet}`: `{found}` where nothing can be approved")]
    NothingToApprove { sheet: String, at: CellRef, found: String },
}

impl Diagnostic for PlanBookError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            PlanBookError::Read(error) => return error.hint(),
            PlanBookError::NoPlan { .. } => {
                String::from("name the workbook that `tallyport import ... --plan PATH` wrote")
            }
            PlanBookError::Newer { .. } => String::from("update tallyport, or make the plan again"),
            PlanBookError::Edited { .. } => String::from(
                "only the column `approve` may be changed, and rows must stay in their order; make the plan again",
            ),
            PlanBookError::BadApproval { .. } => String::from("write yes or no, or leave it blank"),
            PlanBookError::StrayApproval { at, first, .. } => {
                format!("a record is sent as a whole: write yes or no into {first}, and clear {at}")
            }
            PlanBookError::NothingToApprove { at, .. } => format!("clear {at}"),
        })
    }
}

impl From<ReadError> for PlanBookError {
    fn from(error: ReadError) -> Self {
        PlanBookError::Read(error)
    }
}

impl PlanBook {
    /// Reads a plan, and finds out whether only approvals were changed in it.
    ///
    /// # Errors
    /// Where the file cannot be read, is no plan, or was edited.
    pub(crate) fn read(path: &Path) -> Result<Self, PlanBookError> {
        let no_plan = || PlanBookError::NoPlan { path: path.to_path_buf() };
        let mut book = Workbook::open(&Input::from_arg(path), &ReadOptions::default())?;
        let names: Vec<Option<String>> = book.sheets().iter().map(|sheet| sheet.name.clone()).collect();
        let data = names.iter().position(|name| name.as_deref() == Some(DATA_SHEET)).ok_or_else(no_plan)?;
        let stored = StoredPlan::read(&mut book, data)?;
        let head = stored.head.ok_or_else(no_plan)?;
        if head.format > FORMAT {
            return Err(PlanBookError::Newer { path: path.to_path_buf(), version: head.tallyport });
        }
        let edited = |sheet: &str| PlanBookError::Edited { path: path.to_path_buf(), sheet: sheet.to_owned() };
        if stored.is_damaged || stored.digests.get(DATA_SHEET) != Some(&stored.digest) {
            return Err(edited(DATA_SHEET));
        }
        let mut plan = Self {
            path: path.to_path_buf(),
            digest: stored.digest.clone(),
            steps: stored.steps,
            entities: stored.entities,
            sheets: Vec::new(),
            page: ApprovedPage { rows: Vec::new(), groups_at: head.groups_at, groups: head.groups.len() as u32 },
            approvals: HashMap::new(),
            head,
        };
        plan.steps.sort_by_key(|step| step.number);
        let mut seen = 1;
        for (index, name) in names.iter().enumerate().filter(|(index, _)| *index != data) {
            let name = name.as_deref().unwrap_or_default();
            // Whatever somebody adds beside the plan is theirs.
            let Some(digest) = stored.digests.get(name) else { continue };
            seen += 1;
            let lines = stored.first_lines.get(name);
            plan.read_sheet(&mut book, (index, name), digest, lines)?;
            if name != PLAN_SHEET {
                plan.sheets.push(name.to_owned());
            }
        }
        match stored.digests.keys().find(|name| !names.iter().flatten().any(|known| known == *name)) {
            Some(missing) if seen < stored.digests.len() => Err(edited(missing)),
            _ => Ok(plan),
        }
    }

    /// Reads the approvals of a sheet, of which everything else must be as it was written.
    fn read_sheet(
        &mut self,
        book: &mut Workbook,
        (index, name): (usize, &str),
        written: &str,
        first_lines: Option<&HashSet<u32>>,
    ) -> Result<(), PlanBookError> {
        let groups = self.head.groups_at..self.head.groups_at + self.head.groups.len() as u32;
        let is_plan = name == PLAN_SHEET;
        let is_approval = |row: u32| if is_plan { groups.contains(&row) } else { row > 0 };
        let mut digest = SheetDigest::default();
        let mut bad = None;
        let mut found = HashMap::new();
        let mut record = RecordApproval::default();
        let mut page = Vec::new();
        book.each_row(index, &mut |row: &Row| {
            let number = (row.number - 1) as u32;
            if is_plan && row.cells().any(|cell| !cell.is_blank()) {
                page.push((number, row.cells().map(|cell| cell.text.to_owned()).collect()));
            }
            for (column, cell) in row.cells().enumerate().filter(|(column, _)| *column > 0 || !is_approval(number)) {
                digest.cell(number, column, cell.text);
            }
            if !is_approval(number) || bad.is_some() {
                return ControlFlow::Continue(());
            }
            if is_plan || first_lines.is_some_and(|lines| lines.contains(&number)) {
                record = RecordApproval { first: Some(row.number), said: None };
            } else if row.cell(1).text == PROBLEM || row.cell(1).is_blank() {
                record = RecordApproval::default();
            }
            match record.read(name, row) {
                Ok(Some(approval)) => drop(found.insert((name.to_owned(), number), approval)),
                Ok(None) => {}
                Err(error) => bad = Some(error),
            }
            ControlFlow::Continue(())
        })?;
        if digest.finish() != written {
            return Err(PlanBookError::Edited { path: self.path.clone(), sheet: name.to_owned() });
        }
        self.page.rows.append(&mut page);
        self.approvals.extend(found);
        bad.map_or(Ok(()), Err)
    }

    /// Whether a step was approved: by its record's line, else by its group.
    pub(crate) fn is_approved(&self, step: &StoredStep) -> bool {
        if let Some(approval) = self.approvals.get(&(step.sheet.clone(), step.line)) {
            return *approval == Approval::Yes;
        }
        let Some((entity, write)) = step.target() else { return false };
        let action = super::PlanAction::of_write(entity, write, &step.body, step.before.as_ref());
        let group = self.head.groups.iter().position(|group| group.entity == step.entity && group.action == action);
        let row = group.map(|group| self.head.groups_at + group as u32);
        let said = row.and_then(|row| self.approvals.get(&(PLAN_SHEET.to_owned(), row)));
        said.is_some_and(|approval| *approval == Approval::Yes)
    }

    /// Calls back with the lines of a sheet, header included, rows counting from 1, until it breaks off.
    ///
    /// # Errors
    /// Where the file cannot be read any more.
    pub(crate) fn each_line(
        &self,
        sheet: &str,
        on_line: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<(), PlanBookError> {
        let mut book = Workbook::open(&Input::from_arg(&self.path), &ReadOptions::default())?;
        let index = book.sheets().iter().position(|known| known.name.as_deref() == Some(sheet));
        let index = index.ok_or_else(|| PlanBookError::NoPlan { path: self.path.clone() })?;
        book.each_row(index, &mut |row: &Row| on_line(row))?;
        Ok(())
    }
}

/// What the lines of a record, or the line of a group, say.
#[derive(Default)]
struct RecordApproval {
    /// The row of its first line, from 1. `None` for what cannot be approved.
    first: Option<u64>,
    /// What the first line says.
    said: Option<Approval>,
}

impl RecordApproval {
    /// Reads the approval of the next line. Only the first counts, and another one must not contradict it.
    fn read(&mut self, sheet: &str, row: &Row) -> Result<Option<Approval>, PlanBookError> {
        let (at, text) = (CellRef { row: row.number, column: 0 }, row.cell(0).text);
        let (sheet, found) = (|| sheet.to_owned(), || text.to_owned());
        let Ok(approval) = approval(text) else {
            return Err(PlanBookError::BadApproval { sheet: sheet(), at, found: found() });
        };
        match self.first {
            Some(first) if first == row.number => {
                self.said = approval;
                Ok(approval)
            }
            Some(first) if approval.is_some() && approval != self.said => {
                let first = CellRef { row: first, column: 0 };
                Err(PlanBookError::StrayApproval { sheet: sheet(), at, found: found(), first })
            }
            None if approval == Some(Approval::Yes) => {
                Err(PlanBookError::NothingToApprove { sheet: sheet(), at, found: found() })
            }
            _ => Ok(None),
        }
    }
}

/// What an approval cell says. A blank cell says nothing.
fn approval(text: &str) -> Result<Option<Approval>, ()> {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "" => Ok(None),
        YES | "y" | "true" => Ok(Some(Approval::Yes)),
        NO | "n" | "false" => Ok(Some(Approval::No)),
        _ => Err(()),
    }
}

/// The hidden sheet.
#[derive(Default)]
struct StoredPlan {
    head: Option<PlanHead>,
    steps: Vec<StepText>,
    entities: HashMap<String, String>,
    /// The first line of each step, by sheet.
    first_lines: HashMap<String, HashSet<u32>>,
    digests: HashMap<String, String>,
    digest: String,
    is_damaged: bool,
}

impl StoredPlan {
    fn read(book: &mut Workbook, sheet: usize) -> Result<Self, ReadError> {
        let mut stored = Self::default();
        let mut digest = SheetDigest::default();
        book.each_row(sheet, &mut |row: &Row| {
            if row.number == 1 {
                return ControlFlow::Continue(());
            }
            let kind = row.cell(0).text.to_owned();
            if kind == "digest" {
                stored.digests.insert(row.cell(1).text.to_owned(), row.cell(2).text.to_owned());
                return ControlFlow::Continue(());
            }
            row.cells().enumerate().for_each(|(column, cell)| digest.cell((row.number - 1) as u32, column, cell.text));
            let text: String = row.cells().skip(1).map(|cell| cell.text).collect();
            match kind.as_str() {
                "head" => stored.head = stored.parse(&text),
                "step" => {
                    if let Some(step) = stored.parse::<StoredStep>(&text) {
                        stored.steps.push(StepText { number: step.number, text: text.into_boxed_str() });
                        stored.first_lines.entry(step.sheet.clone()).or_default().insert(step.line);
                        stored.entities.entry(step.sheet).or_insert(step.entity);
                    }
                }
                _ => stored.is_damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        stored.digest = digest.finish();
        Ok(stored)
    }

    fn parse<T: DeserializeOwned>(&mut self, text: &str) -> Option<T> {
        let parsed = serde_json::from_str(text).ok();
        self.is_damaged |= parsed.is_none();
        parsed
    }
}
