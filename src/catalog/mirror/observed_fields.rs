//! Which fields the records of a collection carry: the columns of an export, known before its first row.

use hashbrown::HashSet;

use crate::api::{RawFields, custom_fields};

/// The names seen, in the order in which they were met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedFields {
    pub fields: FieldSet,
    pub custom: FieldSet,
}

/// FieldSet without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    ordered: Vec<String>,
    known: HashSet<String>,
}

impl FieldSet {
    /// Whether the name is new.
    pub fn note(&mut self, name: &str) -> bool {
        if self.known.contains(name) {
            return false;
        }
        self.known.insert(name.to_owned());
        self.ordered.push(name.to_owned());
        true
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.ordered.iter().map(String::as_str)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.known.contains(name)
    }
}

impl ObservedFields {
    /// Adds the names of another that are not there yet.
    pub fn join(&mut self, other: &ObservedFields) {
        for (own, others) in [(&mut self.fields, &other.fields), (&mut self.custom, &other.custom)] {
            for name in others.iter() {
                own.note(name);
            }
        }
    }

    /// As [`ObservedFields::note`], for a record as it came.
    pub fn observe_json(&mut self, json: &str) -> bool {
        RawFields::of(json).is_some_and(|fields| self.note(&fields))
    }

    /// Takes note of a record's fields; whether there was a new one among them.
    pub fn note(&mut self, fields: &RawFields<'_>) -> bool {
        let mut is_new = false;
        for (name, value) in fields.iter() {
            is_new |= self.fields.note(name);
            if name == "custom_fields" && !matches!(value, "null" | "[]" | "{}" | "\"[]\"" | "\"\"") {
                let pairs = serde_json::from_str(value).map(|value| custom_fields(&value)).unwrap_or_default();
                for (name, _) in pairs {
                    is_new |= self.custom.note(&name);
                }
            }
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_are_the_union_in_the_order_they_were_met() {
        let mut shape = ObservedFields::default();
        let notes = [
            r#"{"id":1,"custom_fields":"[{\"name\":\"Rack\",\"value\":\"B4\"}]"}"#,
            r#"{"id":2,"colour":"red","custom_fields":{"MAC":"aa","Rack":""}}"#,
            r#"{"id":3,"custom_fields":null}"#,
        ]
        .map(|json| shape.note(&RawFields::of(json).unwrap()));
        assert_eq!(notes, [true, true, false]);
        assert_eq!(shape.fields.iter().collect::<Vec<_>>(), ["id", "custom_fields", "colour"]);
        assert_eq!(shape.custom.iter().collect::<Vec<_>>(), ["Rack", "MAC"]);
    }
}
