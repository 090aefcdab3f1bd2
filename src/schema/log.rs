//! What the activity log calls things, and what its entries may be the reason for. Guide: section "Activity", the options
//! of `type` and `event`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{ACTIONS, ACTIVITY, ASSIGNED_TO, Entity, Field, Kind, Meaning, Verb, fold_header, log_field};

/// The types of the log by their folded names.
static TYPES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let choices = match ACTIVITY.field(log_field::TYPE).map(|field| field.kind) {
        Some(Kind::Option(choices)) => choices.create,
        _ => &[],
    };
    choices.iter().map(|logged| (fold_header(logged), *logged)).collect()
});

impl Entity {
    /// The `type` the log gives to entries about records of the collection; none where it does not tell of them.
    pub fn log_type(&self) -> Option<&'static str> {
        TYPES.get(&fold_header(self.singular)).copied()
    }

    /// The filter of the log that names a record of the collection by its system id.
    pub fn log_filter(&self) -> Option<&'static Field> {
        ACTIVITY.filters().find(|field| field.reference_to().is_some_and(|reference| reference.to == self.name))
    }
}

/// Something about a record that is not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordDifference<'f> {
    Added,
    Removed,
    /// A field, by its name or by the header of a column that shows it.
    Field(&'f str),
}

impl Entity {
    /// Whether an entry with that event about a record of the collection may be the reason for a difference.
    pub fn may_be_changed_by(&self, event: &str, difference: RecordDifference<'_>) -> bool {
        let is_one_of = |names: &[&str]| names.iter().any(|name| fold_header(name) == fold_header(event));
        let is_move = is_one_of(&[Verb::Checkin.log_event(), Verb::Checkout.log_event()]);
        match difference {
            RecordDifference::Added => is_one_of(&["Create", "Recover"]),
            RecordDifference::Removed => is_one_of(&["Delete"]),
            RecordDifference::Field(name) => match self.moved_with(name) {
                MovedWith::Only => is_move,
                MovedWith::Also => is_move || is_one_of(&["Update"]),
                // The last two are of audits: nothing that is moved is completed or scheduled.
                MovedWith::Never => is_one_of(&["Update"]) || (!self.is_item() && is_one_of(&["Complete", "Schedule"])),
            },
        }
    }

    /// How a field changes when a record is checked in or out.
    fn moved_with(&self, name: &str) -> MovedWith {
        let base = name.strip_suffix("_name").unwrap_or(name);
        let by_header = || self.field(base).or_else(|| self.field(&format!("{base}_id")));
        let field = self.field(name).or_else(by_header);
        match field.and_then(|field| field.meaning) {
            Some(Meaning::Holders | Meaning::HeldSince) => MovedWith::Only,
            Some(Meaning::Available) => MovedWith::Also,
            _ if name == ASSIGNED_TO => MovedWith::Only,
            _ if field.is_some_and(|field| self.is_set_by_moves(field.name)) => MovedWith::Also,
            _ => MovedWith::Never,
        }
    }

    /// Whether a check-in or check-out may set the field of an item.
    fn is_set_by_moves(&self, name: &str) -> bool {
        self.moves().any(|action| action.fields.iter().any(|field| field.sets == Some(name)))
    }

    fn is_item(&self) -> bool {
        self.moves().next().is_some()
    }

    /// The actions that move its records.
    fn moves(&self) -> impl Iterator<Item = &'static Entity> {
        let moves_it = |action: &Entity| action.item().is_some_and(|(_, reference)| reference.to == self.name);
        ACTIONS.iter().copied().filter(move |action| moves_it(action))
    }
}

/// How a field changes when a record is checked in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MovedWith {
    /// A move says nothing about it.
    Never,
    /// A move may change it, and so may an update.
    Also,
    /// Nothing else changes it.
    Only,
}

impl Verb {
    /// The `event` the log gives to the action.
    pub fn log_event(self) -> &'static str {
        match self {
            Verb::Checkin => "Checkin",
            Verb::Checkout => "Checkout",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::collection;
    use super::*;

    #[test]
    fn what_an_entry_may_have_caused_depends_on_its_event() {
        let events = ["Create", "Update", "Delete", "Recover", "Checkin", "checkout", "Audit", "Complete", "Schedule"];
        let causes = |name: &str, difference| {
            let entity = collection(name).unwrap();
            let is_cause = |event: &&str| entity.may_be_changed_by(event, difference);
            events.into_iter().filter(is_cause).collect::<Vec<_>>()
        };
        assert_eq!(causes("assets", RecordDifference::Added), ["Create", "Recover"]);
        assert_eq!(causes("assets", RecordDifference::Removed), ["Delete"]);
        for (name, fields, expected) in [
            ("assets", &["notes", "product_name", "category_name", "custom:Rack", "other"][..], &["Update"][..]),
            ("assets", &["location_id", "status_name", "department_id"], &["Update", "Checkin", "checkout"]),
            ("assets", &[ASSIGNED_TO, "deployed_to", "deployed_to_name", "checkout_date"], &["Checkin", "checkout"]),
            ("licenses", &["available"], &["Update", "Checkin", "checkout"]),
            ("licenses", &["department_name", "number_of_seats"], &["Update"]),
            ("audits", &["completed", "location_name"], &["Update", "Complete", "Schedule"]),
        ] {
            for field in fields {
                assert_eq!(causes(name, RecordDifference::Field(field)), expected, "{name}.{field}");
            }
        }
    }
}
