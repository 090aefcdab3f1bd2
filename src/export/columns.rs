//! The columns of a collection, and its records as rows.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value as Json;

use crate::catalog::{Catalog, Found, Naming, Record, Target};
use crate::check::{CLEAR, text};
use crate::mapping::{To, Words};
use crate::plan::custom_fields;
use crate::schema::{Entity, Field, Kind, Reference, Wire, fold_header};
use crate::table::{Row, Value};

/// The header over the ids that records had: they are told to people, and mean nothing to an import.
const DELETED_ID: &str = "_deleted_id";

/// The columns of some records of one collection.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<Column>,
}

/// One column.
#[derive(Debug)]
struct Column {
    header: String,
    of: Source,
}

/// What an import makes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Read,
    /// It is there for people.
    Told,
}

/// What a column shows of a record.
#[derive(Debug)]
enum Source {
    Id,
    Field(&'static Field),
    /// The value of a custom field.
    Custom(String),
}

/// The collections whose names a row of these records needs: those that its references point at by id.
pub fn referred<'r>(entity: &Entity, records: impl Iterator<Item = &'r Record>) -> BTreeSet<&'static str> {
    let references: Vec<(&Field, Reference)> =
        entity.created_fields().filter_map(|field| Some((field, field.reference_to()?))).collect();
    let mut names = BTreeSet::new();
    for record in records {
        let held = references.iter().filter(|(field, reference)| {
            reference.wire == Wire::Id && record.get(field.name).is_some_and(|value| !value.is_null())
        });
        names.extend(held.map(|(_, reference)| reference.to));
    }
    names
}

impl Columns {
    /// Every field that a create takes, a column for each custom field, and at the end what only replies carry, as
    /// far as any of the records has it.
    pub fn of<'r>(entity: &'static Entity, records: impl Iterator<Item = &'r Record> + Clone) -> Self {
        let mut columns = vec![Column { header: DELETED_ID.to_owned(), of: Source::Id }];
        let written = entity.created_fields().filter(|field| field.kind != Kind::CustomFields);
        columns.extend(written.map(|field| Column { header: header(field), of: Source::Field(field) }));
        columns.extend(custom_names(records.clone()).into_iter().map(|name| {
            let header = format!("custom:{name}");
            Column { header, of: Source::Custom(name) }
        }));
        let words = Words::new(entity);
        let is_told = |field: &&Field| {
            let is_idle = matches!(words.get(field.name), Some(To::Ignored(_)));
            let is_held = |record: &Record| record.get(field.name).is_some_and(|value| !is_nothing(value));
            is_idle && records.clone().any(is_held)
        };
        let told = entity.fields.iter().filter(|field| !field.is_written() && field.read).filter(is_told);
        columns.extend(told.map(|field| Column { header: field.name.to_owned(), of: Source::Field(field) }));
        Self { columns }
    }

    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.header.as_str())
    }

    /// The headers, each with what an import makes of its column.
    pub fn headers_with_part(&self) -> impl Iterator<Item = (&str, Part)> {
        let part = |column: &Column| match column.of {
            Source::Custom(_) => Part::Read,
            Source::Field(field) if field.is_written() => Part::Read,
            Source::Field(_) | Source::Id => Part::Told,
        };
        self.columns.iter().map(move |column| (column.header.as_str(), part(column)))
    }

    /// Fills an empty row with a record's cells. `catalog` holds the collections that are [`referred`] to.
    pub fn fill(&self, record: &Record, catalog: &Catalog, row: &mut Row) {
        let custom = record.get("custom_fields").map(custom_fields).unwrap_or_default();
        for column in &self.columns {
            match &column.of {
                Source::Id => push(Kind::Integer { least: 0 }, record.get("id"), row),
                Source::Custom(name) => {
                    row.push_text(custom.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value));
                }
                Source::Field(field) => match (field.reference_to(), record.get(field.name)) {
                    (Some(reference), Some(value)) if field.is_written() => {
                        row.push_text(&named(reference, value, catalog));
                    }
                    (_, value) => push(field.kind, value, row),
                },
            }
        }
    }
}

/// What an import takes for the field. Under a reference's own name a bare number is an id: a name stands under
/// `product_name`, which is right for every name. An asset is called by its tag in any column.
fn header(field: &Field) -> String {
    let is_by_id = field.reference_to().is_some_and(|reference| reference.wire == Wire::Id);
    match field.name.strip_suffix("_id").filter(|_| is_by_id) {
        Some(base) => format!("{base}_name"),
        None => field.name.to_owned(),
    }
}

fn custom_names<'r>(records: impl Iterator<Item = &'r Record>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in records.filter_map(|record| record.get("custom_fields")).flat_map(custom_fields) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The record that a field refers to, as an import finds it again: by its name where that means it alone.
fn named(reference: Reference, value: &Json, catalog: &Catalog) -> String {
    let id = match value {
        Json::Number(number) => number.as_i64(),
        // An asset's tag, which is how it is called.
        Json::String(tag) => return tag.clone(),
        _ => None,
    };
    let Some(id) = id else { return String::new() };
    let target = Target::Known(id);
    let name = catalog.describe(reference.to, target);
    let is_readable = !text::is_no_value_mark(&name) && name != CLEAR && text::trimmed(&name) == name;
    match catalog.find(reference.to, &name, Naming::Marked, reference.narrowed, &[]) {
        Found::One(found) if found == target && is_readable => name,
        _ => format!("#{id}"),
    }
}

/// Appends a value as the cell that a person would type for it.
fn push(kind: Kind, value: Option<&Json>, row: &mut Row) {
    let Some(value) = value.filter(|value| !is_nothing(value)) else { return row.push("", Value::Blank) };
    match (kind, value) {
        (Kind::Boolean, _) => match truth(value) {
            Some(truth) => row.push(if truth { "TRUE" } else { "FALSE" }, Value::Boolean(truth)),
            None => row.push_text(&plain(value)),
        },
        (Kind::Date, Json::String(text)) => match day(text) {
            Some(day) => row.push(&day.to_string(), Value::Date(day.at(0, 0, 0, 0))),
            None => row.push_text(text),
        },
        (Kind::Option(choices), Json::String(text)) => {
            let folded = fold_header(text);
            let spelled = choices.create.iter().find(|option| fold_header(option) == folded);
            row.push_text(spelled.unwrap_or(&text.as_str()));
        }
        // Other systems' numbers may be longer than a cell's number is exact.
        (_, Json::Number(number)) => match number.as_f64().filter(|number| number.abs() < EXACT) {
            Some(exact) => row.push(&plain(value), Value::Number(exact)),
            None => row.push_text(&plain(value)),
        },
        _ => row.push_text(&plain(value)),
    }
}

/// Excel keeps fifteen digits of a number.
const EXACT: f64 = 1e15;

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn truth(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(truth) => Some(*truth),
        Json::Number(number) => number.as_i64().filter(|number| (0..=1).contains(number)).map(|number| number == 1),
        _ => None,
    }
}

/// The day of `2024-05-01` and of `2024-05-01T00:00:00.000Z`.
fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::mapping::Ids;
    use crate::schema::{COLLECTIONS, collection};

    fn record(value: Json) -> Record {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn every_header_is_read_as_what_it_is_written_for() {
        for entity in COLLECTIONS.iter().copied() {
            let words = Words::new(entity);
            for column in &Columns::of(entity, std::iter::empty()).columns {
                let read = words.get(&column.header);
                match column.of {
                    Source::Field(field) => {
                        let index = entity.field_index(field.name).unwrap();
                        let Some(To::Field { field: fed, ids }) = read else { panic!("{}: {read:?}", column.header) };
                        assert_eq!(fed, index, "{}.{}", entity.name, column.header);
                        let is_tag = field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag);
                        assert!(field.reference_to().is_none() || is_tag || ids == Ids::Marked, "{}", column.header);
                    }
                    Source::Id => assert!(matches!(read, Some(To::Ignored(_)))),
                    Source::Custom(_) => unreachable!(),
                }
            }
        }
    }

    #[test]
    fn values_are_cells_of_their_kind() {
        let accessories = collection("accessories").unwrap();
        let record = record(json!({
            "id": 7, "name": "0042", "purchase_cost": 29, "purchase_date": "2024-05-01T00:00:00.000Z", "qr_code": 1,
            "quantity": 3, "available": 2, "category_id": 5, "notes": null, "custom_fields": [{"name": "Rack", "value": "B4"}],
        }));
        let columns = Columns::of(accessories, [&record].into_iter());
        let mut row = Row::default();
        columns.fill(&record, &Catalog::default(), &mut row);
        let cell = |header: &str| row.cell(columns.headers().position(|known| known == header).unwrap());
        assert_eq!((cell("_deleted_id").value, cell("available").value), (Value::Number(7.0), Value::Number(2.0)));
        assert_eq!((cell("name").text, cell("name").value), ("0042", Value::Text));
        assert_eq!(cell("purchase_cost").value, Value::Number(29.0));
        assert_eq!(cell("purchase_date").value, Value::Date(jiff::civil::date(2024, 5, 1).at(0, 0, 0, 0)));
        assert_eq!(cell("qr_code").value, Value::Boolean(true));
        assert_eq!(cell("category_name").text, "#5", "a name that is not known");
        assert_eq!((cell("custom:Rack").text, cell("notes").value), ("B4", Value::Blank));
        assert_eq!(referred(accessories, [&record].into_iter()), BTreeSet::from(["categories"]));
    }

    #[test]
    fn a_name_stands_where_it_finds_the_record_again() {
        let mut catalog = Catalog::default();
        for (step, name) in [(1, "Bonn"), (2, "Berlin"), (3, "BERLIN"), (4, "n/a"), (5, "berlin")] {
            catalog.add_planned("locations", step, record(json!({ "name": name })));
        }
        let reference = collection("assets").unwrap().field("location_id").unwrap().reference_to().unwrap();
        // Planned records have no id: what is not known stays an id.
        assert_eq!(named(reference, &json!(9), &catalog), "#9");
        assert_eq!(named(reference, &json!("LAP-1"), &catalog), "LAP-1");
        assert_eq!(named(reference, &Json::Null, &catalog), "");
    }
}
