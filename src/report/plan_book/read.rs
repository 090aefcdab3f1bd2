//! Reads a plan workbook back: its head and steps, what was approved, and whether anything else was changed.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::digest::SheetDigest;
use super::stored::{FORMAT, PlanHead, StoredStep};
use super::{DATA_SHEET, NO, PLAN_SHEET, YES};
use crate::error::Diagnostic;
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
            if plan.read_sheet(&mut book, index, name)? != *digest {
                return Err(edited(name));
            }
            if name != PLAN_SHEET {
                plan.sheets.push(name.to_owned());
            }
        }
        match stored.digests.keys().find(|name| !names.iter().flatten().any(|known| known == *name)) {
            Some(missing) if seen < stored.digests.len() => Err(edited(missing)),
            _ => Ok(plan),
        }
    }

    /// Reads the approvals of a sheet. Returns the digest of everything else.
    fn read_sheet(&mut self, book: &mut Workbook, index: usize, name: &str) -> Result<String, PlanBookError> {
        let groups = self.head.groups_at..self.head.groups_at + self.head.groups.len() as u32;
        let is_approval = |row: u32| if name == PLAN_SHEET { groups.contains(&row) } else { row > 0 };
        let mut digest = SheetDigest::default();
        let mut bad = None;
        let mut found = HashMap::new();
        book.each_row(index, &mut |row: &Row| {
            let number = (row.number - 1) as u32;
            for (column, cell) in row.cells().enumerate() {
                if column > 0 || !is_approval(number) {
                    digest.cell(number, column, cell.text);
                    continue;
                }
                match approval(cell.text) {
                    Ok(Some(approval)) => drop(found.insert((name.to_owned(), number), approval)),
                    Ok(None) => {}
                    Err(()) => bad = bad.take().or(Some((row.number, cell.text.to_owned()))),
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some((row, found)) = bad {
            let at = CellRef { row, column: 0 };
            return Err(PlanBookError::BadApproval { sheet: name.to_owned(), at, found });
        }
        self.approvals.extend(found);
        Ok(digest.finish())
    }

    /// Whether a step was approved: by its record's line, else by its group.
    pub(crate) fn is_approved(&self, step: &StoredStep) -> bool {
        if let Some(approval) = self.approvals.get(&(step.sheet.clone(), step.line)) {
            return *approval == Approval::Yes;
        }
        let Some((entity, write)) = step.target() else { return false };
        let action = super::PlanAction::of_write(entity, write, &step.body);
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
