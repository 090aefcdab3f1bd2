//! Dependency order: a collection comes after the collections its records refer to, and actions come last.

use crate::schema::{self, Entity};

/// Position of an entity in the order of a run, regardless of the order of the sheets (design rule 12).
pub(crate) fn rank(entity: &Entity) -> usize {
    schema::importable().position(|known| known.name == entity.name).unwrap_or(usize::MAX)
}

/// The collections that records of `entity` refer to.
pub(crate) fn referenced(entity: &Entity) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = entity
        .fields
        .iter()
        .filter(|field| field.is_written())
        .filter_map(|field| field.reference_to())
        .map(|reference| reference.to)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether rows of `entity` may name records of a collection: in a field of their own, or in one of a record that they
/// describe, such as the maker of an asset's product.
pub(crate) fn may_name(entity: &Entity, collection: &str) -> bool {
    let described = referenced(entity).into_iter().filter_map(schema::collection);
    let described = described.flat_map(referenced);
    referenced(entity).into_iter().chain(described).any(|name| name == collection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_may_name_what_the_records_refer_to_that_they_describe() {
        for (entity, collection, may) in [
            ("assets", "products", true),
            ("assets", "manufacturers", true),
            ("checkout_asset", "departments", true),
            ("manufacturers", "assets", false),
            ("locations", "products", false),
        ] {
            assert_eq!(
                schema::find(entity).map(|entity| may_name(entity, collection)),
                Some(may),
                "{entity} {collection}"
            );
        }
    }

    #[test]
    fn no_collection_comes_before_one_it_refers_to() {
        for entity in schema::importable() {
            for name in referenced(entity) {
                let other = schema::collection(name).map(rank);
                assert!(other.is_some_and(|other| other < rank(entity)), "{} refers to {name}", entity.name);
            }
        }
    }
}
