//! The fields by which sheets name the records of a collection.

use crate::schema::{Entity, Kind};

/// The fields by which a sheet may name a record of the collection: its `name`, and its natural key if that is one
/// other field.
pub(super) fn lookup_fields(entity: &Entity) -> Vec<&'static str> {
    let mut fields: Vec<&'static str> = entity.field("name").map(|field| field.name).into_iter().collect();
    fields.extend(unique_field(entity));
    fields
}

/// The name of the field that no two records of an account share.
pub(super) fn unique_field(entity: &Entity) -> Option<&'static str> {
    entity.unique_field().map(|field| field.name)
}

/// Whether rows can be matched by exact searches on that field.
pub(super) fn is_searchable(entity: &Entity, field: &str) -> bool {
    entity.field(field).is_some_and(|field| field.filter && matches!(field.kind, Kind::Text(_)))
}
