//! The lines of a step, for people: the record, and each field with its old and new value.

use std::cell::RefCell;
use std::collections::HashMap;
use std::iter::Peekable;

use serde_json::Value as Json;

use super::action::PlanAction;
use crate::api::{Record, custom_fields};
use crate::catalog::{Catalog, RecordRef};
use crate::plan::{FieldChange, ItemHolders, SOMEBODY, Step, StepRole, WriteKind, value_text};
use crate::run::journal::{Journal, JournalError, RowOutcomes, SheetHeader, Unfinished};
use crate::schema::{self, CUSTOM_FIELDS, Deletion, Entity, Field, Kind, Meaning, Role};
use crate::table::CellRef;

/// A line of a collection's sheet, without `approve` and `action`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PlanLine {
    pub(super) record: String,
    pub(super) field: String,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) source: String,
    pub(super) reason: String,
}

/// What describing the steps of a plan needs.
pub(super) struct StepDescriber<'d> {
    journal: &'d Journal,
    sheets: &'d [SheetHeader],
    catalog: &'d Catalog,
    /// The rows of each sheet from the one at hand on.
    rows: RefCell<HashMap<u16, Peekable<RowOutcomes<'d>>>>,
}

impl<'d> StepDescriber<'d> {
    pub(super) fn new(journal: &'d Journal, sheets: &'d [SheetHeader], catalog: &'d Catalog) -> Self {
        Self { journal, sheets, catalog, rows: RefCell::default() }
    }

    /// What the row of a step changes, with the cells; the steps of a sheet come in the order of its rows.
    fn changes(&self, step: &Step) -> Result<Vec<FieldChange>, JournalError> {
        let (WriteKind::Update(_), StepRole::Row) = (step.write, step.role) else { return Ok(Vec::new()) };
        let mut sheets = self.rows.borrow_mut();
        let rows = sheets.entry(step.row.sheet);
        let rows = rows.or_insert_with(|| self.journal.row_outcomes(step.row.sheet, Unfinished::DryRun).peekable());
        while let Some(row) = rows.next_if(|row| row.as_ref().map_or(true, |row| row.number <= step.row.row)) {
            let row = row?;
            if row.number == step.row.row {
                return Ok(row.outcome.changes);
            }
        }
        Ok(Vec::new())
    }

    /// The lines of a step; at least one.
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub(super) fn lines(&self, step: &Step) -> Result<Vec<PlanLine>, JournalError> {
        let record = self.record(step);
        let action = PlanAction::of(step);
        let changes = self.changes(step)?;
        let mut lines = Vec::new();
        if action == PlanAction::Delete {
            lines.push(PlanLine {
                old: record.clone(),
                source: self.source(step, None, &changes),
                ..PlanLine::default()
            });
        } else {
            let item = step.entity.item().map(|(field, _)| field.name);
            for field in step.entity.fields.iter().filter(|field| Some(field.name) != item) {
                self.field_lines(step, (field, &changes), &mut lines)?;
            }
        }
        if lines.is_empty() {
            lines.push(PlanLine { source: self.source(step, None, &changes), ..PlanLine::default() });
        }
        for line in &mut lines {
            line.record.clone_from(&record);
        }
        if let Some(first) = lines.first_mut() {
            let reason = self.reason(step, action);
            first.reason = [reason, std::mem::take(&mut first.reason)]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<String>>()
                .join("; ");
        }
        Ok(lines)
    }

    fn field_lines(
        &self,
        step: &Step,
        (field, changes): (&'static Field, &[FieldChange]),
        lines: &mut Vec<PlanLine>,
    ) -> Result<(), JournalError> {
        let before = step.before.as_ref().and_then(|before| before.get(field.name));
        if field.name == CUSTOM_FIELDS {
            let sent = step.body.get(field.name).into_iter();
            lines.extend(sent.flat_map(|value| self.custom_lines(step, (value, before), changes)));
            return Ok(());
        }
        let awaited = step.depends_on.iter().find(|awaited| awaited.field.as_deref() == Some(field.name));
        let new = match (step.body.get(field.name), awaited) {
            (Some(value), _) => value_text(self.catalog, field, value),
            (None, Some(awaited)) => match self.journal.step(awaited.step)? {
                Some(made) => format!("{} (new)", made.title().unwrap_or(made.entity.singular)),
                None => String::from("new"),
            },
            (None, None) => return Ok(()),
        };
        let old = match step.entity.is_action() {
            true => self.old_holder(step, field)?,
            false => before.map(|old| value_text(self.catalog, field, old)).unwrap_or_default(),
        };
        let reason = self.call_out(step, field, &new);
        let source = self.source(step, Some(field.name), changes);
        lines.push(PlanLine { field: field_word(field).to_owned(), old, new, source, reason, ..PlanLine::default() });
        Ok(())
    }

    /// A line for each custom field that changes.
    fn custom_lines(
        &self,
        step: &Step,
        (value, before): (&Json, Option<&Json>),
        changes: &[FieldChange],
    ) -> Vec<PlanLine> {
        let held = before.map(custom_fields).unwrap_or_default();
        let old = |name: &str| held.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let fields = custom_fields(value).into_iter().map(|(name, new)| (old(&name).unwrap_or_default(), name, new));
        let changed = fields.filter(|(old, _, new)| old != new);
        let line = |(old, name, new): (String, String, String)| PlanLine {
            source: self.source(step, Some(&format!("custom:{name}")), changes),
            reason: if new.trim().is_empty() { emptied(step) } else { String::new() },
            field: format!("custom:{name}"),
            old,
            new,
            ..PlanLine::default()
        };
        changed.map(line).collect()
    }

    /// Who has the item of an action now, beside the field that says who gets it.
    fn old_holder(&self, step: &Step, field: &Field) -> Result<String, JournalError> {
        if step.entity.holders().all(|holder| holder.name != field.name) {
            return Ok(String::new());
        }
        let name = |entry: &Json| {
            let named = step.entity.holders().find_map(|holder| Some((holder, entry.get(holder.name)?)));
            named.map(|(holder, value)| value_text(self.catalog, holder, value)).filter(|name| !name.is_empty())
        };
        let names = |before: &Record| match ItemHolders::of(before) {
            ItemHolders::NotReported => None,
            ItemHolders::Nobody => Some(String::new()),
            ItemHolders::Unnamed => Some(SOMEBODY.to_owned()),
            ItemHolders::Listed(entries) => Some(entries.iter().filter_map(name).collect::<Vec<_>>().join(", ")),
        };
        let mut held = step.before.as_ref().and_then(names);
        // Of an item that comes back first, the step before knows.
        for awaited in step.depends_on.iter().filter(|awaited| awaited.field.is_none()) {
            let earlier = self.journal.step(awaited.step)?.filter(|earlier| earlier.entity.is_action());
            held = earlier.and_then(|earlier| earlier.before.as_ref().and_then(names)).or(held);
        }
        Ok(held.unwrap_or_default())
    }

    /// What the step is about: its title, and its id where the account has it.
    fn record(&self, step: &Step) -> String {
        let known = |entity: &Entity, id: i64| {
            let name = self.catalog.describe(entity.name, RecordRef::Known(id));
            let mark = format!("#{id}");
            if name == mark { name } else { format!("{name} ({mark})") }
        };
        match (step.write, step.entity.item()) {
            (WriteKind::Update(id) | WriteKind::Delete(id), _) => known(step.entity, id),
            (WriteKind::Create, None) => format!("{} (new)", step.title().unwrap_or(step.entity.singular)),
            (WriteKind::Create, Some((field, reference))) => match step.body.get(field.name) {
                Some(Json::String(tag)) => tag.clone(),
                Some(Json::Number(id)) => match (id.as_i64(), schema::collection(reference.to)) {
                    (Some(id), Some(entity)) => known(entity, id),
                    _ => id.to_string(),
                },
                _ => match self.awaited_item(step, field.name) {
                    Some(title) => format!("{title} (new)"),
                    None => String::from("new"),
                },
            },
        }
    }

    fn awaited_item(&self, step: &Step, field: &str) -> Option<String> {
        let awaited = step.depends_on.iter().find(|awaited| awaited.field.as_deref() == Some(field))?;
        let made = self.journal.step(awaited.step).ok()??;
        made.title().map(str::to_owned)
    }

    /// Why the step is there.
    fn reason(&self, step: &Step, action: PlanAction) -> String {
        match (action, step.role) {
            (PlanAction::Create, StepRole::Row) => String::from("the account does not have it"),
            (PlanAction::Create, StepRole::Dependency) => {
                String::from("a row names it, and the account does not have it")
            }
            (PlanAction::Delete, _) if step.entity.role == (Role::Collection { deletion: Deletion::Irreversible }) => {
                String::from("the row asks for it; it cannot be brought back")
            }
            (PlanAction::Delete, _) => String::from("the row asks for it"),
            (PlanAction::CheckIn, StepRole::Dependency) => String::from("somebody else has it"),
            _ => String::new(),
        }
    }

    /// What a change of the field means, where it must not be missed.
    fn call_out(&self, step: &Step, field: &Field, new: &str) -> String {
        if new.is_empty() {
            return emptied(step);
        }
        let WriteKind::Update(_) = step.write else { return String::new() };
        match (field.meaning, field.kind) {
            (Some(Meaning::Tag), _) => String::from("another tag"),
            (_, Kind::Reference(reference)) => schema::collection(reference.to)
                .map(|entity| format!("another {}", entity.singular))
                .unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// The cell that a value comes from, or the row where several columns feed the field and none is known to have changed it.
    fn source(&self, step: &Step, field: Option<&str>, changes: &[FieldChange]) -> String {
        let Some(sheet) = self.sheets.get(usize::from(step.row.sheet)) else { return String::new() };
        let changed = |field: &str| changes.iter().find(|change| change.field == field).map(|change| change.column);
        let column = field.filter(|_| step.role == StepRole::Row);
        let column = column.and_then(|field| changed(field).or_else(|| sheet.only_column_of(field)));
        let at = match column {
            Some(column) => CellRef { row: step.row.row, column }.to_string(),
            None => format!("row {}", step.row.row),
        };
        format!("{} {at}", sheet.label)
    }
}

/// What a step that leaves a field without a value does to it. A new record has no value to lose.
fn emptied(step: &Step) -> String {
    match step.write {
        WriteKind::Update(_) => String::from("empties the field"),
        WriteKind::Create | WriteKind::Delete(_) => String::new(),
    }
}

/// What a field is called in front of people: the line has a name, and no id.
fn field_word(field: &Field) -> &'static str {
    match field.kind {
        Kind::Reference(_) => field.name.strip_suffix("_id").unwrap_or(field.name),
        _ => field.name,
    }
}
