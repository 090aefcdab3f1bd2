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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rows_are_searched_for_by_texts_that_a_list_can_be_filtered_by() {
        let assets = crate::schema::collection("assets").unwrap();
        assert!(is_searchable(assets, "asset_id") && is_searchable(assets, "asset_serial"));
        assert!(!is_searchable(crate::schema::find("checkout_asset").unwrap(), "notes"), "no filter");
        assert!(!is_searchable(assets, "status_id"), "no text");
        assert!(!is_searchable(assets, "colour"), "no field");
    }
}
