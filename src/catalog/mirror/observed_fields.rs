//! Which fields the records of a collection have: the columns of an export, known before its first row.

use hashbrown::HashSet;

use crate::api::{RawFields, custom_fields};
use crate::schema::CUSTOM_FIELDS;

/// The field names seen, in the order of their first appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObservedFields {
    pub fields: FieldSet,
    pub custom: FieldSet,
    /// Those that records had earlier and no longer have. Only what names a field needs them.
    pub former_fields: FieldSet,
    pub former_custom: FieldSet,
}

/// Names without duplicates, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    ordered: Vec<String>,
    known: HashSet<String>,
}

impl FieldSet {
    /// Adds a name, unless it is there.
    pub(crate) fn add(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.ordered.push(name.to_owned());
        }
    }

    fn add_all(&mut self, others: &FieldSet) {
        others.iter().for_each(|name| self.add(name));
    }

    /// Whether the name is the one at that place: records of a list have their fields in the same order.
    fn is_at(&self, place: usize, name: &str) -> bool {
        self.ordered.get(place).is_some_and(|known| known == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.ordered.iter().map(String::as_str)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.known.contains(name)
    }
}

impl ObservedFields {
    /// Adds the names of another that are missing.
    pub(crate) fn merge(&mut self, other: &ObservedFields) {
        self.fields.add_all(&other.fields);
        self.custom.add_all(&other.custom);
        self.former_fields.add_all(&other.former_fields);
        self.former_custom.add_all(&other.former_custom);
    }

    /// These fields and, behind them, those that records had earlier.
    pub(crate) fn with_former(&self) -> Self {
        let mut all = self.clone();
        all.fields.add_all(&self.former_fields);
        all.custom.add_all(&self.former_custom);
        all
    }

    /// Records what was observed earlier and is not there any more.
    pub(super) fn set_former(&mut self, earlier: &ObservedFields) {
        let earlier = earlier.with_former();
        earlier.fields.iter().filter(|name| !self.fields.contains(name)).for_each(|name| self.former_fields.add(name));
        earlier.custom.iter().filter(|name| !self.custom.contains(name)).for_each(|name| self.former_custom.add(name));
    }

    /// As [`ObservedFields::observe`], for an unparsed record.
    pub(crate) fn observe_json(&mut self, json: &str) {
        if let Some(fields) = RawFields::of(json) {
            self.observe(&fields);
        }
    }

    /// Adds the fields of a record.
    pub(crate) fn observe(&mut self, fields: &RawFields<'_>) {
        for (place, (name, value)) in fields.iter().enumerate() {
            if !self.fields.is_at(place, name) {
                self.fields.add(name);
            }
            if name == CUSTOM_FIELDS && !matches!(value, "null" | "[]" | "{}" | "\"[]\"" | "\"\"") {
                let pairs = serde_json::from_str(value).map(|value| custom_fields(&value)).unwrap_or_default();
                pairs.iter().for_each(|(name, _)| self.custom.add(name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_are_the_union_in_the_order_of_appearance() {
        let mut fields = ObservedFields::default();
        for json in [
            r#"{"id":1,"custom_fields":"[{\"name\":\"Rack\",\"value\":\"B4\"}]"}"#,
            r#"{"id":2,"colour":"red","custom_fields":{"MAC":"aa","Rack":""}}"#,
            r#"{"id":3,"custom_fields":null}"#,
        ] {
            fields.observe(&RawFields::of(json).unwrap());
        }
        assert_eq!(fields.fields.iter().collect::<Vec<_>>(), ["id", "custom_fields", "colour"]);
        assert_eq!(fields.custom.iter().collect::<Vec<_>>(), ["Rack", "MAC"]);
    }

    #[test]
    fn merging_adds_what_is_missing_of_every_kind_of_names() {
        let set = |names: &[&str]| {
            let mut set = FieldSet::default();
            names.iter().for_each(|name| set.add(name));
            set
        };
        let mut merged = ObservedFields { fields: set(&["id", "name"]), ..ObservedFields::default() };
        merged.merge(&ObservedFields {
            fields: set(&["id", "colour"]),
            custom: set(&["Rack"]),
            former_fields: set(&["size"]),
            former_custom: set(&["MAC"]),
        });
        let all = [&merged.fields, &merged.custom, &merged.former_fields, &merged.former_custom];
        let names = all.map(|set| set.iter().collect::<Vec<_>>().join(" "));
        assert_eq!(names, ["id name colour", "Rack", "size", "MAC"]);
    }
}
