//! Who holds an item: by its record, and by entries of the activity log.

use std::collections::HashSet;

use serde_json::Value as Json;

use crate::api::{Record, integer};
use crate::schema::{self, HOLDERS, Meaning};

/// A holder: the parameter that names them, and their id.
pub(super) type Holder = (&'static str, i64);

/// The collection that a holder parameter refers to.
pub(super) fn collection_of(holder: &str) -> Option<&'static str> {
    let reference = schema::ACTIONS.iter().find_map(|action| action.field(holder)?.reference_to())?;
    schema::collection(reference.to).map(|collection| collection.name)
}

/// Who holds an individually tracked item, and since when.
pub(super) fn holders_in(record: &Record) -> Vec<(Holder, Option<String>)> {
    let entries = record.get(Meaning::Holders.field_name()).and_then(Json::as_array).into_iter().flatten();
    let told = |entry: &Json| {
        let holder = HOLDERS.iter().find_map(|name| Some((*name, integer(entry.get(*name)?)?)))?;
        Some((holder, entry.get(Meaning::HeldSince.field_name()).and_then(day)))
    };
    entries.filter_map(told).collect()
}

/// Whether a log entry names the holder of its item.
pub(crate) fn has_holder(entry: &Record) -> bool {
    named_in(entry).is_some()
}

/// The holders that a log entry names; `None` if it names none.
pub(super) fn named_in(entry: &Record) -> Option<HashSet<Holder>> {
    let named: HashSet<Holder> = HOLDERS.iter().filter_map(|name| Some((*name, integer(entry.get(*name)?)?))).collect();
    (!named.is_empty()).then_some(named)
}

/// The date of a timestamp: `2024-05-01`.
pub(super) fn day(value: &Json) -> Option<String> {
    value.as_str()?.get(..10).map(str::to_owned)
}
