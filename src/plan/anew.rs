//! What a row says anew of its own record, and whether it may go over what was changed there.

use serde_json::Value as Json;

use super::conflict::{Changes, Conflict};
use super::own::{self, Own, Told};
use super::planner::{Decision, Rejection, RowDraft};
use super::step::WriteKind;
use super::{Planner, SheetPlan, StepSink, diff, held};
use crate::catalog::{LookupResult, Record, RecordRef, ReferenceSyntax, fold_name};
use crate::check::{CheckedRow, Code, Conflicts, Problem};
use crate::mapping::Ids;
use crate::plan::resolver::{Resolved, ResolvedField, two_records};
use crate::schema::{Field, Reference, Wire};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// What a row says anew of its own record; of any other row, everything.
    pub(super) fn told(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        (fields, problems): (Vec<ResolvedField>, &mut Vec<Problem>),
        own: Option<&Own<'_>>,
    ) -> Told {
        let Some(own) = own else { return Told::all_new(fields) };
        let shows = |column: u32| own.shows(sheet.mapping, row, column, self.catalog);
        checked.custom.retain(|given| !shows(given.column));
        // Two rows about one record are wrong whatever the cell holds.
        let is_of_rows = |problem: &Problem| problem.code() == Code::DuplicateKey;
        problems.retain(|problem| is_of_rows(problem) || problem.column.is_none_or(|column| !shows(column)));
        let is_held = |given: &ResolvedField| shows(given.column) || self.holds(sheet, own, given);
        let (as_held, mut edited): (Vec<_>, Vec<_>) = fields.into_iter().partition(is_held);
        let mut shown = own.shown_references(sheet.mapping, row, self.catalog);
        shown.extend(as_held.iter().map(|held| held.field));
        // An empty cell beside an id or a name that says what the record holds says nothing.
        edited.retain(|given| {
            let is_empty = given.value == Resolved::Clear && row.cell(given.column as usize).is_blank();
            !(is_empty && shown.contains(&given.field))
        });
        Told { edited, as_held, shown }
    }

    /// An id beside a name that is what the record holds has been edited, where record and sheet are of one time. In a
    /// sheet that was imported before, it is the name that was edited then, and the id was left behind: over a record
    /// that has changed since it does not count, and `note` says so. Where nothing tells the time, the two disagree.
    pub(super) fn doubt_ids(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        told: &mut Told,
        own: Option<&Own<'_>>,
        (problems, note): (&mut Vec<Problem>, &mut String),
    ) {
        let Some(own) = own else { return };
        let Told { edited, shown, .. } = told;
        edited.retain(|given| {
            let header = sheet.mapping.header(given.column).unwrap_or_default();
            let is_id = sheet.mapping.ids_in(given.column) == Some(Ids::Bare);
            let is_beside_name = is_id && shown.contains(&given.field);
            match (is_beside_name, own.version, own.changed_since()) {
                (false, ..) | (true, Some(_), None) => true,
                (true, None, _) => {
                    problems.push(two_records(given.column, row));
                    false
                }
                (true, Some(_), Some(_)) => {
                    own::note_id_left_behind(note, header);
                    false
                }
            }
        });
    }

    /// A name that the account lacks may be an old one of the record that the row's own refers to, where that was changed
    /// since the export: then nothing is changed, and `note` says so. With leave to create what is missing nobody can
    /// tell whether that is wanted.
    pub(super) fn doubt_names(
        &self,
        sheet: &SheetPlan<'_>,
        told: &mut Told,
        own: Option<&Own<'_>>,
        problems: &mut Vec<Problem>,
        note: &mut String,
    ) {
        let Some(own) = own else { return };
        let Told { edited, shown, .. } = told;
        edited.retain_mut(|given| {
            let Resolved::Missing { name, reference, problem } = &mut given.value else { return true };
            let field = &sheet.mapping.entity.fields[given.field];
            let Some(target) = self.referred(*reference, own.record.get(field.name)) else { return true };
            let called = self.catalog.describe(reference.to, RecordRef::Known(target));
            if shown.contains(&given.field) {
                problem.error = own::unknown_name_beside_id(reference.to, name, &called, target);
            }
            let record = self.catalog.record(reference.to, target);
            let may_be_old = self.exported.zip(record).is_some_and(|(at, record)| own::changed_after(record, at));
            match (may_be_old, self.covers.covers(reference.to)) {
                (false, _) => true,
                (true, true) => {
                    problems.push(problem.clone());
                    false
                }
                (true, false) => {
                    own::note_old_name(note, sheet.mapping.header(given.column), name, &called);
                    false
                }
            }
        });
    }

    /// The record that a field refers to, by its id or an asset's tag.
    fn referred(&self, reference: Reference, held: Option<&Json>) -> Option<i64> {
        match (reference.wire, held?) {
            (Wire::Tag, Json::String(tag)) => {
                match self.catalog.find(reference.to, tag, ReferenceSyntax::TagOrId, None, &[]) {
                    LookupResult::One(RecordRef::Known(id)) => Some(id),
                    _ => None,
                }
            }
            (_, held) => held::id(held),
        }
    }

    /// Whether a row's own record holds a value already.
    fn holds(&self, sheet: &SheetPlan<'_>, own: &Own<'_>, given: &ResolvedField) -> bool {
        let entity = sheet.mapping.entity;
        let field = &entity.fields[given.field];
        self.json(entity, given, WriteKind::Update(own.id.number))
            .is_some_and(|wanted| self.held(field, given, &wanted, own.record.get(field.name)))
    }

    pub(super) fn unless_changed_since(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        mut draft: RowDraft,
        own: Option<Own<'_>>,
    ) -> Result<Decision, Rejection> {
        let changes = Changes { fields: &draft.fields, missing: &draft.missing, custom: &draft.custom };
        let conflict = own.and_then(|own| {
            let conflict = Conflict::of(&own, &changes, sheet.mapping, row, self.catalog)?;
            Some((conflict, own.id.number))
        });
        match (conflict, self.rules.conflicts) {
            (None, _) | (_, Some(Conflicts::Mine)) => {
                if let Some(WriteKind::Delete(_)) = draft.record {
                    draft = RowDraft { record: draft.record, ..RowDraft::default() };
                }
                Ok(Decision::Write(draft))
            }
            (Some((conflict, _)), None) => Err(conflict.problems()),
            (Some((conflict, record)), Some(to)) => Ok(Decision::Yielded { record, to, message: conflict.message(to) }),
        }
    }

    /// Whether a row says nothing else of the first field of the key than the record of its id does.
    pub(super) fn agrees(&self, sheet: &SheetPlan<'_>, record: &Record, fields: &[ResolvedField]) -> bool {
        let entity = sheet.mapping.entity;
        let Some(name) = sheet.match_on.first() else { return true };
        let Some(given) = fields.iter().find(|given| entity.fields[given.field].name == *name) else { return true };
        // The id in it plays no part in the value.
        match self.json(entity, given, WriteKind::Update(0)) {
            Some(Json::String(text)) => {
                let held = record.get(*name).and_then(Json::as_str).unwrap_or_default();
                fold_name(held) == fold_name(&text)
            }
            Some(wanted) => self.held(&entity.fields[given.field], given, &wanted, record.get(*name)),
            None => true,
        }
    }

    /// Whether a record holds a field's value already; an asset may stand in a reply by tag or by system id.
    pub(super) fn held(&self, field: &Field, given: &ResolvedField, wanted: &Json, before: Option<&Json>) -> bool {
        if diff::holds(field, wanted, before) {
            return true;
        }
        matches!((&given.value, before), (Resolved::Record(RecordRef::Known(id), _), Some(before)) if before.as_i64() == Some(*id))
    }
}
