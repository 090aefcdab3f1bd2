//! Plans one row after another: which record it is about, what it changes, and the steps that do it.

use serde_json::{Map, Value as Json};

use super::locks::{RecordLock, RecordLocks};
use super::missing::{CreateMissing, DependencyBuilder, DependencyRecord};
use super::step::{DependsOn, RowId, Step, StepRole, StepSink, WriteKind};
use super::target::{RowDelta, TargetRecord};
use super::timestamp::ReportedTimestamp;
use super::{
    EncodingConfidence, NotificationCount, PlanTotals, Referenced, RowDecision, RowPlan, SheetPlan, diff, notifications,
};
use crate::api::Body;
use crate::api::custom_fields;
use crate::catalog::{Catalog, KeyValue, LookupResult, RecordRef, ReferenceSyntax};
use crate::check::{
    CheckedRow, Code, Conflicts, Duplicates, Mode, ParsedCustomField, ParsedId, Problem, RowAction, Rules, ValueError,
};
use crate::plan::resolver::{
    RenamedRecords, Resolved, ResolvedField, Resolver, UnknownNames, UserIds, merge_references, wire_value,
};
use crate::schema::{self, CUSTOM_FIELDS, Deletion, Entity, Kind, Role, Use};
use crate::table::Row;

/// Plans rows; sheets come in dependency order.
pub struct Planner<'p, S> {
    pub catalog: &'p mut Catalog,
    pub users: &'p UserIds,
    pub unknown: UnknownNames,
    pub renamed: RenamedRecords,
    /// The latest change of a record that the sheets show: they were exported after this.
    pub exported: Option<ReportedTimestamp>,
    pub rules: &'p Rules,
    pub create_missing: &'p CreateMissing,
    pub steps: S,
    pub totals: PlanTotals,
    pub notifications: NotificationCount,
    /// Records that earlier rows write to.
    pub locks: RecordLocks,
}

/// The problems for which a row is rejected.
pub(super) type Rejection = Vec<Problem>;

impl<S: StepSink> Planner<'_, S> {
    /// # Errors
    /// If a step cannot be stored.
    pub fn row(&mut self, sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) -> Result<RowPlan, S::Error> {
        self.totals.rows += 1;
        if checked.action == Some(RowAction::Skip) {
            return Ok(RowPlan { decision: RowDecision::Skipped, note: String::new() });
        }
        let mut note = String::new();
        let decision = self.decide(sheet, row, checked, &mut note);
        let decision = match decision.and_then(|decision| self.lock_record(sheet, row, decision)) {
            Ok(Decision::Unchanged(id)) => RowDecision::Unchanged(id),
            Ok(Decision::SkippedConflict { record, to, message }) => {
                note = message;
                RowDecision::SkippedConflict { record, to }
            }
            Ok(Decision::Write(draft)) => self.write(sheet, row, draft)?,
            Err(mut problems) => {
                problems.sort_by_key(|problem| problem.column);
                RowDecision::Rejected(problems)
            }
        };
        Ok(RowPlan { decision, note })
    }

    /// Rejects a second row for the same record.
    fn lock_record(&mut self, sheet: &SheetPlan<'_>, row: &Row, decision: Decision) -> Result<Decision, Rejection> {
        let (id, deletes) = match &decision {
            Decision::Unchanged(id) | Decision::SkippedConflict { record: id, .. } => (*id, false),
            Decision::Write(draft) => match draft.record {
                Some(WriteKind::Update(id)) => (id, false),
                Some(WriteKind::Delete(id)) => (id, true),
                Some(WriteKind::Create) | None => return Ok(decision),
            },
        };
        let lock = RecordLock { sheet: sheet.index, row: row.number, deletes };
        match self.locks.acquire((sheet.mapping.entity.name, id), lock) {
            None => Ok(decision),
            Some(earlier) => {
                let error = ValueError::new(
                    Code::DuplicateKey,
                    format!("duplicate of row {earlier}; both are record #{id}"),
                    "merge the two rows, or correct the one that is wrong",
                );
                Err(vec![key_problem(sheet, row, error)])
            }
        }
    }

    /// Decides what to do with a row; `note` receives remarks for the user.
    fn decide(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        note: &mut String,
    ) -> Result<Decision, Rejection> {
        let entity = sheet.mapping.entity;
        let resolver =
            Resolver { catalog: self.catalog, users: self.users, unknown: &self.unknown, renamed: &self.renamed };
        let (fields, mut problems) = resolver.resolve(sheet.mapping, row, checked);
        problems.append(&mut checked.problems);
        let target_record = TargetRecord::find(sheet.mapping, row, checked, self.catalog, |record| {
            self.key_matches(sheet, record, &fields)
        });
        let mut delta = self.row_delta(sheet, row, checked, (fields, &mut problems), target_record.as_ref());
        delta.edited = merge_references(delta.edited, row, &mut problems);
        self.discard_stale_ids(sheet, row, &mut delta, target_record.as_ref(), (&mut problems, note));
        self.discard_stale_names(sheet, &mut delta, target_record.as_ref(), &mut problems, note);
        if checked.action == Some(RowAction::Delete) {
            // A row with problems deletes nothing.
            return if problems.is_empty() {
                self.deletion(sheet, row, checked, &delta, target_record)
            } else {
                Err(problems)
            };
        }
        let mode = match checked.action {
            Some(RowAction::Write(mode)) => mode,
            _ => self.rules.mode,
        };
        let existing = if entity.is_action() {
            Ok(None)
        } else {
            self.existing(sheet, row, checked, &delta, target_record.as_ref())
        };
        let creates = match (&existing, mode) {
            (Ok(None), Mode::Update) if !entity.is_action() => {
                let key = sheet.match_on.first().and_then(|name| sheet.mapping.column_of(name));
                if problems.iter().all(|problem| problem.column != key) {
                    problems.push(no_such_record(sheet, row, "correct the cell, or use --mode upsert to create it"));
                }
                false
            }
            (Ok(Some(target)), Mode::Create) => {
                problems.push(self.exists(sheet, row, *target));
                false
            }
            (Ok(None), _) => true,
            (Ok(Some(RecordRef::Planned(_))), mode) if mode != Mode::Update && self.allows_duplicates() => true,
            (Ok(Some(RecordRef::Planned(_))), _) => {
                if !problems.iter().any(|problem| problem.code() == Code::DuplicateKey) {
                    problems.push(duplicate_create(sheet, row));
                }
                false
            }
            (Ok(Some(RecordRef::Known(_))), _) => false,
            (Err(problem), _) => {
                problems.push(problem.clone());
                false
            }
        };
        // A row with an invalid id may well be about an existing record.
        let says_id = problems.iter().any(|problem| problem.code() == Code::IdInvalid);
        if creates && !says_id {
            checked.report_missing(sheet.mapping);
            problems.append(&mut checked.problems);
        }
        let (fields, missing) = self.drafts(sheet, row, checked, delta.edited, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let draft = RowDraft { fields, missing, custom: std::mem::take(&mut checked.custom), record: None };
        match existing.ok().flatten() {
            Some(RecordRef::Known(id)) => self.update(sheet, row, id, draft, target_record),
            _ => Ok(Decision::Write(draft)),
        }
    }

    /// An update of an existing record; changes on the service since the export are overwritten only with
    /// `--conflicts`.
    fn update(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        id: i64,
        mut draft: RowDraft,
        target_record: Option<TargetRecord<'_>>,
    ) -> Result<Decision, Rejection> {
        self.leave_unchanged(sheet.mapping.entity, id, &mut draft);
        if draft.is_empty() {
            return Ok(Decision::Unchanged(id));
        }
        draft.record = Some(WriteKind::Update(id));
        self.check_conflict(sheet, row, draft, target_record)
    }

    fn deletion(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        delta: &RowDelta,
        target_record: Option<TargetRecord<'_>>,
    ) -> Result<Decision, Rejection> {
        let is_key = |given: &&ResolvedField| sheet.match_on.contains(&sheet.mapping.entity.fields[given.field].name);
        let unknown: Rejection = delta.edited.iter().filter(is_key).filter_map(unknown_name).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        match self.existing(sheet, row, checked, delta, target_record.as_ref()) {
            Ok(Some(RecordRef::Known(id))) => {
                let fields = if target_record.is_some() { delta.edited.clone() } else { Vec::new() };
                let draft = RowDraft { fields, record: Some(WriteKind::Delete(id)), ..RowDraft::default() };
                self.check_conflict(sheet, row, draft, target_record)
            }
            Ok(_) if checked.id.is_none() && !self.says_key(sheet, &delta.edited) => Err(vec![key_missing(sheet, row)]),
            Ok(_) => Err(vec![no_such_record(sheet, row, "correct the cell, or leave the row out")]),
            Err(problem) => Err(vec![problem]),
        }
    }

    /// Whether a row has a value for the first key field, without which a key is meaningless.
    fn says_key(&self, sheet: &SheetPlan<'_>, fields: &[ResolvedField]) -> bool {
        let index = sheet.match_on.first().and_then(|name| sheet.mapping.entity.field_index(name));
        index.is_some_and(|index| fields.iter().any(|given| given.field == index))
    }

    /// The record that a row is about, by its id column or else by its key.
    fn existing(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        delta: &RowDelta,
        target_record: Option<&TargetRecord<'_>>,
    ) -> Result<Option<RecordRef>, Problem> {
        let entity = sheet.mapping.entity;
        let collection = entity.name;
        let is_key = |given: &ResolvedField| sheet.match_on.contains(&entity.fields[given.field].name);
        if let Some(target_record) = target_record.filter(|_| !delta.edited.iter().any(is_key)) {
            return Ok(Some(RecordRef::Known(target_record.id.number)));
        }
        let by_key = self.by_key(sheet, row, &delta.all());
        let Some(ParsedId { number: id, column, .. }) = checked.id else { return by_key };
        if self.catalog.record(collection, id).is_none() {
            let error = ValueError::new(
                Code::RecordMissing,
                format!("no record with id `#{id}` in {collection}"),
                "correct the id, or --ignore the column if it holds another system's ids",
            );
            return Err(error.at(Some(column), &id.to_string()));
        }
        match by_key {
            Ok(Some(target)) if target != RecordRef::Known(id) => {
                let error = ValueError::new(
                    Code::NameConflict,
                    format!(
                        "id and row disagree; the id is {}, the row describes {}",
                        self.catalog.describe(collection, RecordRef::Known(id)),
                        self.catalog.describe(collection, target)
                    ),
                    "correct the id, or --ignore the column if it holds another system's ids",
                );
                Err(error.at(Some(column), &id.to_string()))
            }
            Ok(None) | Err(_) if target_record.is_none() => {
                let error = ValueError::new(
                    Code::NameConflict,
                    format!(
                        "id and row disagree; the id is {}, the row describes another record",
                        self.catalog.describe(collection, RecordRef::Known(id))
                    ),
                    "pass --map 'HEADER=_id' if these are the account's own ids and the row is to change the key, \
                     or --ignore the column if it holds another system's ids",
                );
                Err(error.at(Some(column), &id.to_string()))
            }
            // The row has no key, or a new key for the record with that id.
            Ok(_) | Err(_) => Ok(Some(RecordRef::Known(id))),
        }
    }

    fn by_key(&self, sheet: &SheetPlan<'_>, row: &Row, fields: &[ResolvedField]) -> Result<Option<RecordRef>, Problem> {
        let entity = sheet.mapping.entity;
        let texts: Vec<(usize, String)> =
            fields.iter().filter_map(|given| Some((given.field, key_text(entity, given)?))).collect();
        let key: Vec<KeyValue<'_>> = sheet.match_on.iter().map(|name| key_value(sheet, name, fields, &texts)).collect();
        // A key without its first field is meaningless.
        if key.first().is_none_or(|first| matches!(first, KeyValue::Missing)) {
            return Ok(None);
        }
        match self.catalog.match_record(entity.name, &sheet.match_on, &key) {
            LookupResult::One(target) => Ok(Some(target)),
            LookupResult::None { .. } => Ok(None),
            // Earlier rows of this run that match, while duplicates are allowed.
            LookupResult::Many(candidates)
                if self.allows_duplicates()
                    && candidates.iter().all(|(target, _)| matches!(target, RecordRef::Planned(_))) =>
            {
                Ok(candidates.first().map(|(target, _)| *target))
            }
            LookupResult::Many(candidates) => {
                let shown: Vec<String> =
                    candidates.iter().take(4).map(|(_, description)| description.clone()).collect();
                let error = ValueError::new(
                    Code::RecordAmbiguous,
                    format!("several records match: {}", shown.join("; ")),
                    "add a column `_id` with the one you mean, or tell them apart with --match-on",
                );
                Err(key_problem(sheet, row, error))
            }
        }
    }

    fn allows_duplicates(&self) -> bool {
        self.rules.duplicates == Duplicates::Allowed
    }

    /// Separates the names to be created. Those that may not be created are problems.
    fn drafts(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        fields: Vec<ResolvedField>,
        problems: &mut Vec<Problem>,
    ) -> (Vec<ResolvedField>, Vec<(usize, DependencyRecord)>) {
        let source = DependencyBuilder {
            row,
            checked,
            catalog: self.catalog,
            users: self.users,
            unknown: &self.unknown,
            renamed: &self.renamed,
            create_missing: self.create_missing,
        };
        let mut drafts = Vec::new();
        let mut kept = Vec::with_capacity(fields.len());
        for given in fields {
            match given.value {
                Resolved::Missing { name, problem, .. }
                    if sheet.encoding == EncodingConfidence::Guessed && !name.is_ascii() =>
                {
                    problems.push(uncertain_encoding(&name).at(problem.column, &problem.found));
                }
                Resolved::Missing { name, reference, problem } if self.create_missing.includes(reference.to) => {
                    match source.draft(given.field, &name, reference) {
                        Ok(draft) => drafts.push((given.field, draft)),
                        Err(error) => problems.push(error.at(problem.column, &problem.found)),
                    }
                }
                Resolved::Missing { problem, .. } => problems.push(problem),
                _ => kept.push(given),
            }
        }
        (kept, drafts)
    }

    /// Drops fields that the record already has.
    fn leave_unchanged(&self, entity: &'static Entity, id: i64, draft: &mut RowDraft) {
        let held = self.catalog.record(entity.name, id);
        let before = |name: &str| held.and_then(|record| record.get(name));
        draft.fields.retain(|given| {
            let field = &entity.fields[given.field];
            if !field.update {
                return false;
            }
            match self.json(entity, given, WriteKind::Update(id)) {
                Some(wanted) => !self.held(field, given, &wanted, before(field.name)),
                None => true,
            }
        });
        let held = before(CUSTOM_FIELDS).map(custom_fields).unwrap_or_default();
        draft.custom.retain(|given| diff::differs(&held, given));
    }

    /// A value as sent in a body; `None` if an earlier step provides it.
    pub(super) fn json(&self, entity: &'static Entity, given: &ResolvedField, write: WriteKind) -> Option<Json> {
        match &given.value {
            Resolved::Value(value) => Some(value.clone()),
            Resolved::Option(position) => {
                let Kind::Option(choices) = entity.fields[given.field].kind else { return None };
                let spellings = if write == WriteKind::Create { choices.create } else { choices.update };
                spellings.get(*position).map(|text| Json::from(*text))
            }
            Resolved::Record(target, reference) => wire_value(self.catalog, *target, *reference),
            Resolved::Clear => Some(Json::Null),
            Resolved::Missing { .. } => None,
        }
    }

    fn write(&mut self, sheet: &SheetPlan<'_>, row: &Row, draft: RowDraft) -> Result<RowDecision, S::Error> {
        let id = RowId { sheet: sheet.index, row: row.number };
        let entity = sheet.mapping.entity;
        let kind = draft.record.unwrap_or(WriteKind::Create);
        let created = self.create_missing(id, draft.missing)?;
        let mut step = Step::new(self.steps.count(), id, StepRole::Row, entity, kind);
        let mut known = Map::new();
        for given in &draft.fields {
            self.put(&mut step, &mut known, entity, given);
        }
        for (field, number) in created {
            depend_on_step(&mut step, &mut known, entity.fields[field].name, number);
        }
        if !draft.custom.is_empty() {
            let held = match kind {
                WriteKind::Create => None,
                WriteKind::Update(id) | WriteKind::Delete(id) => self.catalog.record(entity.name, id),
            };
            let merged = diff::merged_custom_fields(held.and_then(|held| held.get(CUSTOM_FIELDS)), &draft.custom);
            step.body.extend(merged.map(|merged| (String::from(CUSTOM_FIELDS), merged)));
        }
        step.before = self.before(entity, kind, &draft.fields, &step);
        self.note_new_name(&step);
        self.count(entity, kind, &step);
        self.notifications.add(self.catalog, entity, &draft.fields);
        self.steps.push(&step)?;
        if entity.is_collection() && kind == WriteKind::Create && sheet.referenced == Referenced::ByOtherSheets {
            known.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
            self.unknown.forget(entity.name);
            self.catalog.insert_planned(entity.name, step.number, known);
        }
        Ok(RowDecision::Write(step.number, kind))
    }

    fn note_new_name(&mut self, step: &Step) {
        if let (WriteKind::Update(id), Some(Json::String(name))) = (step.write, step.body.get("name")) {
            self.renamed.add(step.entity.name, name, id);
        }
    }

    /// What the step will change, as it is now: undo restores it, and after a lost response it shows whether the step
    /// was applied.
    fn before(&self, entity: &Entity, write: WriteKind, fields: &[ResolvedField], step: &Step) -> Option<Body> {
        match write {
            WriteKind::Create if entity.is_action() => self.current_holder(fields),
            WriteKind::Create => None,
            WriteKind::Update(id) => {
                let held = self.catalog.record(entity.name, id)?;
                let awaited = step.depends_on.iter().filter_map(|awaited| awaited.field.as_ref());
                let changed = step.body.keys().chain(awaited);
                Some(changed.map(|name| (name.clone(), held.get(name).cloned().unwrap_or(Json::Null))).collect())
            }
            WriteKind::Delete(id) => self.catalog.record(entity.name, id).cloned(),
        }
    }

    /// Who holds the item of an action, and how many of it are left.
    fn current_holder(&self, fields: &[ResolvedField]) -> Option<Body> {
        let item = fields.iter().find(|given| given.field == 0)?;
        let Resolved::Record(RecordRef::Known(id), reference) = item.value else { return None };
        let held = self.catalog.record(reference.to, id)?;
        let known =
            schema::location_fields().iter().filter_map(|name| Some(((*name).to_owned(), held.get(*name)?.clone())));
        Some(known.collect())
    }

    /// Adds a field to a body. A create omits fields that are to be empty.
    fn put(&self, step: &mut Step, known: &mut Map<String, Json>, entity: &'static Entity, given: &ResolvedField) {
        let field = &entity.fields[given.field];
        if step.write == WriteKind::Create && (field.create == Use::No || given.value == Resolved::Clear) {
            return;
        }
        if let Resolved::Record(RecordRef::Planned(number), _) = given.value {
            match self.json(entity, given, step.write) {
                Some(value) => {
                    step.body.insert(field.name.to_owned(), value);
                    step.depends_on.push(DependsOn { step: number, field: None });
                }
                None => depend_on_step(step, known, field.name, number),
            }
        } else if let Some(value) = self.json(entity, given, step.write) {
            step.body.insert(field.name.to_owned(), value);
        }
    }

    fn count(&mut self, entity: &Entity, kind: WriteKind, step: &Step) {
        match kind {
            WriteKind::Create if entity.is_collection() => self.totals.creates += 1,
            WriteKind::Create => {}
            WriteKind::Update(_) => {
                self.totals.updates += 1;
                self.totals.clears += step.body.values().filter(|value| value.is_null()).count() as u64;
            }
            WriteKind::Delete(_) => {
                self.totals.deletes += 1;
                let lasts = entity.role == Role::Collection { deletion: Deletion::Irreversible };
                self.totals.irreversible += u64::from(lasts);
            }
        }
    }

    /// Plans the missing records that a row names; returns the step that creates each, by field of the row.
    fn create_missing(
        &mut self,
        row: RowId,
        drafts: Vec<(usize, DependencyRecord)>,
    ) -> Result<Vec<(usize, u32)>, S::Error> {
        drafts.into_iter().map(|(field, draft)| Ok((field, self.create_draft(row, draft)?))).collect()
    }

    fn create_draft(&mut self, row: RowId, draft: DependencyRecord) -> Result<u32, S::Error> {
        // Two cells of one row may name the same missing record.
        let found = self.catalog.find(draft.entity.name, &draft.name, ReferenceSyntax::Marked, draft.narrowed, &[]);
        if let LookupResult::One(RecordRef::Planned(number)) = found {
            return Ok(number);
        }
        let mut known = Map::new();
        let mut awaited = Vec::new();
        for (field, missing) in draft.missing {
            awaited.push((field, self.create_draft(row, missing)?));
        }
        let mut step = Step::new(self.steps.count(), row, StepRole::Dependency, draft.entity, WriteKind::Create);
        step.body = draft.fields;
        for (field, reference, target) in draft.records {
            match (wire_value(self.catalog, target, reference), target) {
                (Some(value), _) => drop(step.body.insert(field.name.to_owned(), value)),
                (None, RecordRef::Planned(number)) => depend_on_step(&mut step, &mut known, field.name, number),
                (None, RecordRef::Known(_)) => {}
            }
        }
        for (field, number) in awaited {
            depend_on_step(&mut step, &mut known, field.name, number);
        }
        *self.totals.missing.entry(draft.entity.name).or_default() += 1;
        self.steps.push(&step)?;
        known.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.unknown.forget(draft.entity.name);
        self.catalog.insert_planned(draft.entity.name, step.number, known);
        Ok(step.number)
    }

    fn exists(&self, sheet: &SheetPlan<'_>, row: &Row, target: RecordRef) -> Problem {
        let described = self.catalog.describe(sheet.mapping.entity.name, target);
        let error = ValueError::new(
            Code::RecordExists,
            format!("record already exists: {described}"),
            "leave the row out, or use --mode upsert to update it",
        );
        key_problem(sheet, row, error)
    }
}

/// What was decided for a row, before its steps are numbered.
pub(super) enum Decision {
    Unchanged(i64),
    SkippedConflict { record: i64, to: Conflicts, message: String },
    Write(RowDraft),
}

#[derive(Default)]
pub(super) struct RowDraft {
    pub(super) fields: Vec<ResolvedField>,
    pub(super) missing: Vec<(usize, DependencyRecord)>,
    pub(super) custom: Vec<ParsedCustomField>,
    /// The existing record it writes to; `None` for a create or an action.
    pub(super) record: Option<WriteKind>,
}

impl RowDraft {
    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.custom.is_empty() && self.missing.is_empty()
    }
}

/// Makes a field depend on an earlier step. The planned record keeps the link, for [`NotificationCount`].
fn depend_on_step(step: &mut Step, known: &mut Map<String, Json>, field: &str, number: u32) {
    step.depends_on.push(DependsOn { step: number, field: Some(field.to_owned()) });
    known.insert(field.to_owned(), notifications::planned_link(number));
}

/// A key field's value as text, if it is one.
fn key_text(entity: &Entity, given: &ResolvedField) -> Option<String> {
    match &given.value {
        Resolved::Value(Json::String(text)) => Some(text.clone()),
        Resolved::Value(other) => Some(other.to_string()),
        Resolved::Option(position) => match entity.fields[given.field].kind {
            Kind::Option(choices) => choices.create.get(*position).map(|text| (*text).to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn key_value<'t>(
    sheet: &SheetPlan<'_>,
    name: &str,
    fields: &[ResolvedField],
    texts: &'t [(usize, String)],
) -> KeyValue<'t> {
    let Some(index) = sheet.mapping.entity.field_index(name) else { return KeyValue::Missing };
    if let Some((_, text)) = texts.iter().find(|(field, _)| *field == index) {
        return KeyValue::Text(text);
    }
    match fields.iter().find(|given| given.field == index).map(|given| &given.value) {
        Some(Resolved::Record(target, _)) => KeyValue::Reference(*target),
        // The sheet has the column and the cell is empty: only a record without a value there matches.
        _ if sheet.mapping.feeds(name) => KeyValue::Text(""),
        _ => KeyValue::Missing,
    }
}

/// The problem of an unknown name in the key of a record to delete: nothing is created for it.
fn unknown_name(given: &ResolvedField) -> Option<Problem> {
    let Resolved::Missing { problem, .. } = &given.value else { return None };
    let error = ValueError { hint: Some("correct the cell, or leave the row out".into()), ..problem.error.clone() };
    Some(Problem { error, ..problem.clone() })
}

fn uncertain_encoding(name: &str) -> ValueError {
    ValueError::new(
        Code::CellUndecoded,
        format!("`{name}` not found, and the file's encoding is uncertain"),
        "name the file's encoding with --encoding, or correct the name",
    )
}

/// A problem at the first key column.
fn key_problem(sheet: &SheetPlan<'_>, row: &Row, error: ValueError) -> Problem {
    let column = sheet.match_on.first().and_then(|name| sheet.mapping.column_of(name));
    let found = column.map_or("", |column| row.cell(column as usize).text);
    error.at(column, found)
}

fn no_such_record(sheet: &SheetPlan<'_>, row: &Row, hint: &'static str) -> Problem {
    let message = format!("record not found in {}", sheet.mapping.entity.name);
    key_problem(sheet, row, ValueError::new(Code::RecordMissing, message, hint))
}

fn key_missing(sheet: &SheetPlan<'_>, row: &Row) -> Problem {
    let message = match sheet.match_on.first() {
        Some(name) => format!("missing key; expected a value for `{name}`, or the record's id in a column `_id`"),
        None => String::from("missing key; expected the record's id in a column `_id`"),
    };
    key_problem(sheet, row, ValueError::new(Code::KeyMissing, message, "identify the record, or leave the row out"))
}

fn duplicate_create(sheet: &SheetPlan<'_>, row: &Row) -> Problem {
    let error = ValueError::new(
        Code::DuplicateKey,
        "duplicate; an earlier row or sheet of this run creates the same record",
        "merge the two rows, or correct the one that is wrong",
    );
    key_problem(sheet, row, error)
}

#[cfg(test)]
mod tests;
