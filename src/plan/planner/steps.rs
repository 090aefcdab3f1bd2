//! The steps of a row that is to be written.

use serde_json::{Map, Value as Json};

use super::{Planner, RowDraft, SheetPlan};
use crate::api::Body;
use crate::catalog::{LookupResult, RecordRef, ReferenceSyntax};
use crate::check::CustomField;
use crate::plan::missing::DependencyRecord;
use crate::plan::resolver::{Resolved, ResolvedField, tagging_step, wire_value};
use crate::plan::step::{DependsOn, RowId, Step, StepRole, StepSink, WriteKind};
use crate::plan::{Referenced, RowDecision, diff};
use crate::schema::{self, CUSTOM_FIELDS, Deletion, Entity, Role, Use};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    pub(super) fn write(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        mut draft: RowDraft,
    ) -> Result<RowDecision, S::Error> {
        let id = RowId { sheet: sheet.index, row: row.number };
        let created = self.create_missing(id, std::mem::take(&mut draft.missing))?;
        self.write_row(sheet, row, draft, created)
    }

    /// The row's own step, behind those that create what it names: `created`, by field of the row.
    pub(super) fn write_row(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        draft: RowDraft,
        created: Vec<(usize, u32)>,
    ) -> Result<RowDecision, S::Error> {
        let id = RowId { sheet: sheet.index, row: row.number };
        let entity = sheet.mapping.entity;
        let kind = draft.record.unwrap_or(WriteKind::Create);
        let mut step = Step::new(self.steps.count(), id, StepRole::Row, entity, kind);
        let mut known = Map::new();
        for given in &draft.fields {
            self.put(&mut step, &mut known, entity, given);
        }
        for (field, number) in created {
            depend_on_step(&mut step, &mut known, entity.fields[field].name, number);
        }
        let earlier = self.put_custom(&mut step, &draft.custom);
        let extras = draft.extras.map(|extras| *extras).unwrap_or_default();
        for number in extras.after {
            if step.depends_on.iter().all(|awaited| awaited.step != number) {
                step.depends_on.push(DependsOn { step: number, field: None });
            }
        }
        step.before = extras.before.or_else(|| self.before(entity, kind, &draft.fields, &step));
        if let (Some(fields), Some(before)) = (earlier, &mut step.before) {
            before.insert(String::from(CUSTOM_FIELDS), fields);
        }
        if self.is_shared(sheet) {
            self.note_custom(&step);
        }
        self.note_stock(&step);
        self.count(entity, kind, &step);
        self.notifications.add(self.catalog, &step, &draft.fields);
        self.steps.push(&step)?;
        if entity.is_collection() && sheet.referenced == Referenced::ByOtherSheets {
            self.keep_for_later_sheets(&step, known);
        }
        let decision = RowDecision::Write(step.number, kind);
        if sheet.is_assigned {
            self.link_row(sheet, row, &decision, Some(&step));
        }
        Ok(decision)
    }

    /// Puts custom fields into a step, together with those that its record has or that a row of another sheet gives it: an
    /// update replaces all of them. Returns what that row leaves, if there is one; the step comes after it.
    fn put_custom(&self, step: &mut Step, custom: &[CustomField]) -> Option<Json> {
        let id = step.write.record();
        let earlier = id.and_then(|id| self.custom_written.get(&(step.entity.name, id)));
        let held = || self.catalog.record(step.entity.name, id?)?.get(CUSTOM_FIELDS);
        let merged = diff::merged_custom_fields(earlier.map(|(_, fields)| fields).or_else(held), custom)?;
        step.body.insert(String::from(CUSTOM_FIELDS), merged);
        let (number, fields) = earlier?;
        step.depends_on.push(DependsOn { step: *number, field: None });
        Some(fields.clone())
    }

    fn note_custom(&mut self, step: &Step) {
        if let (WriteKind::Update(id), Some(fields)) = (step.write, step.body.get(CUSTOM_FIELDS)) {
            self.custom_written.insert((step.entity.name, id), (step.number, fields.clone()));
        }
    }

    /// Lets later sheets find and judge the record of a step as the step leaves it. `known`: the records that it awaits.
    fn keep_for_later_sheets(&mut self, step: &Step, mut known: Map<String, Json>) {
        let is_told = match step.write {
            WriteKind::Create => {
                known.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
                self.locks.created_by(step.number, step.row);
                self.catalog.insert_planned(step.entity.name, step.number, known);
                true
            }
            WriteKind::Update(id) => {
                let sets = step.body.iter().chain(&known);
                let fields = sets.filter_map(|(name, value)| Some((step.entity.field(name)?.name, value)));
                self.catalog.plan_update(step.entity.name, (id, step.number, step.row.row), fields)
            }
            WriteKind::Delete(_) => false,
        };
        if is_told {
            self.unknown.forget(step.entity.name);
        }
    }

    /// What the step will change, as it is now: undo restores it, and after a lost response it shows whether the step
    /// was applied.
    pub(super) fn before(
        &self,
        entity: &Entity,
        write: WriteKind,
        fields: &[ResolvedField],
        step: &Step,
    ) -> Option<Body> {
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
    pub(super) fn current_holder(&self, fields: &[ResolvedField]) -> Option<Body> {
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
            let tagging = match given.value {
                Resolved::Record(target, reference) => tagging_step(self.catalog, target, reference),
                _ => None,
            };
            step.depends_on.extend(tagging.map(|step| DependsOn { step, field: None }));
        }
    }

    pub(super) fn count(&mut self, entity: &Entity, kind: WriteKind, step: &Step) {
        match kind {
            WriteKind::Create if entity.is_collection() => self.totals.creates += 1,
            WriteKind::Create => {}
            WriteKind::Update(_) => {
                self.totals.updates += 1;
                self.totals.clears += diff::cleared_fields(&step.body, step.before.as_ref());
            }
            WriteKind::Delete(_) => {
                self.totals.deletes += 1;
                let lasts = entity.role == Role::Collection { deletion: Deletion::Irreversible };
                self.totals.irreversible += u64::from(lasts);
            }
        }
    }

    /// Plans the missing records that a row names; returns the step that creates each, by field of the row.
    pub(super) fn create_missing(
        &mut self,
        row: RowId,
        drafts: Vec<(usize, DependencyRecord)>,
    ) -> Result<Vec<(usize, u32)>, S::Error> {
        drafts.into_iter().map(|(field, draft)| Ok((field, self.create_draft(row, draft)?))).collect()
    }

    fn create_draft(&mut self, row: RowId, draft: DependencyRecord) -> Result<u32, S::Error> {
        // Two cells of one row may name the same missing record.
        let (collection, syntax) = (draft.entity.name, ReferenceSyntax::Marked);
        let identity = draft.identity();
        let found =
            self.catalog.as_planned().find_described(collection, &draft.name, syntax, draft.narrowed, &identity);
        if let Ok(LookupResult::One(RecordRef::Planned(number))) = found {
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
        self.missing.insert(step.number);
        self.steps.push(&step)?;
        known.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.unknown.forget(draft.entity.name);
        self.locks.created_by(step.number, row);
        self.catalog.insert_planned(draft.entity.name, step.number, known);
        Ok(step.number)
    }
}

/// Makes a field depend on an earlier step. The planned record keeps the link, for the count of notifications.
fn depend_on_step(step: &mut Step, known: &mut Map<String, Json>, field: &str, number: u32) {
    step.depends_on.push(DependsOn { step: number, field: Some(field.to_owned()) });
    known.insert(field.to_owned(), RecordRef::Planned(number).link());
}
