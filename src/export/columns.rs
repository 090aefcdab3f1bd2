//! The columns of an exported collection, and how a record becomes a row of cells.

use std::cell::Cell;

use serde_json::Value as Json;

use super::names::{NamePurpose, ReferenceNames};
use super::value::{self, MOMENTS};
use crate::api::{RawFields, custom_fields, integer};
use crate::catalog::{CurrentField, ObservedFields, Record};
use crate::mapping::{ColumnTarget, DELETED_ID, HeaderAliases};
use crate::schema::{self, CUSTOM_FIELDS, Entity, Field, Kind, Reference, Wire};
use crate::table::write::output::{ColumnType, OutputColumn};
use crate::table::{Row, Value};

/// Which columns a reference to another record gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdColumns {
    /// The id, and a second column with the name.
    #[default]
    Both,
    /// Only the name.
    NamesOnly,
    /// Only the id.
    IdsOnly,
}

#[derive(Debug)]
pub(crate) struct ExportColumns {
    columns: Vec<ExportColumn>,
    /// What the names of referenced records are used for.
    purpose: NamePurpose,
    /// The field that holds the currency of the amounts.
    currency: Option<&'static str>,
}

#[derive(Debug)]
struct ExportColumn {
    header: String,
    column_type: ColumnType,
    source: CellSource,
    /// Position of the field in the last record. The records of a list have their fields in the same order.
    place: Cell<usize>,
}

/// A header for which no column is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotSelected {
    Unknown(String),
    /// The header was given twice.
    Repeated(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportRole {
    Imported,
    /// Ignored: the column is there for people to read.
    ReadOnly,
}

#[derive(Debug)]
enum CellSource {
    /// The field of that name, documented or not.
    Raw(String),
    Field(&'static Field),
    Name(&'static Field, Reference),
    /// A reference that the service copies from a referenced record: the category of an asset from its product. The copy in
    /// the list may be stale.
    Copied {
        field: CurrentField,
        /// How the name is written; none for the id.
        named: Option<Reference>,
    },
    /// The names of all records listed in a structured field.
    Holders(&'static Field),
    Custom(String),
}

impl ExportColumns {
    /// The columns of an export: the id, every field the service returns, references as id and name, one column per
    /// custom field, undocumented fields, and the creation and update timestamps.
    pub(crate) fn of(entity: &'static Entity, shape: &ObservedFields, ids: IdColumns) -> Self {
        let mut columns =
            Self::new(entity, if ids == IdColumns::Both { NamePurpose::Display } else { NamePurpose::Lookup });
        if entity.is_collection() {
            columns.add("id", ColumnType::Text, CellSource::Raw(String::from("id")));
        }
        for field in entity.fields.iter().filter(|field| field.read && field.kind != Kind::CustomFields) {
            columns.add_field(entity, field, ids);
        }
        for name in shape.custom.iter() {
            columns.add(&format!("custom:{name}"), ColumnType::Text, CellSource::Custom(name.to_owned()));
        }
        let known = |name: &str| entity.field(name).is_some() || name == CUSTOM_FIELDS || MOMENTS.contains(&name);
        for name in shape.fields.iter().filter(|name| !known(name)) {
            columns.add(name, ColumnType::Json, CellSource::Raw(name.to_owned()));
        }
        for name in MOMENTS.iter().filter(|name| entity.is_collection() && shape.fields.contains(name)) {
            columns.add(name, ColumnType::Timestamp, CellSource::Raw((*name).to_owned()));
        }
        columns
    }

    /// The columns of a backup before a delete: every field that a create accepts, references as names, and last the
    /// read-only fields that at least one of the records has.
    pub(crate) fn backup<'r>(entity: &'static Entity, records: impl Iterator<Item = &'r Record> + Clone) -> Self {
        let mut columns = Self::new(entity, NamePurpose::Lookup);
        columns.add(DELETED_ID, ColumnType::Integer, CellSource::Raw(String::from("id")));
        for field in entity.created_fields().filter(|field| field.kind != Kind::CustomFields) {
            match field.reference_to() {
                Some(reference) => {
                    columns.add(&name_header(field), ColumnType::Text, CellSource::Name(field, reference))
                }
                None => columns.add(field.name, value::column_type(field), CellSource::Field(field)),
            }
        }
        let custom = records.clone().filter_map(|record| record.get(CUSTOM_FIELDS)).flat_map(custom_fields);
        for (name, _) in custom {
            columns.add(&format!("custom:{name}"), ColumnType::Text, CellSource::Custom(name));
        }
        let words = HeaderAliases::of(entity);
        for field in entity.fields.iter().filter(|field| !field.is_written() && field.read) {
            let is_idle = matches!(words.get(field.name), Some(ColumnTarget::Ignored(_)));
            let is_held = |record: &Record| record.get(field.name).is_some_and(|value| !is_empty_value(value));
            if is_idle && records.clone().any(is_held) {
                columns.add(field.name, value::column_type(field), CellSource::Field(field));
            }
        }
        columns
    }

    fn new(entity: &Entity, purpose: NamePurpose) -> Self {
        let currency = entity.fields.iter().find(|field| field.kind == Kind::Currency).map(|field| field.name);
        Self { columns: Vec::new(), purpose, currency }
    }

    /// Adds a column, unless there is one with that header.
    fn add(&mut self, header: &str, column_type: ColumnType, source: CellSource) {
        if !self.columns.iter().any(|known| known.header == header) {
            self.columns.push(ExportColumn { header: header.to_owned(), column_type, source, place: Cell::new(0) });
        }
    }

    fn add_field(&mut self, entity: &'static Entity, field: &'static Field, ids: IdColumns) {
        if !field.names.is_empty() && ids != IdColumns::IdsOnly {
            self.add(&format!("{}_name", field.name), ColumnType::Text, CellSource::Holders(field));
        }
        let Some(reference) = field.reference_to().filter(|reference| reference.wire == Wire::Id) else {
            return self.add(field.name, value::column_type(field), CellSource::Field(field));
        };
        let current = CurrentField::of(entity, field);
        let copied = |named| current.is_copied().then_some(CellSource::Copied { field: current, named });
        if ids != IdColumns::NamesOnly {
            self.add(field.name, ColumnType::Text, copied(None).unwrap_or(CellSource::Field(field)));
        }
        if ids != IdColumns::IdsOnly {
            let name = copied(Some(reference)).unwrap_or(CellSource::Name(field, reference));
            self.add(&name_header(field), ColumnType::Text, name);
        }
    }

    /// Whether the column at that position holds system ids.
    pub(crate) fn holds_ids(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| match &column.source {
            CellSource::Raw(name) => name == "id",
            CellSource::Field(field) => field.reference_to().is_some_and(|reference| reference.wire == Wire::Id),
            CellSource::Copied { named, .. } => named.is_none(),
            CellSource::Name(..) | CellSource::Holders(_) | CellSource::Custom(_) => false,
        })
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.header.as_str())
    }

    pub(crate) fn output(&self) -> Vec<OutputColumn> {
        let output =
            |column: &ExportColumn| OutputColumn { header: column.header.clone(), column_type: column.column_type };
        self.columns.iter().map(output).collect()
    }

    /// Keeps only these columns, in this order.
    ///
    /// # Errors
    /// The first header that no column has, or that is there twice.
    pub(crate) fn select(mut self, headers: &[String]) -> Result<Self, NotSelected> {
        let mut selected: Vec<ExportColumn> = Vec::with_capacity(headers.len());
        for header in headers {
            let Some(place) = self.columns.iter().position(|column| column.header == *header) else {
                let is_repeated = selected.iter().any(|column| column.header == *header);
                let not_selected = if is_repeated { NotSelected::Repeated } else { NotSelected::Unknown };
                return Err(not_selected(header.clone()));
            };
            selected.push(self.columns.remove(place));
        }
        self.columns = selected;
        Ok(self)
    }

    /// The headers, each with what an import does with the column.
    pub(crate) fn headers_with_role(&self) -> impl Iterator<Item = (&str, ImportRole)> {
        let role = |column: &ExportColumn| match column.source {
            CellSource::Custom(_) => ImportRole::Imported,
            CellSource::Field(field) | CellSource::Name(field, _) if field.is_written() => ImportRole::Imported,
            _ => ImportRole::ReadOnly,
        };
        self.columns.iter().map(move |column| (column.header.as_str(), role(column)))
    }

    /// Appends the cells of a record to an empty row.
    pub(crate) fn fill(&self, record: &RawFields<'_>, names: &ReferenceNames, row: &mut Row) {
        let mut cells = RowCells { names, row, name: String::new() };
        let mut custom = None;
        for column in &self.columns {
            match &column.source {
                CellSource::Raw(field) => value::push(column.column_type, column.find(record, field), cells.row),
                CellSource::Field(field) => self.push_field(field, column, record, cells.row),
                CellSource::Name(field, reference) => {
                    self.push_name((field, *reference), column.find(record, field.name), record, &mut cells);
                }
                CellSource::Copied { field, named } => {
                    let id = names.current_value(*field, |name| column.find(record, name)).as_ref().and_then(integer);
                    match (id, named) {
                        (None, _) => cells.row.push("", Value::Blank),
                        (Some(id), None) => cells.row.push_text(&id.to_string()),
                        (Some(id), Some(reference)) => cells.push_named(*reference, id, self.purpose),
                    }
                }
                CellSource::Holders(field) => {
                    cells.name.clear();
                    self.holders(field, column.find(record, field.name), names, &mut cells.name);
                    cells.row.push_text(&cells.name);
                }
                CellSource::Custom(known) => {
                    let custom = custom.get_or_insert_with(|| custom_of(record));
                    cells.row.push_text(custom.iter().find(|(name, _)| name == known).map_or("", |(_, value)| value));
                }
            }
        }
    }

    fn push_field(&self, field: &Field, column: &ExportColumn, record: &RawFields<'_>, row: &mut Row) {
        let json = column.find(record, field.name);
        match field.kind {
            Kind::Money => value::push_amount(json, self.currency.and_then(|field| record.get(field)), row),
            Kind::Option(choices) => value::push_option(choices.create, json, row),
            _ => value::push(column.column_type, json, row),
        }
    }

    /// Appends the name of the record that a field refers to.
    fn push_name(
        &self,
        (field, reference): (&Field, Reference),
        json: Option<&str>,
        record: &RawFields<'_>,
        cells: &mut RowCells<'_>,
    ) {
        let Some(json) = value::non_empty(json) else {
            // A reply may contain the name without the id.
            let own = value::non_empty(record.get(&name_header(field))).map(value::text_of);
            return cells.row.push_text(own.as_deref().unwrap_or_default());
        };
        match (reference.wire, value::integer(json)) {
            (Wire::Id, Some(id)) => cells.push_named(reference, id, self.purpose),
            // An asset is referred to by its tag.
            _ => cells.row.push_text(&value::text_of(json)),
        }
    }

    /// The names of all records in a structured field: `[{"employee_id": 3}]` gives the name of employee 3.
    fn holders(&self, field: &Field, json: Option<&str>, names: &ReferenceNames, into: &mut String) {
        let Some(Ok(Json::Array(members))) = value::non_empty(json).map(serde_json::from_str) else { return };
        let collections = field.names.iter().filter_map(|name| schema::collection(name));
        let collections: Vec<_> = collections.map(|entity| (entity, format!("{}_id", entity.singular))).collect();
        for member in &members {
            for (entity, key) in &collections {
                let Some(id) = member.get(key).and_then(integer) else { continue };
                if !into.is_empty() {
                    into.push_str("; ");
                }
                let reference = Reference { to: entity.name, wire: Wire::Id, narrowed: None };
                names.push_name(reference, id, NamePurpose::Display, into);
            }
        }
    }
}

struct RowCells<'a> {
    names: &'a ReferenceNames,
    row: &'a mut Row,
    /// Buffer, reused from cell to cell.
    name: String,
}

impl RowCells<'_> {
    fn push_named(&mut self, reference: Reference, id: i64, purpose: NamePurpose) {
        self.name.clear();
        self.names.push_name(reference, id, purpose, &mut self.name);
        self.row.push_text(&self.name);
    }
}

impl ExportColumn {
    /// The JSON text of a field. Tries the position in the last record first.
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

/// The header under which an import reads a reference by name. In a column called `product_id` a bare number is an
/// id; in `product_name` it is a name. An asset is referred to by its tag in any column.
pub(super) fn name_header(field: &Field) -> String {
    let is_by_id = field.reference_to().is_some_and(|reference| reference.wire == Wire::Id);
    match field.name.strip_suffix("_id").filter(|_| is_by_id) {
        Some(base) => format!("{base}_name"),
        None => field.name.to_owned(),
    }
}

/// The names and values of a record's custom fields.
pub(super) fn custom_of(record: &RawFields<'_>) -> Vec<(String, String)> {
    let value = value::non_empty(record.get(CUSTOM_FIELDS)).and_then(|json| serde_json::from_str(json).ok());
    value.map(|value: Json| custom_fields(&value)).unwrap_or_default()
}

fn is_empty_value(value: &Json) -> bool {
    value::non_empty(Some(&value.to_string())).is_none()
}

#[cfg(test)]
mod tests;
