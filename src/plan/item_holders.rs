//! Who holds an item that is moved as a whole, such as an asset, as far as its record says.
//!
//! Replies may be partial: that nobody is listed does not mean that nobody has the item. A list may name people only, while
//! the item is at a location, which then shows in the day of its check-out alone.

use serde_json::Value as Json;

use super::undo::is_empty;
use crate::api::Record;
use crate::schema::{HOLDERS, Meaning};

/// What is shown for a holder whom the account does not name.
pub(crate) const SOMEBODY: &str = "somebody";

/// Who holds an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ItemHolders<'r> {
    /// The record does not say whether anybody does.
    NotReported,
    Nobody,
    /// Those of the entries, of which at least one names its holder.
    Listed(&'r [Json]),
    /// The item is checked out, and the record does not say to whom.
    Unnamed,
}

impl<'r> ItemHolders<'r> {
    pub(crate) fn of(record: &'r Record) -> Self {
        let listed = record.get(Meaning::Holders.field_name());
        if let Some(entries) = listed.and_then(Json::as_array).filter(|entries| entries.iter().any(names_holder)) {
            return Self::Listed(entries);
        }
        let is_filled = |value: Option<&Json>| value.is_some_and(|value| !is_empty(value));
        match listed {
            _ if is_filled(listed) || is_filled(record.get(Meaning::HeldSince.field_name())) => Self::Unnamed,
            Some(_) => Self::Nobody,
            None => Self::NotReported,
        }
    }
}

fn names_holder(entry: &Json) -> bool {
    HOLDERS.iter().any(|name| entry.get(*name).is_some_and(|held| !held.is_null()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_with_a_day_of_check_out_is_out_though_nobody_is_listed() {
        let ada = json!([{"employee_id": 1}]);
        let listed = ItemHolders::Listed(ada.as_array().map(Vec::as_slice).unwrap_or_default());
        for (record, expected) in [
            (json!({}), ItemHolders::NotReported),
            (json!({"checkout_date": null}), ItemHolders::NotReported),
            (json!({"deployed_to": []}), ItemHolders::Nobody),
            (json!({"deployed_to": null, "checkout_date": null}), ItemHolders::Nobody),
            (json!({"deployed_to": [], "checkout_date": ""}), ItemHolders::Nobody),
            (json!({"deployed_to": [], "checkout_date": "2026-01-02"}), ItemHolders::Unnamed),
            (json!({"deployed_to": null, "checkout_date": "2026-01-02"}), ItemHolders::Unnamed),
            (json!({"checkout_date": "2026-01-02"}), ItemHolders::Unnamed),
            (json!({"deployed_to": [{"name": "Ada"}]}), ItemHolders::Unnamed),
            (json!({"deployed_to": [{"employee_id": null}]}), ItemHolders::Unnamed),
            (json!({"deployed_to": "Ada"}), ItemHolders::Unnamed),
            (json!({"deployed_to": ada, "checkout_date": "2026-01-02"}), listed),
        ] {
            let fields = record.as_object().cloned().unwrap_or_default();
            assert_eq!(ItemHolders::of(&fields), expected, "{record}");
        }
    }
}
