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

#[cfg(test)]
mod tests {
    use super::*;

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
