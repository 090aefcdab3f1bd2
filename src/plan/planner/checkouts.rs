//! Check-ins and check-outs that the service would refuse: of an item that an earlier row moves, that is elsewhere or whose
//! status does not allow it, or to a person who has left.

use serde_json::Value as Json;

use super::{Decision, Planner, Rejection, RowDraft, SheetPlan, StepSink};
use crate::api::integer;
use crate::catalog::RecordRef;
use crate::check::{Code, Problem, Repeats, ValueError};
use crate::plan::diff;
use crate::plan::moved_items::{ItemMove, MovedItem};
use crate::plan::resolver::Resolved;
use crate::plan::step::RowId;
use crate::plan::{ItemHolders, SOMEBODY};
use crate::schema::{self, Entity, Meaning, Role, Verb};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// Decides a row of a check-in or check-out sheet.
    pub(super) fn action(&mut self, sheet: &SheetPlan<'_>, row: &Row, draft: RowDraft) -> Result<Decision, Rejection> {
        let entity = sheet.mapping.entity;
        let item = MovedItem::of(entity, &draft.fields);
        let moved = item.and_then(|item| Some((item, self.item_move(sheet, row, &draft)?)));
        if let Some((item, planned)) = &moved
            && let Some(earlier) = self.moved.get(item).filter(|earlier| earlier.verb == planned.verb)
        {
            let message = self.told_of(earlier, item, planned.row);
            return match earlier.is_same(planned) {
                true => Ok(Decision::AlreadyDone { message }),
                false => Err(vec![item_problem(sheet, row, moved_twice(message, planned.verb))]),
            };
        }
        let decision = self.skip_repeated(sheet, row, draft)?;
        if let Decision::Write(draft) = &decision {
            self.check_move(sheet, row, draft)?;
            self.move_stock(sheet, row, &draft.fields)?;
            if let Some((item, planned)) = moved {
                self.moved.add(item, planned);
            }
        }
        Ok(decision)
    }

    /// What a row that moves an item does with it.
    pub(super) fn item_move(&self, sheet: &SheetPlan<'_>, row: &Row, draft: &RowDraft) -> Option<ItemMove> {
        let entity = sheet.mapping.entity;
        let id = RowId { sheet: sheet.owner.unwrap_or(sheet.index), row: row.number };
        let moved = ItemMove::of(entity, id, &draft.fields)?;
        let Some((holder_name, _)) = self.holder(sheet, draft) else { return Some(moved) };
        let given = |name: &str| {
            let index = entity.field_index(name)?;
            draft.fields.iter().find(|given| given.field == index)
        };
        let holder = entity.holders().find_map(|field| match given(field.name)?.value {
            Resolved::Record(record, _) => Some((field.name, record)),
            _ => None,
        });
        Some(ItemMove { holder, holder_name, ..moved })
    }

    /// What an earlier row does with an item, for the message of a later one.
    pub(super) fn told_of(&self, earlier: &ItemMove, item: &MovedItem, row: RowId) -> String {
        let place = self.locks.row_name(earlier.row, row.sheet);
        let name = self.catalog.describe(item.collection, item.record);
        match earlier.verb {
            Verb::Checkout => format!("duplicate of {place}, which checks `{name}` out to `{}`", earlier.holder_name),
            Verb::Checkin => format!("duplicate of {place}, which checks `{name}` in"),
        }
    }

    /// Rejects a check-out of an item that somebody else has or whose status does not allow it, or to a person who has left;
    /// and a check-in of an item that nobody has. Both have to fit the type of the item.
    fn check_move(&self, sheet: &SheetPlan<'_>, row: &Row, draft: &RowDraft) -> Result<(), Rejection> {
        let entity = sheet.mapping.entity;
        let mut problems = Rejection::new();
        if entity.role == Role::Action(Verb::Checkin) {
            problems.extend(self.not_out(entity, draft).map(|error| item_problem(sheet, row, error)));
        } else {
            let of_item = [self.held_already(entity, draft), self.kept_by_status(entity, draft)];
            problems.extend(of_item.into_iter().flatten().map(|error| item_problem(sheet, row, error)));
            problems.extend(self.archived_holder(row, entity, draft));
        }
        problems.extend(self.unfit_for_type(sheet, row, &draft.fields));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// An item that the account says is in, and that no earlier row checks out.
    fn not_out(&self, action: &'static Entity, draft: &RowDraft) -> Option<ValueError> {
        let item = MovedItem::of(action, &draft.fields).filter(|item| self.moved.get(item).is_none())?;
        let RecordRef::Known(id) = item.record else { return None };
        let is_in = self.item_holders(action, id) == ItemHolders::Nobody;
        let name = self.catalog.describe(item.collection, item.record);
        let hint = "leave the row out, or change what it says of the item in a sheet of its own collection";
        is_in.then(|| ValueError::new(Code::CheckoutRefused, format!("`{name}` is not checked out"), hint))
    }

    /// An item whose status, once the earlier rows are sent, is known to allow no check-out.
    fn kept_by_status(&self, action: &'static Entity, draft: &RowDraft) -> Option<ValueError> {
        let item = MovedItem::of(action, &draft.fields)?;
        let entity = schema::collection(item.collection)?;
        let (field, statuses, kind) = entity.kind_of_status()?;
        let status = match self.moved.get(&item) {
            Some(back) => {
                let is_status = |(set, _): &&(usize, RecordRef)| {
                    let back = action.opposite().map(|back| back.fields[*set].sets);
                    back == Some(Some(field.name))
                };
                back.sets.iter().find(is_status).map(|(_, status)| *status)
            }
            None => {
                self.catalog.as_planned().value(item.collection, item.record, field.name).and_then(RecordRef::from_link)
            }
        };
        let status = self.undeployable(statuses, kind, status?)?;
        let name = self.catalog.describe(item.collection, item.record);
        let hint = "give it a deployable status first, or leave the row out";
        let message = format!("`{name}` has the status {status}, which does not allow it");
        Some(ValueError::new(Code::CheckoutRefused, message, hint))
    }

    /// An item that the account says is out, and that no earlier row checks in.
    fn held_already(&self, action: &'static Entity, draft: &RowDraft) -> Option<ValueError> {
        let item = MovedItem::of(action, &draft.fields).filter(|item| self.moved.get(item).is_none())?;
        let RecordRef::Known(id) = item.record else { return None };
        let name = self.catalog.describe(item.collection, item.record);
        let holders = match self.item_holders(action, id) {
            ItemHolders::NotReported | ItemHolders::Nobody => return None,
            // It may be with the very holder of the row, or be back: the day of a check-out may stay behind.
            ItemHolders::Unnamed => {
                let message = format!("`{name}` is checked out, and the account does not say to whom");
                let hint = "check it in first, or pass --repeat to check it out all the same";
                let error = ValueError::new(Code::CheckoutRepeated, message, hint);
                return Some(error).filter(|_| self.rules.repeats == Repeats::Recognized);
            }
            ItemHolders::Listed(entries) => self.names_of_holders(action, entries),
        };
        let message = format!("`{name}` is checked out to `{}`", holders.join("`, `"));
        let hint = "check it in first; of one import, check-ins are sent before check-outs";
        Some(ValueError::new(Code::CheckoutRefused, message, hint))
    }

    /// Who holds a record of the account.
    pub(super) fn item_holders(&self, action: &'static Entity, id: i64) -> ItemHolders<'_> {
        let record = action.item().and_then(|(_, reference)| self.catalog.record(reference.to, id));
        record.map_or(ItemHolders::NotReported, ItemHolders::of)
    }

    /// Who holds a record of the account, by name. `None` if the service does not say whether anybody does.
    pub(super) fn current_holders(&self, action: &'static Entity, id: i64) -> Option<Vec<String>> {
        match self.item_holders(action, id) {
            ItemHolders::NotReported => None,
            ItemHolders::Nobody => Some(Vec::new()),
            ItemHolders::Listed(entries) => Some(self.names_of_holders(action, entries)),
            ItemHolders::Unnamed => Some(vec![SOMEBODY.to_owned()]),
        }
    }

    /// The names of those whom entries list.
    pub(super) fn names_of_holders(&self, action: &'static Entity, entries: &[Json]) -> Vec<String> {
        let name = |entry: &Json| {
            let held = action.holders().find_map(|field| Some((field, entry.get(field.name).and_then(integer)?)));
            held.and_then(|(field, id)| Some(self.catalog.describe(field.reference_to()?.to, RecordRef::Known(id))))
        };
        entries.iter().map(|entry| name(entry).unwrap_or_else(|| SOMEBODY.to_owned())).collect()
    }

    /// The problem of a check-out to a person who has left.
    pub(super) fn archived_holder(&self, row: &Row, action: &'static Entity, draft: &RowDraft) -> Option<Problem> {
        let recipient = action.field_index(action.recipient()?.name)?;
        let given = draft.fields.iter().find(|given| given.field == recipient)?;
        let Resolved::Record(person, reference) = given.value else { return None };
        if !self.is_archived(reference.to, person) {
            return None;
        }
        let singular = schema::collection(reference.to).map_or(reference.to, |entity| entity.singular);
        let name = self.catalog.describe(reference.to, person);
        let error = ValueError::new(
            Code::CheckoutRefused,
            format!("the {singular} `{name}` is archived; nothing can be checked out to them"),
            "name somebody else, or leave the row out; somebody who is back needs `archived` set to `no` first",
        );
        Some(error.at(Some(given.column), row.cell(given.column as usize).text))
    }

    /// Whether a person has left, once the earlier rows are sent.
    fn is_archived(&self, people: &str, person: RecordRef) -> bool {
        let field = schema::collection(people).and_then(|entity| entity.meaning(Meaning::PersonArchived));
        let value = field.and_then(|field| self.catalog.as_planned().value(people, person, field.name));
        value.and_then(diff::truth) == Some(true)
    }
}

/// The error of a row that moves what an earlier row moves.
pub(super) fn moved_twice(message: String, verb: Verb) -> ValueError {
    let hint = match verb {
        Verb::Checkout => "keep one of the two rows: it has one holder at a time",
        Verb::Checkin => "keep one of the two rows: it comes back once",
    };
    ValueError::new(Code::DuplicateKey, message, hint)
}

/// A problem at the cell that names the item of an action.
fn item_problem(sheet: &SheetPlan<'_>, row: &Row, error: ValueError) -> Problem {
    let column = sheet.mapping.column_of(sheet.mapping.entity.fields[0].name);
    let found = column.map_or("", |column| row.cell(column as usize).text);
    error.at(column, found)
}
