//! What the activity log calls things. Guide: section "Activity", the options of `type` and `event`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{ACTIVITY, Entity, Field, Kind, Verb, fold_header, log_field};

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

impl Verb {
    /// The `event` the log gives to the action.
    pub fn log_event(self) -> &'static str {
        match self {
            Verb::Checkin => "Checkin",
            Verb::Checkout => "Checkout",
        }
    }
}
