//! One row after another: what it is about, what it changes, and the steps that do it.

use serde_json::{Map, Value as Json};

use super::claims::{Claim, Claims};
use super::missing::{CreateMissing, Draft, Source};
use super::moment::Moment;
use super::own::{Own, Told};
use super::step::{Await, Part, RowId, Step, StepSink, WriteKind};
use super::{Decided, Emails, Named, SheetPlan, TextTrust, Totals, Verdict, diff, emails};
use crate::api::Body;
use crate::api::custom_fields;
use crate::catalog::{Catalog, KeyValue, LookupResult, RecordRef, ReferenceSyntax};
use crate::check::{
    CheckedRow, Code, Conflicts, Duplicates, GivenCustom, GivenId, Mode, Problem, RowAction, Rules, ValueError,
};
use crate::plan::resolver::{Renamed, Resolved, ResolvedField, Resolver, UnknownNames, Users, settle, wire_value};
use crate::schema::{Deletion, Entity, Kind, Role, Use};
use crate::table::Row;

/// Plans row after row; sheets come in dependency order.
pub struct Planner<'p, S> {
    pub catalog: &'p mut Catalog,
    pub users: &'p Users,
    pub unknown: UnknownNames,
    pub renamed: Renamed,
    /// The sheets were exported after this: the latest change of a record that they show.
    pub exported: Option<Moment>,
    pub rules: &'p Rules,
    pub covers: &'p CreateMissing,
    pub steps: S,
    pub totals: Totals,
    pub emails: Emails,
    /// Records of the account that earlier rows are about.
    pub claims: Claims,
}

/// Why a row is rejected.
pub(super) type Rejection = Vec<Problem>;

impl<S: StepSink> Planner<'_, S> {
    /// # Errors
    /// Where a step cannot be kept.
    pub fn row(&mut self, sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) -> Result<Decided, S::Error> {
        self.totals.rows += 1;
        if checked.action == Some(RowAction::Skip) {
            return Ok(Decided { verdict: Verdict::Skipped, note: String::new() });
        }
        let mut note = String::new();
        let decision = self.decide(sheet, row, checked, &mut note);
        let verdict = match decision.and_then(|decision| self.claim(sheet, row, decision)) {
            Ok(Decision::Unchanged(id)) => Verdict::Unchanged(id),
            Ok(Decision::Yielded { record, to, message }) => {
                note = message;
                Verdict::Yielded { record, to }
            }
            Ok(Decision::Write(draft)) => self.write(sheet, row, draft)?,
            Err(mut problems) => {
                problems.sort_by_key(|problem| problem.column);
                Verdict::Rejected(problems)
            }
        };
        Ok(Decided { verdict, note })
    }

    /// Stops a second row about the same record.
    fn claim(&mut self, sheet: &SheetPlan<'_>, row: &Row, decision: Decision) -> Result<Decision, Rejection> {
        let (id, deletes) = match &decision {
            Decision::Unchanged(id) | Decision::Yielded { record: id, .. } => (*id, false),
            Decision::Write(draft) => match draft.record {
                Some(WriteKind::Update(id)) => (id, false),
                Some(WriteKind::Delete(id)) => (id, true),
                Some(WriteKind::Create) | None => return Ok(decision),
            },
        };
        let claim = Claim { sheet: sheet.index, row: row.number, deletes };
        match self.claims.take((sheet.mapping.entity.name, id), claim) {
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

    /// What becomes of a row; `note` is what there is to say beside it.
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
        let own = Own::of(sheet.mapping, row, checked, self.catalog, |record| self.agrees(sheet, record, &fields));
        let mut told = self.told(sheet, row, checked, (fields, &mut problems), own.as_ref());
        told.edited = settle(told.edited, row, &mut problems);
        self.doubt_ids(sheet, row, &mut told, own.as_ref(), (&mut problems, note));
        self.doubt_names(sheet, &mut told, own.as_ref(), &mut problems, note);
        if checked.action == Some(RowAction::Delete) {
            // A row that cannot be read whole deletes nothing.
            return if problems.is_empty() { self.deletion(sheet, row, checked, &told, own) } else { Err(problems) };
        }
        let mode = match checked.action {
            Some(RowAction::Write(mode)) => mode,
            _ => self.rules.mode,
        };
        let existing =
            if entity.is_action() { Ok(None) } else { self.existing(sheet, row, checked, &told, own.as_ref()) };
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
            (Ok(Some(RecordRef::Planned(_))), mode) if mode != Mode::Update && self.may_repeat() => true,
            (Ok(Some(RecordRef::Planned(_))), _) => {
                if !problems.iter().any(|problem| problem.code() == Code::DuplicateKey) {
                    problems.push(planned_twice(sheet, row));
                }
                false
            }
            (Ok(Some(RecordRef::Known(_))), _) => false,
            (Err(problem), _) => {
                problems.push(problem.clone());
                false
            }
        };
        // A row whose id cannot be read may well be about a record that exists.
        let says_id = problems.iter().any(|problem| problem.code() == Code::IdInvalid);
        if creates && !says_id {
            checked.require(sheet.mapping);
            problems.append(&mut checked.problems);
        }
        let (fields, missing) = self.drafts(sheet, row, checked, told.edited, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let draft = RowDraft { fields, missing, custom: std::mem::take(&mut checked.custom), record: None };
        match existing.ok().flatten() {
            Some(RecordRef::Known(id)) => self.update(sheet, row, id, draft, own),
            _ => Ok(Decision::Write(draft)),
        }
    }

    /// What a row changes of an existing record. Over what was changed there since the sheet was exported it goes only
    /// where the user says so.
    fn update(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        id: i64,
        mut draft: RowDraft,
        own: Option<Own<'_>>,
    ) -> Result<Decision, Rejection> {
        self.leave_unchanged(sheet.mapping.entity, id, &mut draft);
        if draft.is_empty() {
            return Ok(Decision::Unchanged(id));
        }
        draft.record = Some(WriteKind::Update(id));
        self.unless_changed_since(sheet, row, draft, own)
    }

    fn deletion(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        told: &Told,
        own: Option<Own<'_>>,
    ) -> Result<Decision, Rejection> {
        let is_key = |given: &&ResolvedField| sheet.match_on.contains(&sheet.mapping.entity.fields[given.field].name);
        let unknown: Rejection = told.edited.iter().filter(is_key).filter_map(unknown_name).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        match self.existing(sheet, row, checked, told, own.as_ref()) {
            Ok(Some(RecordRef::Known(id))) => {
                let fields = if own.is_some() { told.edited.clone() } else { Vec::new() };
                let draft = RowDraft { fields, record: Some(WriteKind::Delete(id)), ..RowDraft::default() };
                self.unless_changed_since(sheet, row, draft, own)
            }
            Ok(_) if checked.id.is_none() && !self.says_key(sheet, &told.edited) => Err(vec![key_missing(sheet, row)]),
            Ok(_) => Err(vec![no_such_record(sheet, row, "correct the cell, or leave the row out")]),
            Err(problem) => Err(vec![problem]),
        }
    }

    /// Whether a row gives the first field of the key, without which a key says nothing.
    fn says_key(&self, sheet: &SheetPlan<'_>, fields: &[ResolvedField]) -> bool {
        let index = sheet.match_on.first().and_then(|name| sheet.mapping.entity.field_index(name));
        index.is_some_and(|index| fields.iter().any(|given| given.field == index))
    }

    /// The record that a row means: by its id column, else by its key.
    fn existing(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        told: &Told,
        own: Option<&Own<'_>>,
    ) -> Result<Option<RecordRef>, Problem> {
        let entity = sheet.mapping.entity;
        let collection = entity.name;
        let is_key = |given: &ResolvedField| sheet.match_on.contains(&entity.fields[given.field].name);
        if let Some(own) = own.filter(|_| !told.edited.iter().any(is_key)) {
            return Ok(Some(RecordRef::Known(own.id.number)));
        }
        let by_key = self.by_key(sheet, row, &told.all());
        let Some(GivenId { number: id, column, .. }) = checked.id else { return by_key };
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
            Ok(None) | Err(_) if own.is_none() => {
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
            // A row without a key, or one that says a new key for the record of that id.
            Ok(_) | Err(_) => Ok(Some(RecordRef::Known(id))),
        }
    }

    fn by_key(&self, sheet: &SheetPlan<'_>, row: &Row, fields: &[ResolvedField]) -> Result<Option<RecordRef>, Problem> {
        let entity = sheet.mapping.entity;
        let texts: Vec<(usize, String)> =
            fields.iter().filter_map(|given| Some((given.field, key_text(entity, given)?))).collect();
        let key: Vec<KeyValue<'_>> = sheet.match_on.iter().map(|name| key_value(sheet, name, fields, &texts)).collect();
        // Without its first field a key says nothing.
        if key.first().is_none_or(|first| matches!(first, KeyValue::Missing)) {
            return Ok(None);
        }
        match self.catalog.match_record(entity.name, &sheet.match_on, &key) {
            LookupResult::One(target) => Ok(Some(target)),
            LookupResult::None { .. } => Ok(None),
            // Rows before this one, which the user insists on as much.
            LookupResult::Many(candidates)
                if self.may_repeat()
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

    fn may_repeat(&self) -> bool {
        self.rules.duplicates == Duplicates::Allowed
    }

    /// Splits off the names that are to be created; those that may not be are problems.
    fn drafts(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        fields: Vec<ResolvedField>,
        problems: &mut Vec<Problem>,
    ) -> (Vec<ResolvedField>, Vec<(usize, Draft)>) {
        let source = Source {
            row,
            checked,
            catalog: self.catalog,
            users: self.users,
            unknown: &self.unknown,
            renamed: &self.renamed,
            covers: self.covers,
        };
        let mut drafts = Vec::new();
        let mut kept = Vec::with_capacity(fields.len());
        for given in fields {
            match given.value {
                Resolved::Missing { name, problem, .. } if sheet.text == TextTrust::Guessed && !name.is_ascii() => {
                    problems.push(unsure_letters(&name).at(problem.column, &problem.found));
                }
                Resolved::Missing { name, reference, problem } if self.covers.covers(reference.to) => {
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

    /// Leaves of an update what the record does not hold already.
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
        let held = before("custom_fields").map(custom_fields).unwrap_or_default();
        draft.custom.retain(|given| diff::differs(&held, given));
    }

    /// A value as it goes into a body; none where only an earlier step tells it.
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

    fn write(&mut self, sheet: &SheetPlan<'_>, row: &Row, draft: RowDraft) -> Result<Verdict, S::Error> {
        let id = RowId { sheet: sheet.index, row: row.number };
        let entity = sheet.mapping.entity;
        let kind = draft.record.unwrap_or(WriteKind::Create);
        let created = self.create_missing(id, draft.missing)?;
        let mut step = Step::new(self.steps.count(), id, Part::Own, entity, kind);
        let mut known = Map::new();
        for given in &draft.fields {
            self.put(&mut step, &mut known, entity, given);
        }
        for (field, number) in created {
            await_step(&mut step, &mut known, entity.fields[field].name, number);
        }
        if !draft.custom.is_empty() {
            let held = match kind {
                WriteKind::Create => None,
                WriteKind::Update(id) | WriteKind::Delete(id) => self.catalog.record(entity.name, id),
            };
            let merged = diff::merged_custom_fields(held.and_then(|held| held.get("custom_fields")), &draft.custom);
            step.body.extend(merged.map(|merged| (String::from("custom_fields"), merged)));
        }
        step.before = self.before(entity, kind, &draft.fields, &step);
        self.note_new_name(&step);
        self.count(entity, kind, &step);
        self.emails.add(self.catalog, entity, &draft.fields);
        self.steps.push(&step)?;
        if entity.is_collection() && kind == WriteKind::Create && sheet.named == Named::ByOthers {
            known.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
            self.unknown.forget(entity.name);
            self.catalog.insert_planned(entity.name, step.number, known);
        }
        Ok(Verdict::Write(step.number, kind))
    }

    fn note_new_name(&mut self, step: &Step) {
        if let (WriteKind::Update(id), Some(Json::String(name))) = (step.write, step.body.get("name")) {
            self.renamed.add(step.entity.name, name, id);
        }
    }

    /// What stands in the account and the step will change: it takes the step back, and tells after a lost answer
    /// whether it was done.
    fn before(&self, entity: &Entity, write: WriteKind, fields: &[ResolvedField], step: &Step) -> Option<Body> {
        match write {
            WriteKind::Create if entity.is_action() => self.whereabouts(fields),
            WriteKind::Create => None,
            WriteKind::Update(id) => {
                let held = self.catalog.record(entity.name, id)?;
                let awaited = step.awaits.iter().filter_map(|awaited| awaited.field.as_ref());
                let changed = step.body.keys().chain(awaited);
                Some(changed.map(|name| (name.clone(), held.get(name).cloned().unwrap_or(Json::Null))).collect())
            }
            WriteKind::Delete(id) => self.catalog.record(entity.name, id).cloned(),
        }
    }

    /// Who holds the item of an action, and how many of it there are.
    fn whereabouts(&self, fields: &[ResolvedField]) -> Option<Body> {
        let item = fields.iter().find(|given| given.field == 0)?;
        let Resolved::Record(RecordRef::Known(id), reference) = item.value else { return None };
        let held = self.catalog.record(reference.to, id)?;
        let known = WHEREABOUTS.iter().filter_map(|name| Some(((*name).to_owned(), held.get(*name)?.clone())));
        Some(known.collect())
    }

    /// Puts one field into a body. A create leaves out what is to be empty.
    fn put(&self, step: &mut Step, known: &mut Map<String, Json>, entity: &'static Entity, given: &ResolvedField) {
        let field = &entity.fields[given.field];
        if step.write == WriteKind::Create && (field.create == Use::No || given.value == Resolved::Clear) {
            return;
        }
        if let Resolved::Record(RecordRef::Planned(number), _) = given.value {
            match self.json(entity, given, step.write) {
                Some(value) => {
                    step.body.insert(field.name.to_owned(), value);
                    step.awaits.push(Await { step: number, field: None });
                }
                None => await_step(step, known, field.name, number),
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

    /// Plans the records that a row names; the step that creates each, by the row's field.
    fn create_missing(&mut self, row: RowId, drafts: Vec<(usize, Draft)>) -> Result<Vec<(usize, u32)>, S::Error> {
        drafts.into_iter().map(|(field, draft)| Ok((field, self.create_draft(row, draft)?))).collect()
    }

    fn create_draft(&mut self, row: RowId, draft: Draft) -> Result<u32, S::Error> {
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
        let mut step = Step::new(self.steps.count(), row, Part::Missing, draft.entity, WriteKind::Create);
        step.body = draft.fields;
        for (field, reference, target) in draft.records {
            match (wire_value(self.catalog, target, reference), target) {
                (Some(value), _) => drop(step.body.insert(field.name.to_owned(), value)),
                (None, RecordRef::Planned(number)) => await_step(&mut step, &mut known, field.name, number),
                (None, RecordRef::Known(_)) => {}
            }
        }
        for (field, number) in awaited {
            await_step(&mut step, &mut known, field.name, number);
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

/// What replies tell of where an item is (field notes: "Assets also carry", "`available`"), beside what a check-out or
/// check-in may set of it.
const WHEREABOUTS: &[&str] =
    &["id", "available", "deployed_to", "checkout_date", "status_id", "location_id", "department_id"];

/// What is decided for a row, before its steps are numbered.
pub(super) enum Decision {
    Unchanged(i64),
    Yielded { record: i64, to: Conflicts, message: String },
    Write(RowDraft),
}

#[derive(Default)]
pub(super) struct RowDraft {
    pub(super) fields: Vec<ResolvedField>,
    pub(super) missing: Vec<(usize, Draft)>,
    pub(super) custom: Vec<GivenCustom>,
    /// The existing record it writes to; none for a create or an action.
    pub(super) record: Option<WriteKind>,
}

impl RowDraft {
    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.custom.is_empty() && self.missing.is_empty()
    }
}

/// A field that an earlier step gives. What is known of the planned record keeps the link, for [`Emails`].
fn await_step(step: &mut Step, known: &mut Map<String, Json>, field: &str, number: u32) {
    step.awaits.push(Await { step: number, field: Some(field.to_owned()) });
    known.insert(field.to_owned(), emails::planned_link(number));
}

/// A key field's value as text, where it is one.
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
        // The sheet has the column and this row leaves it empty: only a record without a value there is the same.
        _ if sheet.mapping.feeds(name) => KeyValue::Text(""),
        _ => KeyValue::Missing,
    }
}

/// What is wrong with a name in the key of a record to delete: nothing is created for it.
fn unknown_name(given: &ResolvedField) -> Option<Problem> {
    let Resolved::Missing { problem, .. } = &given.value else { return None };
    let error = ValueError { hint: Some("correct the cell, or leave the row out".into()), ..problem.error.clone() };
    Some(Problem { error, ..problem.clone() })
}

fn unsure_letters(name: &str) -> ValueError {
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

fn planned_twice(sheet: &SheetPlan<'_>, row: &Row) -> Problem {
    let error = ValueError::new(
        Code::DuplicateKey,
        "duplicate; an earlier row or sheet of this run creates the same record",
        "merge the two rows, or correct the one that is wrong",
    );
    key_problem(sheet, row, error)
}
