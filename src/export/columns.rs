//! The columns of a collection, and its records as rows.

use std::cell::Cell;

use serde_json::Value as Json;

use super::names::{Names, Purpose};
use super::value::{self, MOMENTS};
use crate::api::{RawFields, custom_fields};
use crate::catalog::{ObservedFields, Record};
use crate::mapping::{ColumnTarget, HeaderAliases};
use crate::schema::{self, Entity, Field, Kind, Reference, Wire};
use crate::table::write::output::{ColumnType, OutputColumn};
use crate::table::{Row, Value};

/// The header over the ids that records had: they are told to people, and mean nothing to an import.
const DELETED_ID: &str = "_deleted_id";

/// How a reference is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ids {
    /// The id, and the name beside it.
    #[default]
    Both,
    Names,
    Only,
}

/// The columns of some records of one collection.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<Column>,
    /// What a name has to be good for.
    purpose: Purpose,
    /// The field that tells the currency of its amounts.
    currency: Option<&'static str>,
}

/// One column.
#[derive(Debug)]
struct Column {
    header: String,
    column_type: ColumnType,
    of: Source,
    /// Where in a record its field was found last: records of one list carry their fields in one order.
    place: Cell<usize>,
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
    /// A field under its own name, documented or not.
    Own(String),
    Field(&'static Field),
    /// The id that a field refers to.
    Id(&'static Field),
    /// The name of the record that a field refers to.
    Name(&'static Field, Reference),
    /// The same, where the field belongs to the record that another one refers to: the category of an asset's product.
    Through {
        by: &'static Field,
        to: &'static str,
        field: &'static Field,
        shown: Shown,
    },
    /// The names of the records in a structure.
    Holders(&'static Field),
    /// The value of a custom field.
    Custom(String),
}

/// What is shown of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Id,
    Name(Reference),
}

impl Columns {
    /// What `export` writes: the id, every field that records carry under its own name, references twice over, a
    /// column for each custom field, fields that the guide does not know, and when a record was made and changed.
    pub fn of(entity: &'static Entity, shape: &ObservedFields, ids: Ids) -> Self {
        let mut columns = Self::new(entity, if ids == Ids::Both { Purpose::Reading } else { Purpose::Finding });
        if entity.is_collection() {
            columns.add("id", ColumnType::Text, Source::Own(String::from("id")));
        }
        for field in entity.fields.iter().filter(|field| field.read && field.kind != Kind::CustomFields) {
            columns.add_field(entity, field, ids);
        }
        for name in shape.custom.iter() {
            columns.add(&format!("custom:{name}"), ColumnType::Text, Source::Custom(name.to_owned()));
        }
        let known = |name: &str| entity.field(name).is_some() || name == "custom_fields" || MOMENTS.contains(&name);
        for name in shape.fields.iter().filter(|name| !known(name)) {
            columns.add(name, ColumnType::Json, Source::Own(name.to_owned()));
        }
        for name in MOMENTS.iter().filter(|name| entity.is_collection() && shape.fields.contains(name)) {
            columns.add(name, ColumnType::Timestamp, Source::Own((*name).to_owned()));
        }
        columns
    }

    /// What the backup of a deletion writes: every field that a create takes, with names for references, and at the
    /// end what only replies carry, as far as any of the records has it.
    pub fn backup<'r>(entity: &'static Entity, records: impl Iterator<Item = &'r Record> + Clone) -> Self {
        let mut columns = Self::new(entity, Purpose::Finding);
        columns.add(DELETED_ID, ColumnType::Integer, Source::Own(String::from("id")));
        for field in entity.created_fields().filter(|field| field.kind != Kind::CustomFields) {
            match field.reference_to() {
                Some(reference) => columns.add(&name_header(field), ColumnType::Text, Source::Name(field, reference)),
                None => columns.add(field.name, value::column_type(field), Source::Field(field)),
            }
        }
        let custom = records.clone().filter_map(|record| record.get("custom_fields")).flat_map(custom_fields);
        for (name, _) in custom {
            columns.add(&format!("custom:{name}"), ColumnType::Text, Source::Custom(name));
        }
        let words = HeaderAliases::new(entity);
        for field in entity.fields.iter().filter(|field| !field.is_written() && field.read) {
            let is_idle = matches!(words.get(field.name), Some(ColumnTarget::Ignored(_)));
            let is_held = |record: &Record| record.get(field.name).is_some_and(|value| !is_nothing(value));
            if is_idle && records.clone().any(is_held) {
                columns.add(field.name, value::column_type(field), Source::Field(field));
            }
        }
        columns
    }

    fn new(entity: &Entity, purpose: Purpose) -> Self {
        let currency = entity.fields.iter().find(|field| field.kind == Kind::Currency).map(|field| field.name);
        Self { columns: Vec::new(), purpose, currency }
    }

    /// Adds a column, unless one is headed so already.
    fn add(&mut self, header: &str, column_type: ColumnType, of: Source) {
        if !self.columns.iter().any(|known| known.header == header) {
            self.columns.push(Column { header: header.to_owned(), column_type, of, place: Cell::new(0) });
        }
    }

    fn add_field(&mut self, entity: &'static Entity, field: &'static Field, ids: Ids) {
        if !field.names.is_empty() && ids != Ids::Only {
            self.add(&format!("{}_name", field.name), ColumnType::Text, Source::Holders(field));
        }
        let Some(reference) = field.reference_to().filter(|reference| reference.wire == Wire::Id) else {
            return self.add(field.name, value::column_type(field), Source::Field(field));
        };
        let through = |shown| through(entity, field, shown);
        if ids != Ids::Names {
            self.add(field.name, ColumnType::Text, through(Shown::Id).unwrap_or(Source::Id(field)));
        }
        if ids != Ids::Only {
            let shown = through(Shown::Name(reference)).unwrap_or(Source::Name(field, reference));
            self.add(&name_header(field), ColumnType::Text, shown);
        }
    }

    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.header.as_str())
    }

    /// As an output wants them.
    pub fn output(&self) -> Vec<OutputColumn> {
        let output = |column: &Column| OutputColumn { header: column.header.clone(), column_type: column.column_type };
        self.columns.iter().map(output).collect()
    }

    /// Leaves these columns, in this order.
    ///
    /// # Errors
    /// The first header that is none.
    pub fn chosen(mut self, headers: &[String]) -> Result<Self, String> {
        let mut chosen = Vec::with_capacity(headers.len());
        for header in headers {
            let place =
                self.columns.iter().position(|column| column.header == *header).ok_or_else(|| header.clone())?;
            chosen.push(self.columns.remove(place));
        }
        self.columns = chosen;
        Ok(self)
    }

    /// The headers, each with what an import makes of its column.
    pub fn headers_with_part(&self) -> impl Iterator<Item = (&str, Part)> {
        let part = |column: &Column| match column.of {
            Source::Custom(_) => Part::Read,
            Source::Field(field) | Source::Id(field) | Source::Name(field, _) if field.is_written() => Part::Read,
            _ => Part::Told,
        };
        self.columns.iter().map(move |column| (column.header.as_str(), part(column)))
    }

    /// Fills an empty row with a record's cells.
    pub fn fill(&self, record: &RawFields<'_>, names: &Names, row: &mut Row) {
        let mut cells = Cells { names, row, name: String::new() };
        let mut custom = None;
        for column in &self.columns {
            match &column.of {
                Source::Own(field) => value::push(column.column_type, column.find(record, field), cells.row),
                Source::Field(field) => self.push_field(field, column, record, cells.row),
                Source::Id(field) => value::push(ColumnType::Text, column.find(record, field.name), cells.row),
                Source::Name(field, reference) => {
                    self.push_name((field, *reference), column.find(record, field.name), record, &mut cells);
                }
                Source::Through { by, to, field, shown } => {
                    let id = column.find(record, by.name).and_then(value::integer);
                    let held = id.and_then(|id| names.record(to, id)).map(|held| held.get(field.name).and_then(as_id));
                    // A product that is not known: what the record itself says then counts.
                    let id = held.unwrap_or_else(|| record.get(field.name).and_then(value::integer));
                    self.push_through(id, *shown, &mut cells);
                }
                Source::Holders(field) => {
                    cells.name.clear();
                    self.holders(field, column.find(record, field.name), names, &mut cells.name);
                    cells.row.push_text(&cells.name);
                }
                Source::Custom(known) => {
                    let custom = custom.get_or_insert_with(|| custom_of(record));
                    cells.row.push_text(custom.iter().find(|(name, _)| name == known).map_or("", |(_, value)| value));
                }
            }
        }
    }

    fn push_field(&self, field: &Field, column: &Column, record: &RawFields<'_>, row: &mut Row) {
        let json = column.find(record, field.name);
        match field.kind {
            Kind::Money => value::push_amount(json, self.currency.and_then(|field| record.get(field)), row),
            Kind::Option(choices) => value::push_option(choices.create, json, row),
            _ => value::push(column.column_type, json, row),
        }
    }

    /// The name of what a field refers to.
    fn push_name(
        &self,
        (field, reference): (&Field, Reference),
        json: Option<&str>,
        record: &RawFields<'_>,
        cells: &mut Cells<'_>,
    ) {
        let Some(json) = value::told(json) else {
            // A reply may carry the name without the id.
            let own = value::told(record.get(&name_header(field))).map(value::plain);
            return cells.row.push_text(own.as_deref().unwrap_or_default());
        };
        match (reference.wire, value::integer(json)) {
            (Wire::Id, Some(id)) => cells.push_named(reference, id, self.purpose),
            // An asset's tag, which is how it is called.
            _ => cells.row.push_text(&value::plain(json)),
        }
    }

    fn push_through(&self, id: Option<i64>, shown: Shown, cells: &mut Cells<'_>) {
        match (id, shown) {
            (None, _) => cells.row.push("", Value::Blank),
            (Some(id), Shown::Id) => cells.row.push_text(&id.to_string()),
            (Some(id), Shown::Name(reference)) => cells.push_named(reference, id, self.purpose),
        }
    }

    /// Everybody that a structure names: `[{"employee_id": 3}]` is the name of employee 3.
    fn holders(&self, field: &Field, json: Option<&str>, names: &Names, into: &mut String) {
        let Some(Ok(Json::Array(members))) = value::told(json).map(serde_json::from_str) else { return };
        let collections = field.names.iter().filter_map(|name| schema::collection(name));
        let collections: Vec<_> = collections.map(|entity| (entity, format!("{}_id", entity.singular))).collect();
        for member in &members {
            for (entity, key) in &collections {
                let Some(id) = member.get(key).and_then(as_id) else { continue };
                if !into.is_empty() {
                    into.push_str("; ");
                }
                let reference = Reference { to: entity.name, wire: Wire::Id, narrowed: None };
                names.put(reference, id, Purpose::Reading, into);
            }
        }
    }
}

/// A row on its way.
struct Cells<'a> {
    names: &'a Names,
    row: &'a mut Row,
    /// Reused from cell to cell.
    name: String,
}

impl Cells<'_> {
    fn push_named(&mut self, reference: Reference, id: i64, purpose: Purpose) {
        self.name.clear();
        self.names.put(reference, id, purpose, &mut self.name);
        self.row.push_text(&self.name);
    }
}

impl Column {
    /// The JSON text of a field; looked for first where it was found last.
    fn find<'a>(&self, record: &RawFields<'a>, name: &str) -> Option<&'a str> {
        let place = self.place.get();
        if let Some((known, value)) = record.at(place)
            && known == name
        {
            return Some(value);
        }
        let (place, value) = record.find(name)?;
        self.place.set(place);
        Some(value)
    }
}

/// The column of a field that belongs to the record another field refers to: a list may carry both, and the copy of
/// one is older than the other.
fn through(entity: &'static Entity, field: &'static Field, shown: Shown) -> Option<Source> {
    if field.is_written() {
        return None;
    }
    let by = entity.fields.iter().find(|by| by.related.iter().any(|related| related.field == field.name))?;
    let to = by.reference_to()?.to;
    let field = schema::collection(to)?.field(field.name)?;
    Some(Source::Through { by, to, field, shown })
}

/// What an import takes for the field. Under a reference's own name a bare number is an id: a name stands under
/// `product_name`, which is right for every name. An asset is called by its tag in any column.
fn name_header(field: &Field) -> String {
    let is_by_id = field.reference_to().is_some_and(|reference| reference.wire == Wire::Id);
    match field.name.strip_suffix("_id").filter(|_| is_by_id) {
        Some(base) => format!("{base}_name"),
        None => field.name.to_owned(),
    }
}

fn custom_of(record: &RawFields<'_>) -> Vec<(String, String)> {
    let value = value::told(record.get("custom_fields")).and_then(|json| serde_json::from_str(json).ok());
    value.map(|value: Json| custom_fields(&value)).unwrap_or_default()
}

fn as_id(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn is_nothing(value: &Json) -> bool {
    value::told(Some(&value.to_string())).is_none()
}

#[cfg(test)]
mod tests;
