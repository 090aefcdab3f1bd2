//! Check-ins and checkouts: each is taken back by its opposite, where the thing still is where the run put it.
//!
//! Assets say themselves who has them. Of stock and seats only the activity log tells: where it holds, since the run
//! was planned, just the run's own moves between an item and a holder, nothing has moved on; where it holds their
//! opposites too, all is back already. A check-in takes back one checkout as a whole.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::compare::{Call, as_sent, integer, is_empty};
use super::history::{DEPLOYED_TO, Key, Move};
use super::{Deed, Fate, GONE, Obstacle, Place, Undo};
use crate::api::{Body, Record};
use crate::plan::WriteKind;
use crate::schema::{self, Entity, Field, HOLDERS, Kind, Role, TextForm, Verb};

/// Where things are while moves are taken back, one after another.
#[derive(Debug, Default)]
pub(super) struct Moving {
    /// Single things that a deed has moved: with whom they are then.
    placed: HashMap<Key, Option<Holder>>,
    /// Every move, for what it keeps where it is not taken back.
    moved: Vec<Moved>,
}

/// What a move is about, and the deed that takes it back.
#[derive(Debug)]
struct Moved {
    deed: usize,
    item: Key,
    /// Who has the thing as long as the deed is left.
    holder: Option<Key>,
    /// Who has it once the deed is done.
    receiver: Option<Key>,
}

/// Who has something: the parameter that names them, and their id.
type Holder = (&'static str, i64);

/// A single thing that moves back.
#[derive(Clone, Copy)]
struct Thing<'t> {
    moved: &'t Move,
    opposite: &'static Entity,
    collection: &'static Entity,
    id: i64,
    record: &'t Record,
    turn: usize,
}

/// Where a single thing is.
enum Whereabouts {
    Untold,
    Nobody,
    With(Vec<(Holder, Option<String>)>),
}

/// What the log says of all moves between an item and a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// The run's own moves and no others.
    OnlyOurs,
    /// The run's own, and as many back.
    TakenBack,
    MovedOn,
    Untold,
}

impl Undo<'_> {
    /// The last move first.
    pub(super) fn take_moves_back(&mut self) {
        let (mut turn, mut sheet) = (0, None);
        for moved in self.history.moves.iter().rev() {
            if sheet.is_some_and(|sheet| sheet != moved.row.sheet) {
                turn += 1;
            }
            sheet = Some(moved.row.sheet);
            self.take_back(moved, turn);
        }
    }

    fn take_back(&mut self, moved: &Move, turn: usize) {
        let Some((field, reference)) = moved.action.item() else { return };
        let Some(collection) = schema::collection(reference.to) else { return };
        let named = moved.body.get(field.name).cloned().unwrap_or_default();
        let known = moved.before.as_ref().and_then(crate::api::record_id);
        let id =
            known.or_else(|| self.history.id_of(reference, &named)).or_else(|| self.present.id_of(reference, &named));
        let item = id.and_then(|id| Some((id, self.present.record((collection.name, id))?)));
        let Some((id, record)) = item else {
            let fate = Fate::Nothing(String::from(GONE));
            self.move_deed(moved, collection, id, turn, moved.action, fate);
            return;
        };
        let holder = self.holder(moved);
        let (action, fate) = match (moved.action.opposite(), moved.action.role) {
            (None, _) => (moved.action, Fate::Left(Obstacle::UsedUp(collection.name))),
            (Some(opposite), Role::Action(Verb::Checkin)) if collection.field(DEPLOYED_TO).is_some() => {
                (opposite, self.hand_out_again(Thing { moved, opposite, collection, id, record, turn }))
            }
            (Some(opposite), Role::Action(Verb::Checkin)) => {
                (opposite, self.give_again(moved, opposite, (collection.name, id), holder))
            }
            (Some(opposite), _) if collection.field(DEPLOYED_TO).is_some() => {
                (opposite, self.take_in(Thing { moved, opposite, collection, id, record, turn }, holder))
            }
            (Some(opposite), _) => (opposite, self.take_stock_in(moved, opposite, (collection.name, id), holder)),
        };
        let receiver = match &fate {
            Fate::Undo(undoing) => self.receiver(action, &undoing.body),
            Fate::Nothing(_) | Fate::Left(_) => None,
        };
        let (item, holder) = ((collection.name, id), self.holder_key(holder));
        let deed = self.move_deed(moved, collection, Some(id), turn, action, fate);
        self.moving.moved.push(Moved { deed, item, holder, receiver });
    }

    fn move_deed(
        &mut self,
        moved: &Move,
        collection: &'static Entity,
        id: Option<i64>,
        turn: usize,
        action: &'static Entity,
        fate: Fate,
    ) -> usize {
        let title = self.present.title(collection, id.unwrap_or_default(), &moved.body);
        let (row, place) = (moved.row, Place::move_back(turn));
        self.deeds.push(Deed { row, entity: action, record: id, title, place, fate });
        self.deeds.len() - 1
    }

    /// Undoes the checkout of a single thing.
    fn take_in(&mut self, thing: Thing<'_>, holder: Option<Holder>) -> Fate {
        let Thing { moved, opposite, collection, id, record, turn } = thing;
        let key = (collection.name, id);
        let date = moved.body.get("checkout_date").and_then(day);
        match self.whereabouts(collection, key, record) {
            Whereabouts::Untold => return Fate::Left(Obstacle::HolderUntold),
            Whereabouts::Nobody => return Fate::Nothing(String::from("it is checked in already")),
            Whereabouts::With(holders) => {
                let is_ours = |(who, since): &(Holder, Option<String>)| {
                    Some(*who) == holder && (since.is_none() || date.is_none() || *since == date)
                };
                if !holders.iter().any(is_ours) {
                    return Fate::Left(Obstacle::MovedOn);
                }
            }
        }
        let Some(mut body) = self.opposite_body(moved, opposite, id, None) else {
            return Fate::Left(Obstacle::NoBefore);
        };
        let mut later = Body::new();
        for field in opposite.fields {
            let Some(sets) = field.sets else { continue };
            let was = self.to_restore(moved, key, field, sets, record);
            match was {
                Some(was) if !is_empty(&was) => drop(body.insert(field.name.to_owned(), was)),
                // A check-in cannot empty anything.
                Some(_) => drop(later.insert(sets.to_owned(), Json::Null)),
                None => {}
            }
            if field.is_required() && !body.contains_key(field.name) {
                // It stays what it is now.
                let Some(now) = record.get(sets).filter(|now| !is_empty(now)) else {
                    return Fate::Left(Obstacle::NoBefore);
                };
                body.insert(field.name.to_owned(), now.clone());
            }
        }
        later.retain(|name, _| collection.field(name).is_some_and(|field| field.update && !field.is_required()));
        self.moving.placed.insert(key, None);
        if !later.is_empty() {
            let fate = self.update(id, later, record);
            self.item_deed(moved, collection, id, Place::settle(turn), fate);
        }
        Fate::undo(WriteKind::Create, body)
    }

    /// What a field of the item held before, where the move changed it and nobody else has since. The status of an
    /// asset that was not set by the checkout goes back too where the run's own update set it.
    fn to_restore(&self, moved: &Move, key: Key, parameter: &Field, sets: &str, record: &Record) -> Option<Json> {
        let collection = schema::collection(key.0)?;
        let field = collection.field(sets)?;
        let last = self.history.written(key)?.get(sets)?;
        let was = moved.before.as_ref()?.get(sets).cloned().unwrap_or_default();
        let is_set_here =
            moved.action.fields.iter().any(|own| own.sets == Some(sets) && moved.body.contains_key(own.name));
        let holds = |value: &Json| self.present.holds(collection, field, value, record);
        ((is_set_here || parameter.is_required()) && holds(last) && !holds(&was))
            .then(|| as_sent(field, &was, Call::Update, self.present))
    }

    /// Undoes the check-in of a single thing.
    fn hand_out_again(&mut self, thing: Thing<'_>) -> Fate {
        let Thing { moved, opposite, collection, id, record, turn } = thing;
        let key = (collection.name, id);
        let before = moved.before.as_ref().and_then(|before| holders_in(before).into_iter().next());
        let Some((holder, since)) = before else { return Fate::Left(Obstacle::NoHolderBefore) };
        match self.whereabouts(collection, key, record) {
            Whereabouts::Untold => return Fate::Left(Obstacle::HolderUntold),
            Whereabouts::With(now) if now.iter().any(|(who, _)| *who == holder) => {
                return Fate::Nothing(String::from("it is checked out to the same again"));
            }
            Whereabouts::With(_) => return Fate::Left(Obstacle::MovedOn),
            Whereabouts::Nobody => {}
        }
        let Some(mut body) = self.opposite_body(moved, opposite, id, Some(holder)) else {
            return Fate::Left(Obstacle::NoBefore);
        };
        let date = since.or_else(|| moved.before.as_ref()?.get("checkout_date").and_then(day));
        if let (Some(date), Some(field)) = (date, required_date(opposite)) {
            body.insert(field.name.to_owned(), Json::from(date));
        }
        // What the check-in set goes back first: only things of some statuses can be checked out.
        let set =
            moved.action.fields.iter().filter_map(|field| Some((field.sets?.to_owned(), moved.body.get(field.name)?)));
        let set: Vec<(String, &Json)> = set.collect();
        let wrote: Vec<(&String, &Json)> = set.iter().map(|(name, value)| (name, *value)).collect();
        let restoring = moved.before.as_ref().map(|before| self.restoring(collection, key, &wrote, before, record));
        let mut fate = Fate::undo(WriteKind::Create, body);
        if let Some(restoring) = restoring.filter(|restoring| !restoring.body.is_empty()) {
            let update = self.update(id, restoring.body, record);
            let first = self.item_deed(moved, collection, id, Place::prepare(turn), update);
            if let Fate::Undo(undoing) = &mut fate {
                undoing.awaits.push((first, None));
            }
        }
        self.moving.placed.insert(key, Some(holder));
        fate
    }

    fn item_deed(&mut self, moved: &Move, collection: &'static Entity, id: i64, place: Place, fate: Fate) -> usize {
        let title = self.present.title(collection, id, &moved.body);
        self.deeds.push(Deed { row: moved.row, entity: collection, record: Some(id), title, place, fate });
        self.deeds.len() - 1
    }

    /// Undoes the checkout of stock or seats.
    fn take_stock_in(&self, moved: &Move, opposite: &'static Entity, item: Key, holder: Option<Holder>) -> Fate {
        let Some(holder) = holder else { return Fate::Left(Obstacle::HolderUntold) };
        match self.since(moved.action, item, holder).0 {
            Since::OnlyOurs => match self.opposite_body(moved, opposite, item.1, Some(holder)) {
                Some(body) => Fate::undo(WriteKind::Create, body),
                None => Fate::Left(Obstacle::NoBefore),
            },
            Since::TakenBack => Fate::Nothing(String::from("it is checked in already")),
            Since::MovedOn => Fate::Left(Obstacle::MovedOn),
            Since::Untold => Fate::Left(Obstacle::HolderUntold),
        }
    }

    /// Undoes the check-in of stock or seats.
    fn give_again(&self, moved: &Move, opposite: &'static Entity, item: Key, holder: Option<Holder>) -> Fate {
        let Some(holder) = holder else { return Fate::Left(Obstacle::HolderUntold) };
        let (since, quantities) = self.since(moved.action, item, holder);
        match since {
            Since::OnlyOurs => {}
            Since::TakenBack => return Fate::Nothing(String::from("it is checked out again already")),
            Since::MovedOn => return Fate::Left(Obstacle::MovedOn),
            Since::Untold => return Fate::Left(Obstacle::HolderUntold),
        }
        let Some(mut body) = self.opposite_body(moved, opposite, item.1, Some(holder)) else {
            return Fate::Left(Obstacle::NoBefore);
        };
        let names_the_thing = named_thing(moved, opposite).next().is_some();
        if let Some(field) = opposite.field(QUANTITY).filter(|_| !names_the_thing) {
            let own = self.history.moves.iter().filter(|other| self.is_between(other, moved.action, item, holder));
            let turn = own.take_while(|other| !std::ptr::eq(*other, moved)).count();
            let Some(quantity) = quantities.get(turn).copied().flatten() else {
                return Fate::Left(Obstacle::QuantityUntold);
            };
            body.insert(field.name.to_owned(), Json::from(quantity));
        }
        Fate::undo(WriteKind::Create, body)
    }

    /// What the log says of the moves between an item and a holder since the run was planned, and the quantities of
    /// those that are like `action`, the first first.
    fn since(&self, action: &'static Entity, item: Key, holder: Holder) -> (Since, Vec<Option<i64>>) {
        let Some(opposite) = action.opposite() else { return (Since::Untold, Vec::new()) };
        let Some(entries) = self.present.logs.get(item.0) else { return (Since::Untold, Vec::new()) };
        let own = |of: &'static Entity| {
            self.history.moves.iter().filter(|moved| self.is_between(moved, of, item, holder)).count()
        };
        let of_item = entries.iter().filter(|entry| entry.get("item_id").and_then(integer) == Some(item.1));
        let is = |entry: &Record, of: &Entity| {
            let Role::Action(verb) = of.role else { return false };
            entry.get("event").and_then(Json::as_str).is_some_and(|event| event.eq_ignore_ascii_case(verb.log_event()))
        };
        let (mut like, mut unlike) = (Vec::new(), 0);
        for entry in of_item {
            match named_in(entry) {
                // Whose it is cannot be told, so nothing can.
                None => return (Since::Untold, Vec::new()),
                Some(named) if !named.contains(&holder) => {}
                Some(_) if is(entry, action) => like.push(entry.get(QUANTITY).and_then(integer)),
                Some(_) if is(entry, opposite) => unlike += 1,
                Some(_) => {}
            }
        }
        let (ours, others) = (own(action), own(opposite));
        let since = match (like.len().checked_sub(ours), usize::checked_sub(unlike, others)) {
            (None, _) | (_, None) => Since::Untold,
            (Some(0), Some(0)) => Since::OnlyOurs,
            (Some(more), Some(back)) if back == ours && more == others => Since::TakenBack,
            _ => Since::MovedOn,
        };
        (since, like)
    }

    fn is_between(&self, moved: &Move, action: &Entity, item: Key, holder: Holder) -> bool {
        moved.action.name == action.name && self.item_key(moved) == Some(item) && self.holder(moved) == Some(holder)
    }

    fn item_key(&self, moved: &Move) -> Option<Key> {
        let (field, reference) = moved.action.item()?;
        let id = self.present.id_of(reference, moved.body.get(field.name)?)?;
        Some((schema::collection(reference.to)?.name, id))
    }

    /// Whom a move names.
    fn holder(&self, moved: &Move) -> Option<Holder> {
        let named = |field: &'static Field| {
            let (reference, value) = (field.reference_to()?, moved.body.get(field.name)?);
            let id = self.history.id_of(reference, value).or_else(|| self.present.id_of(reference, value))?;
            Some((field.name, id))
        };
        moved.action.holders().find_map(named)
    }

    fn whereabouts(&self, collection: &Entity, key: Key, record: &Record) -> Whereabouts {
        if let Some(placed) = self.moving.placed.get(&key) {
            return placed.map_or(Whereabouts::Nobody, |holder| Whereabouts::With(vec![(holder, None)]));
        }
        if !self.present.carries(collection, DEPLOYED_TO) {
            return Whereabouts::Untold;
        }
        let is_listed = record.get(DEPLOYED_TO).and_then(Json::as_array).is_some_and(|entries| !entries.is_empty());
        match (holders_in(record), is_listed) {
            (holders, _) if !holders.is_empty() => Whereabouts::With(holders),
            (_, true) => Whereabouts::Untold,
            // It may list people alone, and the thing be at a location.
            _ if record.get("checkout_date").is_some_and(|date| !is_empty(date)) => Whereabouts::Untold,
            _ => Whereabouts::Nobody,
        }
    }

    /// The body of the action that takes a move back: the item, the holder and the very thing by the names that action
    /// has for them. None where one of them cannot be named.
    fn opposite_body(
        &self,
        moved: &Move,
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
            // Nothing comes back before it went out.
            let went = required_date(moved.action).and_then(|field| moved.body.get(field.name)).and_then(day);
            let today = self.today.to_string();
            body.insert(field.name.to_owned(), Json::from(went.filter(|went| *went > today).unwrap_or(today)));
        }
        if let Some(field) = opposite.field(NOTES) {
            body.insert(field.name.to_owned(), Json::from(format!("Undo of run {}", self.run)));
        }
        Some(body)
    }

    /// A reference as a body has it; by id where the record is one that is to be created again.
    fn wire(&self, reference: schema::Reference, id: i64) -> Option<Json> {
        let collection = schema::collection(reference.to)?;
        let is_deleted = self.history.is_deleted((collection.name, id));
        self.present.wire(reference, id).or_else(|| is_deleted.then(|| Json::from(id)))
    }

    fn holder_key(&self, holder: Option<Holder>) -> Option<Key> {
        let (name, id) = holder?;
        Some((collection_of(name)?, id))
    }

    /// Who has the thing after a checkout.
    fn receiver(&self, action: &'static Entity, body: &Body) -> Option<Key> {
        if action.role != Role::Action(Verb::Checkout) {
            return None;
        }
        action.holders().find_map(|field| {
            let reference = field.reference_to()?;
            let id = self.present.id_of(reference, body.get(field.name)?)?;
            Some((collection_of(field.name)?, id))
        })
    }

    /// Whether a single thing is with nobody once the moves are taken back.
    pub(super) fn comes_back(&self, key: Key) -> bool {
        matches!(self.moving.placed.get(&key), Some(None))
    }

    /// A record that somebody has changed is not touched: what the run checked out of it stays out too.
    pub(super) fn leave_moves_of_changed(&mut self) {
        for Moved { deed, item, .. } in &self.moving.moved {
            if matches!(self.deeds[*deed].fate, Fate::Undo(_)) && self.changed.contains(item) {
                self.deeds[*deed].fate = Fate::Left(Obstacle::ItemChanged);
                self.moving.placed.remove(item);
            }
        }
    }

    /// What things that stay out keep, or are handed out again: themselves and their holders.
    pub(super) fn held_by_moves(&self) -> HashMap<Key, String> {
        let mut needed = HashMap::new();
        for moved in &self.moving.moved {
            let holder = match &self.deeds[moved.deed].fate {
                Fate::Left(Obstacle::UsedUp(_)) | Fate::Nothing(_) => continue,
                Fate::Left(_) => moved.holder,
                Fate::Undo(_) if moved.receiver.is_none() => continue,
                Fate::Undo(_) => moved.receiver,
            };
            for key in holder.into_iter().chain([moved.item]) {
                needed.entry(key).or_insert_with(|| self.stays_out(moved));
            }
        }
        needed
    }

    fn stays_out(&self, moved: &Moved) -> String {
        let singular = schema::collection(moved.item.0).map_or("item", |collection| collection.singular);
        format!("{singular} {}, which is checked out", self.deeds[moved.deed].title)
    }

    /// What was used up of a thing goes with it where it goes, and keeps its holder where it stays.
    pub(super) fn release_moves(&mut self, collection: &Entity, needed: &mut HashMap<Key, String>) {
        for moved in self.moving.moved.iter().filter(|moved| moved.item.0 == collection.name) {
            if !matches!(self.deeds[moved.deed].fate, Fate::Left(Obstacle::UsedUp(_))) {
                continue;
            }
            if self.deletions.contains_key(&moved.item) {
                self.deeds[moved.deed].fate = Fate::Nothing(format!("it goes with the {}", collection.singular));
            } else if let Some(holder) = moved.holder {
                needed.insert(holder, self.stays_out(moved));
            }
        }
    }
}

const QUANTITY: &str = "quantity";
const NOTES: &str = "notes";

/// Texts that tell the very thing that was moved, such as a product key, and that the opposite takes too.
fn named_thing<'m>(moved: &'m Move, opposite: &'static Entity) -> impl Iterator<Item = (&'static Field, &'m Json)> {
    let is_text = |field: &&Field| field.kind == Kind::Text(TextForm::Plain) && field.name != NOTES;
    let texts = opposite.fields.iter().filter(is_text);
    texts.filter_map(|field| Some((field, moved.body.get(field.name)?)))
}

/// The day an action happens.
fn required_date(action: &'static Entity) -> Option<&'static Field> {
    action.fields.iter().find(|field| field.kind == Kind::Date && field.is_required())
}

/// `2024-05-01` of a point in time.
fn day(value: &Json) -> Option<String> {
    value.as_str()?.get(..10).map(str::to_owned)
}

/// The collection that a holder's parameter refers to.
fn collection_of(holder: &str) -> Option<&'static str> {
    let reference = schema::ACTIONS.iter().find_map(|action| action.field(holder)?.reference_to())?;
    schema::collection(reference.to).map(|collection| collection.name)
}

/// Who has a single thing, and since when.
fn holders_in(record: &Record) -> Vec<(Holder, Option<String>)> {
    let entries = record.get(DEPLOYED_TO).and_then(Json::as_array).into_iter().flatten();
    let told = |entry: &Json| {
        let holder = HOLDERS.iter().find_map(|name| Some((*name, integer(entry.get(*name)?)?)))?;
        Some((holder, entry.get("checkout_date").and_then(day)))
    };
    entries.filter_map(told).collect()
}

/// Whether an entry of the log says between whom and its item something moved.
pub fn names_a_holder(entry: &Record) -> bool {
    named_in(entry).is_some()
}

/// Whom an entry of the log names; none where it names nobody.
fn named_in(entry: &Record) -> Option<HashSet<Holder>> {
    let named: HashSet<Holder> = HOLDERS.iter().filter_map(|name| Some((*name, integer(entry.get(*name)?)?))).collect();
    (!named.is_empty()).then_some(named)
}
