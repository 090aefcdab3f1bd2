//! Undoes check-ins and check-outs by their opposite action, if the item still is where the run put it.
//!
//! Assets themselves report who holds them. For stock and seats only the activity log does: if since the plan it
//! shows just the run's own actions between an item and a holder, nothing else has happened; if it shows as many
//! opposite actions, everything has been reversed already. A check-in reverses one check-out as a whole.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::compare::{WriteMethod, as_sent, is_empty};
use super::history::{Assignment, RecordKey};
use super::holders::{Holder, collection_of, day, holders_in};
use super::{ALREADY_GONE, SkipReason, UndoDecision, UndoItem, UndoOrder, UndoPlanner};
use crate::api::{Body, Record, integer, record_id};
use crate::plan::{ItemHolders, Step, WriteKind};
use crate::schema::{self, Entity, Field, Kind, Meaning, Role, TextForm, Verb, log_field};

/// Where items are while assignments are undone, one after another.
#[derive(Debug, Default)]
pub(super) struct AssignmentState {
    /// Holders of individually tracked items that the undo has moved; `None` if checked in.
    new_holders: HashMap<RecordKey, Option<Holder>>,
    /// Every assignment, to know what must be kept if it is not undone.
    moved: Vec<ResolvedAssignment>,
    /// How many of an item that is kept in stock the run checked out and nobody has checked in since.
    out: HashMap<RecordKey, i64>,
}

/// An assignment with its item, and the undo item that reverses it.
#[derive(Debug)]
struct ResolvedAssignment {
    undo_item: usize,
    item: RecordKey,
    /// Who holds the item if the assignment is not undone.
    holder: Option<RecordKey>,
    /// Who holds the item after the undo.
    receiver: Option<RecordKey>,
}

/// An individually tracked item, such as an asset, whose assignment is undone.
#[derive(Clone, Copy)]
struct AssignedItem<'t> {
    moved: &'t Assignment,
    opposite: &'static Entity,
    collection: &'static Entity,
    id: i64,
    record: &'t Record,
    turn: usize,
}

/// Where an individually tracked item is.
enum ItemLocation {
    Unknown,
    CheckedIn,
    With(Vec<(Holder, Option<String>)>),
}

/// What the log shows between an item and a holder since the run was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ActivitySince {
    /// Only the run's own actions.
    OnlyOurs,
    /// The run's own actions, and as many opposite ones.
    Reverted,
    /// Something else happened between them.
    Other,
    /// The log does not tell.
    Unknown,
}

impl UndoPlanner<'_> {
    /// Undoes assignments in reverse order.
    pub(super) fn undo_assignments(&mut self) {
        let (mut turn, mut sheet) = (0, None);
        for moved in self.history.assignments.iter().rev() {
            if sheet.is_some_and(|sheet| sheet != moved.row.sheet) {
                turn += 1;
            }
            sheet = Some(moved.row.sheet);
            self.undo_assignment(moved, turn);
        }
    }

    fn undo_assignment(&mut self, moved: &Assignment, turn: usize) {
        let Some((field, reference)) = moved.action.item() else { return };
        let Some(collection) = schema::collection(reference.to) else { return };
        let named = moved.body.get(field.name).cloned().unwrap_or_default();
        let known = moved.before.as_ref().and_then(record_id);
        let id =
            known.or_else(|| self.history.id_of(reference, &named)).or_else(|| self.current.id_of(reference, &named));
        let item = id.and_then(|id| Some((id, self.current.record((collection.name, id))?)));
        let Some((id, record)) = item else {
            let is_deleted = id.is_some_and(|id| self.history.is_deleted((collection.name, id)));
            let decision = match moved.action.role {
                Role::Action(Verb::Checkin) if is_deleted => UndoDecision::Skip(SkipReason::ItemDeleted),
                _ => UndoDecision::NothingToDo(String::from(ALREADY_GONE)),
            };
            self.push_action(moved, collection, id, turn, moved.action, decision);
            return;
        };
        let holder = self.holder(moved);
        let (action, decision) = match (moved.action.opposite(), moved.action.role) {
            (None, _) => (moved.action, UndoDecision::Skip(SkipReason::Consumed(collection.name))),
            (Some(opposite), Role::Action(Verb::Checkin)) if collection.meaning(Meaning::Holders).is_some() => {
                (opposite, self.redo_checkout(AssignedItem { moved, opposite, collection, id, record, turn }))
            }
            (Some(opposite), Role::Action(Verb::Checkin)) => {
                (opposite, self.redo_stock_checkout(moved, opposite, (collection.name, id), holder))
            }
            (Some(opposite), _) if collection.meaning(Meaning::Holders).is_some() => {
                (opposite, self.undo_checkout(AssignedItem { moved, opposite, collection, id, record, turn }, holder))
            }
            (Some(opposite), _) => (opposite, self.undo_stock_checkout(moved, opposite, (collection.name, id), holder)),
        };
        let receiver = match &decision {
            UndoDecision::Undo(write_back) => self.receiver(action, &write_back.body),
            UndoDecision::NothingToDo(_) | UndoDecision::Skip(_) => None,
        };
        let (item, holder) = ((collection.name, id), self.holder_key(holder));
        let is_out = !matches!(decision, UndoDecision::NothingToDo(_));
        if is_out && moved.action.role == Role::Action(Verb::Checkout) {
            let quantity = moved.body.get(Meaning::MovedQuantity.field_name()).and_then(integer);
            *self.assignment_state.out.entry(item).or_default() += quantity.unwrap_or(1);
        }
        let undo_item = self.push_action(moved, collection, Some(id), turn, action, decision);
        self.assignment_state.moved.push(ResolvedAssignment { undo_item, item, holder, receiver });
    }

    fn push_action(
        &mut self,
        moved: &Assignment,
        collection: &'static Entity,
        id: Option<i64>,
        turn: usize,
        action: &'static Entity,
        decision: UndoDecision,
    ) -> usize {
        let title = self.current.title(collection, id.unwrap_or_default(), &moved.body);
        let (row, order) = (moved.row, UndoOrder::move_back(turn));
        self.add(UndoItem { row, entity: action, record: id, title, order, decision })
    }

    /// Undoes the check-out of an individually tracked item.
    fn undo_checkout(&mut self, thing: AssignedItem<'_>, holder: Option<Holder>) -> UndoDecision {
        let AssignedItem { moved, opposite, collection, id, record, turn } = thing;
        let key = (collection.name, id);
        let date = required_date(moved.action).and_then(|field| moved.body.get(field.name)).and_then(day);
        match self.current_holder(collection, key, record) {
            ItemLocation::Unknown => return UndoDecision::Skip(SkipReason::HolderUnknown),
            ItemLocation::CheckedIn => return UndoDecision::NothingToDo(String::from("already checked in")),
            ItemLocation::With(holders) => {
                let is_ours = |(who, since): &(Holder, Option<String>)| {
                    Some(*who) == holder && (since.is_none() || date.is_none() || *since == date)
                };
                if !holders.iter().any(is_ours) {
                    if self.is_with_previous(moved, id, &holders) {
                        return UndoDecision::NothingToDo(String::from("already with the previous holder again"));
                    }
                    return UndoDecision::Skip(SkipReason::MovedSince);
                }
            }
        }
        let Some(mut body) = self.opposite_body(moved, opposite, id, None) else {
            return UndoDecision::Skip(SkipReason::NoBeforeImage);
        };
        let mut later = Body::new();
        for field in opposite.fields {
            let Some(sets) = field.sets else { continue };
            let was = self.to_restore(moved, key, field, sets, record);
            match was {
                Some(was) if !is_empty(&was) => drop(body.insert(field.name.to_owned(), was)),
                // A check-in cannot clear a field.
                Some(_) => drop(later.insert(sets.to_owned(), Json::Null)),
                None => {}
            }
            if field.is_required() && !body.contains_key(field.name) {
                // Keep the current value.
                let Some(now) = record.get(sets).filter(|now| !is_empty(now)) else {
                    return UndoDecision::Skip(SkipReason::NoBeforeImage);
                };
                body.insert(field.name.to_owned(), as_sent(field, now, WriteMethod::Create, self.current));
            }
        }
        later.retain(|name, _| collection.field(name).is_some_and(|field| field.update && !field.is_required()));
        self.assignment_state.new_holders.insert(key, None);
        if !later.is_empty() {
            let decision = self.update(id, later, record);
            self.push_record(moved, collection, id, UndoOrder::restore_item(turn), decision);
        }
        UndoDecision::undo(WriteKind::Create, body)
    }

    /// Whether an item is with somebody whom the run took it from before it checked it out.
    fn is_with_previous(&self, moved: &Assignment, item: i64, now: &[(Holder, Option<String>)]) -> bool {
        let earlier = self.history.assignments.iter().take_while(|other| !std::ptr::eq(*other, moved));
        let returned =
            earlier.filter(|other| moved.action.opposite().is_some_and(|back| back.name == other.action.name));
        let before = returned.filter_map(|other| other.before.as_ref());
        let mut previous = before.filter(|before| record_id(before) == Some(item)).flat_map(holders_in);
        previous.any(|(holder, _)| now.iter().any(|(who, _)| *who == holder))
    }

    /// The previous value of an item's field, if the assignment changed it and nobody else has since. An asset's
    /// status that the run's own update set, not the check-out, is restored too.
    fn to_restore(
        &self,
        moved: &Assignment,
        key: RecordKey,
        parameter: &Field,
        sets: &str,
        record: &Record,
    ) -> Option<Json> {
        let collection = schema::collection(key.0)?;
        let field = collection.field(sets)?;
        let last = self.history.written(key)?.get(sets)?;
        let was = moved.before.as_ref()?.get(sets).cloned().unwrap_or_default();
        let is_set_here =
            moved.action.fields.iter().any(|own| own.sets == Some(sets) && moved.body.contains_key(own.name));
        let holds = |value: &Json| self.current.holds(collection, field, value, record);
        ((is_set_here || parameter.is_required()) && holds(last) && !holds(&was))
            .then(|| as_sent(field, &was, WriteMethod::Update, self.current))
    }

    /// Undoes the check-in of an individually tracked item by checking it out again.
    fn redo_checkout(&mut self, thing: AssignedItem<'_>) -> UndoDecision {
        let AssignedItem { moved, opposite, collection, id, record, turn } = thing;
        let key = (collection.name, id);
        let before = moved.before.as_ref().and_then(|before| holders_in(before).into_iter().next());
        let Some((holder, since)) = before else { return UndoDecision::Skip(SkipReason::NoPreviousHolder) };
        match self.current_holder(collection, key, record) {
            ItemLocation::Unknown => return UndoDecision::Skip(SkipReason::HolderUnknown),
            ItemLocation::With(now) if now.iter().any(|(who, _)| *who == holder) => {
                return UndoDecision::NothingToDo(String::from("already checked out to the same holder again"));
            }
            ItemLocation::With(_) => return UndoDecision::Skip(SkipReason::MovedSince),
            ItemLocation::CheckedIn => {}
        }
        let Some(mut body) = self.opposite_body(moved, opposite, id, Some(holder)) else {
            return UndoDecision::Skip(SkipReason::NoBeforeImage);
        };
        let date = since.or_else(|| moved.before.as_ref()?.get(Meaning::HeldSince.field_name()).and_then(day));
        if let (Some(date), Some(field)) = (date, required_date(opposite)) {
            body.insert(field.name.to_owned(), Json::from(date));
        }
        // Restore first what the check-in set: only items with certain statuses can be checked out.
        let set =
            moved.action.fields.iter().filter_map(|field| Some((field.sets?.to_owned(), moved.body.get(field.name)?)));
        let set: Vec<(String, &Json)> = set.collect();
        let wrote: Vec<(&String, &Json)> = set.iter().map(|(name, value)| (name, *value)).collect();
        let restorable =
            moved.before.as_ref().map(|before| self.restorable_fields(collection, key, &wrote, before, record));
        let mut decision = UndoDecision::undo(WriteKind::Create, body);
        if let Some(restorable) = restorable.filter(|restorable| !restorable.body.is_empty()) {
            let update = self.update(id, restorable.body, record);
            let first = self.push_record(moved, collection, id, UndoOrder::prepare(turn), update);
            if let UndoDecision::Undo(write_back) = &mut decision {
                write_back.depends_on.push((first, None));
            }
        }
        self.assignment_state.new_holders.insert(key, Some(holder));
        decision
    }

    fn push_record(
        &mut self,
        moved: &Assignment,
        collection: &'static Entity,
        id: i64,
        order: UndoOrder,
        decision: UndoDecision,
    ) -> usize {
        let title = self.current.title(collection, id, &moved.body);
        self.add(UndoItem { row: moved.row, entity: collection, record: Some(id), title, order, decision })
    }

    /// Undoes the check-out of stock or seats.
    fn undo_stock_checkout(
        &self,
        moved: &Assignment,
        opposite: &'static Entity,
        item: RecordKey,
        holder: Option<Holder>,
    ) -> UndoDecision {
        if let Err(decision) = self.quantities_since(moved.action, item, holder, "already checked in") {
            return decision;
        }
        match self.opposite_body(moved, opposite, item.1, holder) {
            Some(body) => self.move_stock(item, body),
            None => UndoDecision::Skip(SkipReason::NoBeforeImage),
        }
    }

    /// A check-in or check-out of stock or seats, with how many are left now.
    fn move_stock(&self, item: RecordKey, body: Body) -> UndoDecision {
        let mut decision = UndoDecision::undo(WriteKind::Create, body);
        if let (UndoDecision::Undo(write_back), Some(record)) = (&mut decision, self.current.record(item)) {
            let known = schema::location_fields().iter();
            let known = known.filter_map(|name| Some(((*name).to_owned(), record.get(*name)?.clone())));
            write_back.before = Some(known.collect());
        }
        decision
    }

    /// Undoes the check-in of stock or seats by checking them out again.
    fn redo_stock_checkout(
        &self,
        moved: &Assignment,
        opposite: &'static Entity,
        item: RecordKey,
        holder: Option<Holder>,
    ) -> UndoDecision {
        let quantities = match self.quantities_since(moved.action, item, holder, "already checked out again") {
            Ok(quantities) => quantities,
            Err(decision) => return decision,
        };
        let Some(mut body) = self.opposite_body(moved, opposite, item.1, holder) else {
            return UndoDecision::Skip(SkipReason::NoBeforeImage);
        };
        let names_the_thing = named_thing(moved, opposite).next().is_some();
        if let Some(field) = opposite.meaning(Meaning::MovedQuantity).filter(|_| !names_the_thing) {
            let own =
                self.history.assignments.iter().filter(|other| self.is_between(other, moved.action, item, holder));
            let turn = own.take_while(|other| !std::ptr::eq(*other, moved)).count();
            let Some(quantity) = quantities.get(turn).copied().flatten() else {
                return UndoDecision::Skip(SkipReason::QuantityUnknown);
            };
            body.insert(field.name.to_owned(), Json::from(quantity));
        }
        self.move_stock(item, body)
    }

    /// The quantities of the run's own actions between an item and a holder, as the log has them; the decision if it
    /// shows anything else between them since. `reverted` says that somebody has undone them already.
    fn quantities_since(
        &self,
        action: &'static Entity,
        item: RecordKey,
        holder: Option<Holder>,
        reverted: &str,
    ) -> Result<Vec<Option<i64>>, UndoDecision> {
        let Some(holder) = holder else { return Err(UndoDecision::Skip(SkipReason::HolderUnknown)) };
        match self.since(action, item, holder) {
            (ActivitySince::OnlyOurs, quantities) => Ok(quantities),
            (ActivitySince::Reverted, _) => Err(UndoDecision::NothingToDo(reverted.to_owned())),
            (ActivitySince::Other, _) => Err(UndoDecision::Skip(SkipReason::MovedSince)),
            (ActivitySince::Unknown, _) => Err(UndoDecision::Skip(SkipReason::HolderUnknown)),
        }
    }

    /// What the log shows between an item and a holder since the run was planned, and the quantities of the entries
    /// of the same kind as `action`, oldest first.
    fn since(&self, action: &'static Entity, item: RecordKey, holder: Holder) -> (ActivitySince, Vec<Option<i64>>) {
        let Some(opposite) = action.opposite() else { return (ActivitySince::Unknown, Vec::new()) };
        let Some(entries) = self.current.logs.get(item.0) else { return (ActivitySince::Unknown, Vec::new()) };
        let own = |of: &'static Entity| {
            self.history.assignments.iter().filter(|moved| self.is_between(moved, of, item, Some(holder))).count()
        };
        let of_item = entries.iter().filter(|entry| entry.get(log_field::ITEM_ID).and_then(integer) == Some(item.1));
        let is = |entry: &Record, of: &Entity| {
            let Role::Action(verb) = of.role else { return false };
            entry.get("event").and_then(Json::as_str).is_some_and(|event| event.eq_ignore_ascii_case(verb.log_event()))
        };
        let (mut like, mut unlike) = (Vec::new(), 0);
        for entry in of_item {
            match self.history.recreated.holders_named(entry) {
                // Without a holder the entry could be anybody's, so nothing is certain.
                None => return (ActivitySince::Unknown, Vec::new()),
                Some(named) if !named.contains(&holder) => {}
                Some(_) if is(entry, action) => {
                    like.push(entry.get(Meaning::MovedQuantity.field_name()).and_then(integer))
                }
                Some(_) if is(entry, opposite) => unlike += 1,
                Some(_) => {}
            }
        }
        let (ours, others) = (own(action), own(opposite));
        let since = match (like.len().checked_sub(ours), usize::checked_sub(unlike, others)) {
            (None, _) | (_, None) => ActivitySince::Unknown,
            (Some(0), Some(0)) => ActivitySince::OnlyOurs,
            (Some(more), Some(back)) if back == ours && more == others => ActivitySince::Reverted,
            _ => ActivitySince::Other,
        };
        (since, like)
    }

    fn is_between(&self, moved: &Assignment, action: &Entity, item: RecordKey, holder: Option<Holder>) -> bool {
        moved.action.name == action.name && self.item_key(moved) == Some(item) && self.holder(moved) == holder
    }

    fn item_key(&self, moved: &Assignment) -> Option<RecordKey> {
        let (field, reference) = moved.action.item()?;
        let id = self.current.id_of(reference, moved.body.get(field.name)?)?;
        Some((schema::collection(reference.to)?.name, id))
    }

    /// The holder that an assignment names.
    fn holder(&self, moved: &Assignment) -> Option<Holder> {
        let named = |field: &'static Field| {
            let (reference, value) = (field.reference_to()?, moved.body.get(field.name)?);
            let id = self.history.id_of(reference, value).or_else(|| self.current.id_of(reference, value))?;
            Some((field.name, id))
        };
        moved.action.holders().find_map(named)
    }

    fn current_holder(&self, collection: &Entity, key: RecordKey, record: &Record) -> ItemLocation {
        if let Some(new_holders) = self.assignment_state.new_holders.get(&key) {
            return new_holders.map_or(ItemLocation::CheckedIn, |holder| ItemLocation::With(vec![(holder, None)]));
        }
        if !self.current.carries(collection, Meaning::Holders.field_name()) {
            return ItemLocation::Unknown;
        }
        match (ItemHolders::of(record), holders_in(record)) {
            // Other records say who holds them, and what is null is not kept.
            (ItemHolders::Nobody | ItemHolders::NotReported, _) => ItemLocation::CheckedIn,
            (ItemHolders::Listed(_), holders) if !holders.is_empty() => ItemLocation::With(holders),
            _ => ItemLocation::Unknown,
        }
    }

    /// Whether somebody else has checked out a record that the run created, or some of it, as far as it says.
    pub(super) fn is_with_others(&self, step: &Step, id: i64, record: &Record) -> bool {
        let (entity, key) = (step.entity, (step.entity.name, id));
        if let Some(holders) = entity.meaning(Meaning::Holders) {
            return match self.current_holder(entity, key, record) {
                ItemLocation::With(_) => true,
                ItemLocation::CheckedIn => false,
                // Somebody has it, unless nothing says who has what.
                ItemLocation::Unknown => self.current.carries(entity, holders.name),
            };
        }
        let number = |meaning, of: &Body| of.get(entity.meaning(meaning)?.name).and_then(integer);
        let written = self.history.written(key).and_then(|written| number(Meaning::Stock, written));
        let stock = written.or_else(|| number(Meaning::Stock, &step.body));
        let own = self.assignment_state.out.get(&key).copied().unwrap_or_default();
        match (stock, number(Meaning::Available, record)) {
            (Some(stock), Some(available)) => stock.saturating_sub(available) > own,
            _ => false,
        }
    }

    /// The body of the action that reverses an assignment: item, holder and exact unit, under the names that action
    /// uses. `None` if one of them cannot be named.
    fn opposite_body(
        &self,
        moved: &Assignment,
        opposite: &'static Entity,
        item: i64,
        holder: Option<Holder>,
    ) -> Option<Body> {
        let mut body = Body::new();
        let (field, reference) = opposite.item()?;
        body.insert(field.name.to_owned(), self.wire(reference, item)?);
        if let Some((name, id)) = holder {
            let field = opposite.field(name)?;
            body.insert(name.to_owned(), self.wire(field.reference_to()?, id)?);
        }
        for (field, value) in named_thing(moved, opposite) {
            body.insert(field.name.to_owned(), value.clone());
        }
        if let Some(field) = required_date(opposite) {
            // Nothing is checked in before it was checked out.
            let went = required_date(moved.action).and_then(|field| moved.body.get(field.name)).and_then(day);
            let today = self.today.to_string();
            body.insert(field.name.to_owned(), Json::from(went.filter(|went| *went > today).unwrap_or(today)));
        }
        if let Some(field) = opposite.meaning(Meaning::ActionNotes) {
            body.insert(field.name.to_owned(), Json::from(format!("Undo of run {}", self.run)));
        }
        Some(body)
    }

    /// A reference as sent in a body; by id if the record will be created again.
    fn wire(&self, reference: schema::Reference, id: i64) -> Option<Json> {
        let collection = schema::collection(reference.to)?;
        let is_deleted = self.history.is_deleted((collection.name, id));
        self.current.wire(reference, id).or_else(|| is_deleted.then(|| Json::from(id)))
    }

    fn holder_key(&self, holder: Option<Holder>) -> Option<RecordKey> {
        let (name, id) = holder?;
        Some((collection_of(name)?, id))
    }

    /// Who holds the item after a check-out.
    fn receiver(&self, action: &'static Entity, body: &Body) -> Option<RecordKey> {
        if action.role != Role::Action(Verb::Checkout) {
            return None;
        }
        action.holders().find_map(|field| {
            let reference = field.reference_to()?;
            let id = self.current.id_of(reference, body.get(field.name)?)?;
            Some((collection_of(field.name)?, id))
        })
    }

    /// Whether an individually tracked item is checked in after the undo.
    pub(super) fn is_checked_in(&self, key: RecordKey) -> bool {
        matches!(self.assignment_state.new_holders.get(&key), Some(None))
    }

    /// A record that somebody has changed is kept, so what the run checked out of it stays checked out too.
    pub(super) fn skip_changed_items(&mut self) {
        for ResolvedAssignment { undo_item, item, .. } in &self.assignment_state.moved {
            if matches!(self.items[*undo_item].decision, UndoDecision::Undo(_)) && self.changed.contains(item) {
                self.items[*undo_item].decision = UndoDecision::Skip(SkipReason::ItemChanged);
                self.assignment_state.new_holders.remove(item);
            }
        }
    }

    /// Items that stay checked out, or are checked out again, and their holders: records the undo must not delete.
    pub(super) fn needed_by_assignments(&self) -> HashMap<RecordKey, String> {
        let mut needed = HashMap::new();
        for moved in &self.assignment_state.moved {
            let holder = match &self.items[moved.undo_item].decision {
                UndoDecision::Skip(SkipReason::Consumed(_)) | UndoDecision::NothingToDo(_) => continue,
                UndoDecision::Skip(_) => moved.holder,
                UndoDecision::Undo(_) if moved.receiver.is_none() => continue,
                UndoDecision::Undo(_) => moved.receiver,
            };
            for key in holder.into_iter().chain([moved.item]) {
                needed.entry(key).or_insert_with(|| self.stays_out(moved));
            }
        }
        needed
    }

    fn stays_out(&self, moved: &ResolvedAssignment) -> String {
        let singular = schema::collection(moved.item.0).map_or("item", |collection| collection.singular);
        format!("{singular} {}, which is checked out", self.items[moved.undo_item].title)
    }

    /// Consumed stock is deleted along with its item; if the item is kept, so is the holder.
    pub(super) fn release_consumed(&mut self, collection: &Entity, needed: &mut HashMap<RecordKey, String>) {
        for moved in self.assignment_state.moved.iter().filter(|moved| moved.item.0 == collection.name) {
            if !matches!(self.items[moved.undo_item].decision, UndoDecision::Skip(SkipReason::Consumed(_))) {
                continue;
            }
            if self.deletions.contains_key(&moved.item) {
                self.items[moved.undo_item].decision =
                    UndoDecision::NothingToDo(format!("removed together with the {}", collection.singular));
            } else if let Some(holder) = moved.holder {
                needed.insert(holder, self.stays_out(moved));
            }
        }
    }
}

/// Text fields that identify the exact unit, such as a product key, and that the opposite action takes too.
fn named_thing<'m>(
    moved: &'m Assignment,
    opposite: &'static Entity,
) -> impl Iterator<Item = (&'static Field, &'m Json)> {
    let is_text =
        |field: &&Field| field.kind == Kind::Text(TextForm::Plain) && field.meaning != Some(Meaning::ActionNotes);
    let texts = opposite.fields.iter().filter(is_text);
    texts.filter_map(|field| Some((field, moved.body.get(field.name)?)))
}

/// The required date of an action.
fn required_date(action: &'static Entity) -> Option<&'static Field> {
    action.fields.iter().find(|field| field.kind == Kind::Date && field.is_required())
}
