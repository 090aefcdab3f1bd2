//! Who is to hold the record of a row: nothing to do where it is so, else a check-out, or a check-in and a check-out.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::checkouts::moved_twice;
use super::holder_conflict::RowView;
use super::{Decision, Planner, Rejection, RowDraft, SheetPlan, StepExtras, or_problem};
use crate::api::{Body, integer};
use crate::catalog::{LookupResult, RecordRef};
use crate::check::{CheckedRow, Code, Conflicts, Problem, Repeats, RowAction, ValueError, text};
use crate::mapping::{Mapping, RecordOrigin};
use crate::plan::moved_items::MovedItem;
use crate::plan::prior_actions::{ActionRequest, ItemState, PriorAction};
use crate::plan::resolver::{Resolved, ResolvedField, naming, wire_value};
use crate::plan::step::{DependsOn, RowId, Step, StepRole, StepSink, WriteKind};
use crate::plan::{FieldChange, ItemHolders, RowDecision, RowPlan};
use crate::schema::{self, ASSIGNED_TO, DEPLOYABLE, Entity, Field, Meaning, Reference, Verb};
use crate::table::Row;

/// What the plan does with the own record of a row, as far as a check-out beside it needs to know.
#[derive(Debug, Clone)]
pub(crate) struct RowLink {
    pub(super) record: RecordRef,
    /// The step that writes it.
    step: Option<u32>,
    /// What that step sets of the fields that check-ins send.
    sets: Body,
    awaits: Vec<DependsOn>,
    /// Others have changed the record, so neither the row nor a check-out is sent: only whether that conflicts, too, is told.
    is_conflicting: bool,
    /// How much the row knows of the record's present state.
    pub(super) view: RowView,
}

/// The links of the rows of each sheet.
#[derive(Debug, Default)]
pub(crate) struct RowLinks(HashMap<(u16, u64), RowLink>);

/// What a row's holder comes to.
pub(super) enum HolderDecision {
    Change(Box<HolderChange>),
    /// Nothing is done, for that reason; the column of the holder, from 0.
    Withheld(String, u32),
    /// A later run than the one that left it has done it.
    Done {
        record: i64,
        message: String,
    },
    /// Others have moved the record since, and it stays where it is.
    Conflict {
        record: i64,
        to: Conflicts,
        message: String,
    },
}

/// The check-out of a row, ready to be written.
pub(super) struct HolderChange {
    draft: RowDraft,
    link: RowLink,
    /// The holders that it comes back from first; empty if nobody has it.
    returned_by: Vec<String>,
    holder: String,
    column: u32,
}

impl<S: StepSink> Planner<'_, S> {
    /// Remembers what becomes of a row's own record.
    pub(super) fn link_row(&mut self, sheet: &SheetPlan<'_>, row: &Row, decision: &RowDecision, step: Option<&Step>) {
        let record = match decision {
            RowDecision::Write(number, WriteKind::Create) => RecordRef::Planned(*number),
            RowDecision::Write(_, WriteKind::Update(id)) | RowDecision::Unchanged(id) => RecordRef::Known(*id),
            _ => return,
        };
        let Some(action) = sheet.mapping.entity.assigned_by() else { return };
        let sent = |name: &str| is_sent(action, name);
        let link = RowLink {
            record,
            step: step.map(|step| step.number),
            sets: step.map(|step| step.body.clone()).into_iter().flatten().filter(|(name, _)| sent(name)).collect(),
            awaits: step.map(|step| step.depends_on.clone()).unwrap_or_default(),
            is_conflicting: false,
            view: RowView::default(),
        };
        self.links.0.insert((sheet.index, row.number), link);
    }

    /// Remembers the record of a row that is rejected for conflicts alone: what others did with the record is told as a whole,
    /// before the user decides who wins.
    pub(super) fn link_conflicting(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        problems: &[Problem],
    ) {
        let is_conflict = |problem: &Problem| problem.code() == Code::RecordConflict;
        let Some(id) = checked.id.filter(|_| !problems.is_empty() && problems.iter().all(is_conflict)) else { return };
        if checked.action == Some(RowAction::Delete) {
            return;
        }
        self.link_row(sheet, row, &RowDecision::Unchanged(id.number), None);
        if let Some(link) = self.link_mut(sheet, row) {
            link.is_conflicting = true;
        }
    }

    pub(super) fn link_mut(&mut self, sheet: &SheetPlan<'_>, row: &Row) -> Option<&mut RowLink> {
        self.links.0.get_mut(&(sheet.index, row.number))
    }

    pub(super) fn link(&self, sheet: &SheetPlan<'_>, row: &Row) -> Option<&RowLink> {
        self.links.0.get(&(sheet.owner?, row.number))
    }

    /// Adds to what a row says of its holder what it is that is checked out, and finds locations of that name.
    pub(super) fn complete_assignment(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        fields: &mut Vec<ResolvedField>,
        problems: &mut Vec<Problem>,
    ) {
        let mapping = sheet.mapping;
        if mapping.origin != RecordOrigin::Assignment {
            return;
        }
        if let Some(problem) = self.find_location(mapping, row, fields) {
            problems.push(problem);
        }
        let item = mapping.linked_field().zip(mapping.entity.item());
        if let (Some(link), Some((field, (_, reference)))) = (self.link(sheet, row), item) {
            let column = fields.first().map_or(0, |given| given.column);
            fields.insert(0, ResolvedField { field, column, value: Resolved::Record(link.record, reference) });
        }
    }

    /// A holder that is no person may be a location. One name for both is a question.
    fn find_location(&self, mapping: &Mapping, row: &Row, fields: &mut [ResolvedField]) -> Option<Problem> {
        let mut holders = mapping.entity.holders().filter_map(|field| mapping.entity.field_index(field.name));
        let (person, place) = (holders.next()?, holders.next()?);
        let given = fields.iter_mut().find(|given| given.field == person)?;
        let reference = mapping.entity.fields[place].reference_to()?;
        let cell = row.cell(given.column as usize);
        let name = text::trimmed(cell.text);
        if name.contains('@') || name.starts_with('#') {
            return None;
        }
        let syntax = naming(reference, crate::mapping::Ids::Marked);
        let found = self.catalog.as_planned().find_described(reference.to, name, syntax, reference.narrowed, &[]);
        let Ok(LookupResult::One(location)) = found else { return None };
        if let Resolved::Record(..) = given.value {
            let error = ValueError::new(
                Code::NameAmbiguous,
                format!("`{name}` is a person and a location"),
                "write the person's e-mail address, or the location's id, such as `#12`, in a check-out sheet",
            );
            return Some(error.at(Some(given.column), cell.text));
        }
        given.field = place;
        given.value = Resolved::Record(location, reference);
        None
    }

    /// What a row's check-out comes to, before anything of it is written. `None` if the row's own record is not written,
    /// or is where it should be, or the row is done and says of the holder what it said before.
    pub(super) fn assignment(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        draft: RowDraft,
    ) -> Result<Option<HolderDecision>, Rejection> {
        let entity = sheet.mapping.entity;
        let Some(link) = self.link(sheet, row).cloned() else { return Ok(None) };
        let Some((holder, column)) = self.holder(sheet, &draft) else { return Ok(None) };
        if checked.earlier.as_ref().is_some_and(|earlier| earlier.has_cell(row, column)) {
            return Ok(None);
        }
        let item = MovedItem::of(entity, &draft.fields);
        let earlier = item.as_ref().and_then(|item| Some((item, self.moved.get(item)?)));
        if let Some((item, earlier)) = earlier.filter(|(_, earlier)| earlier.verb == Verb::Checkout) {
            return match self.item_move(sheet, row, &draft) {
                Some(planned) if !planned.is_same(earlier) => {
                    let message = self.told_of(earlier, item, planned.row);
                    or_problem(moved_twice(message, Verb::Checkout), Some(column), row)
                }
                _ => Ok(None),
            };
        }
        let is_moved = earlier.is_some();
        let Some(returned_by) = self.returned_by(row, (entity, &link), &draft, (is_moved, column))? else {
            return Ok(None);
        };
        if link.is_conflicting {
            let conflict = self.holder_conflict((sheet, row), checked, &link, column);
            return conflict.map_or(Ok(None), |(conflict, _)| Err(conflict.problems()));
        }
        if let Some(problem) = self.holder_of_finished((sheet, row), checked, link.record, column) {
            return Err(vec![problem]);
        }
        if let Some(done) = self.done_since_left((row, column), checked, &link, (entity, &draft, &holder))? {
            return Ok(Some(done));
        }
        if let Some(status) = self.undeployable_status(entity, &link) {
            let note = format!("not checked out to {holder}: its status {status} does not allow it");
            return Ok(Some(HolderDecision::Withheld(note, column)));
        }
        if let Some(problem) = self.archived_holder(row, entity, &draft) {
            return Err(vec![problem]);
        }
        if !returned_by.is_empty() && self.lacks_for_return(entity, &link) {
            let error = ValueError::new(
                Code::RequiredMissing,
                "it has no status, which the check-in from the present holder needs",
                "add a status to the row",
            );
            return or_problem(error, Some(column), row);
        }
        match self.holder_conflict((sheet, row), checked, &link, column) {
            None => {
                Ok(Some(HolderDecision::Change(Box::new(HolderChange { draft, link, returned_by, holder, column }))))
            }
            Some((conflict, record)) => match self.rules.conflicts {
                None => Err(conflict.problems()),
                Some(to) => Ok(Some(HolderDecision::Conflict { record, to, message: conflict.message(to) })),
            },
        }
    }

    /// The holders that an item comes back from first: none where nobody has it, or an earlier row takes it back. `None` if it
    /// is with whom the row says. Of an item whose holder the account does not name, earlier runs and `--repeat` decide.
    fn returned_by(
        &self,
        row: &Row,
        (action, link): (&'static Entity, &RowLink),
        draft: &RowDraft,
        (is_moved, column): (bool, u32),
    ) -> Result<Option<Vec<String>>, Rejection> {
        let RecordRef::Known(id) = link.record else { return Ok(Some(Vec::new())) };
        if is_moved {
            return Ok(Some(Vec::new()));
        }
        let request = ActionRequest::of(self.catalog, action, &draft.fields).filter(|_| draft.missing.is_empty());
        let state = request.as_ref().map(|request| ItemState::of(self.catalog, request, &draft.fields));
        // A person who has it would be listed.
        let is_placed = |request: &ActionRequest| {
            let is_place = request.holder.as_ref().map(|(name, _)| *name) != action.recipient().map(|field| field.name);
            is_place && matches!(self.prior_actions.done_after(request, Timestamp::MIN), PriorAction::Done { .. })
        };
        let is_forced = self.rules.repeats == Repeats::Sent;
        match (state, self.item_holders(action, id)) {
            (Some(ItemState::Done), _) => Ok(None),
            (_, ItemHolders::Nobody) => Ok(Some(Vec::new())),
            (state, ItemHolders::Listed(entries)) if is_forced || state != Some(ItemState::Unknown) => {
                Ok(Some(self.names_of_holders(action, entries)))
            }
            (_, ItemHolders::NotReported | ItemHolders::Unnamed) if is_forced => Ok(Some(Vec::new())),
            (_, ItemHolders::Unnamed) if request.as_ref().is_some_and(is_placed) => Ok(None),
            _ => {
                let error = ValueError::new(
                    Code::CheckoutRepeated,
                    "the service does not say who holds it now",
                    "leave the holder out, check it in first, or pass --repeat to check it out all the same",
                );
                or_problem(error, Some(column), row)
            }
        }
    }

    /// The status that an item has after the row's own step, if it is known to allow no check-out.
    fn undeployable_status(&self, action: &'static Entity, link: &RowLink) -> Option<String> {
        let item = schema::collection(action.item()?.1.to)?;
        let (field, statuses, kind) = item.kind_of_status()?;
        let status = self.catalog.as_planned().value(item.name, link.record, field.name)?;
        self.undeployable(statuses, kind, RecordRef::from_link(status)?)
    }

    /// A status, if it is known to allow no check-out once the earlier rows are sent: its name and kind.
    pub(super) fn undeployable(&self, statuses: Reference, kind: &Field, status: RecordRef) -> Option<String> {
        let is = self.catalog.as_planned().value(statuses.to, status, kind.name)?.as_str()?;
        (!is.eq_ignore_ascii_case(DEPLOYABLE))
            .then(|| format!("`{}` ({is})", self.catalog.as_planned().describe(statuses.to, status)))
    }

    /// The steps of a check-out, behind those of the check-in that it needs.
    pub(super) fn assign(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        decision: HolderDecision,
    ) -> Result<RowPlan, S::Error> {
        let assigned = match decision {
            HolderDecision::Change(assigned) => assigned,
            HolderDecision::Withheld(note, _) => {
                return Ok(RowPlan { note, ..RowPlan::of(RowDecision::AlreadyDone) });
            }
            HolderDecision::Done { record, message } => {
                return Ok(RowPlan { note: message, ..RowPlan::of(RowDecision::Unchanged(record)) });
            }
            HolderDecision::Conflict { record, to, message } => {
                let decision = RowDecision::SkippedConflict { record, to };
                return Ok(RowPlan { decision, note: message, changes: Vec::new(), read_only: Vec::new() });
            }
        };
        let HolderChange { mut draft, link, returned_by, holder, column } = *assigned;
        let entity = sheet.mapping.entity;
        let moved = self.item_move(sheet, row, &draft);
        if let Some((item, moved)) = MovedItem::of(entity, &draft.fields).zip(moved) {
            self.moved.add(item, moved);
        }
        let mut extras = StepExtras { after: link.step.into_iter().collect(), ..StepExtras::default() };
        let row_id = RowId { sheet: sheet.index, row: row.number };
        let created = self.create_missing(row_id, std::mem::take(&mut draft.missing))?;
        if let (RecordRef::Known(id), false) = (link.record, returned_by.is_empty()) {
            // Whoever has it keeps it where what the check-out needs cannot be made.
            let needed = planned_steps(&draft).chain(created.iter().map(|(_, number)| *number));
            let needed: Vec<u32> = needed.chain(link.step).collect();
            if let Some(step) = self.return_step(row_id, (entity, id), &link, &draft, &needed) {
                extras.after.push(step.number);
                let nobody = (Meaning::Holders.field_name().to_owned(), Json::Null);
                extras.before = Some(Body::from_iter([(String::from("id"), json!(id)), nobody]));
                self.steps.push(&step)?;
            }
        }
        draft.extras = Some(Box::new(extras));
        let old = returned_by.join(", ");
        let note = match returned_by.is_empty() {
            true => format!("check-out to {holder}"),
            false => format!("check-in from {old}, check-out to {holder}"),
        };
        let decision = self.write_row(sheet, row, draft, created)?;
        let changes = match link.record {
            RecordRef::Planned(_) => Vec::new(),
            RecordRef::Known(_) => vec![FieldChange { column, field: ASSIGNED_TO.to_owned(), old, new: holder }],
        };
        Ok(RowPlan { note, changes, ..RowPlan::of(decision) })
    }

    /// The name of the holder that a draft says, and its column.
    pub(super) fn holder(&self, sheet: &SheetPlan<'_>, draft: &RowDraft) -> Option<(String, u32)> {
        let entity = sheet.mapping.entity;
        let named = |field: &Field| {
            let index = entity.field_index(field.name)?;
            if let Some((_, missing)) = draft.missing.iter().find(|(field, _)| *field == index) {
                return Some((missing.name.clone(), sheet.mapping.column_of(field.name).unwrap_or_default()));
            }
            let given = draft.fields.iter().find(|given| given.field == index)?;
            match given.value {
                Resolved::Record(target, reference) => {
                    Some((self.catalog.as_planned().describe(reference.to, target), given.column))
                }
                _ => None,
            }
        };
        entity.holders().find_map(named)
    }

    /// The values that a check-in must carry beside the item and the day: what the row's own step sets, else what the
    /// record has.
    fn return_value(&self, item: &'static str, link: &RowLink, sets: &str) -> Option<Json> {
        let RecordRef::Known(id) = link.record else { return None };
        let held = || self.catalog.record(item, id)?.get(sets).and_then(integer).map(Json::from);
        link.sets.get(sets).cloned().or_else(held)
    }

    fn lacks_for_return(&self, action: &'static Entity, link: &RowLink) -> bool {
        let Some((back, (_, item))) = action.opposite().zip(action.item()) else { return true };
        let awaited = |sets: &str| link.awaits.iter().any(|step| step.field.as_deref() == Some(sets));
        let mut needed = back.fields.iter().filter(|field| field.is_required()).filter_map(|field| field.sets);
        needed.any(|sets| !awaited(sets) && self.return_value(item.to, link, sets).is_none())
    }

    /// The step that takes an item back from whoever has it, once the steps that the check-out needs have succeeded.
    fn return_step(
        &self,
        row: RowId,
        (action, id): (&'static Entity, i64),
        link: &RowLink,
        draft: &RowDraft,
        needed: &[u32],
    ) -> Option<Step> {
        let back = action.opposite()?;
        let (item, reference) = back.item()?;
        let mut step = Step::new(self.steps.count(), row, StepRole::Dependency, back, WriteKind::Create);
        step.body.insert(
            item.name.to_owned(),
            wire_value(self.catalog, RecordRef::Known(id), reference).unwrap_or(json!(id)),
        );
        let day = action.action_date().and_then(|day| action.field_index(day.name))?;
        let day = draft.fields.iter().find(|given| given.field == day)?;
        if let (Some(field), Resolved::Value(day)) = (back.action_date(), &day.value) {
            step.body.insert(field.name.to_owned(), day.clone());
        }
        for field in back.fields.iter().filter(|field| field.is_required()) {
            let Some(sets) = field.sets else { continue };
            match link.awaits.iter().find(|awaited| awaited.field.as_deref() == Some(sets)) {
                Some(awaited) => {
                    step.depends_on.push(DependsOn { step: awaited.step, field: Some(field.name.to_owned()) });
                }
                None => {
                    step.body.insert(field.name.to_owned(), self.return_value(reference.to, link, sets)?);
                }
            }
        }
        step.depends_on.extend(needed.iter().map(|step| DependsOn { step: *step, field: None }));
        let given = ResolvedField { field: 0, column: 0, value: Resolved::Record(RecordRef::Known(id), reference) };
        step.before = self.current_holder(&[given]);
        Some(step)
    }
}

/// The steps that create the records to which a draft refers.
fn planned_steps(draft: &RowDraft) -> impl Iterator<Item = u32> {
    draft.fields.iter().filter_map(|given| match given.value {
        Resolved::Record(RecordRef::Planned(step), _) => Some(step),
        _ => None,
    })
}

/// Whether the check-in before a check-out sends what a step sets in this field.
fn is_sent(action: &'static Entity, name: &str) -> bool {
    let is_set =
        |back: &'static Entity| back.fields.iter().any(|field| field.is_required() && field.sets == Some(name));
    action.opposite().is_some_and(is_set)
}

impl Decision {
    /// The draft of a check-out.
    pub(super) fn into_draft(self) -> Option<RowDraft> {
        match self {
            Decision::Write(draft) => Some(draft),
            _ => None,
        }
    }
}
