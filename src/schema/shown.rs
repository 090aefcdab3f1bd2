//! What records show of other records. The service looks it up: an audit has the tag of its asset, and an asset the
//! category of its product. Such a value changes with the record it comes from, and nothing about the record that shows it
//! says so, `updated_at` included.

use super::{Entity, Field, Wire, collection};

/// Where a field gets its value that the service copies from another record.
#[derive(Debug, Clone, Copy)]
pub struct CopiedField {
    /// The field that refers to that record.
    pub by: &'static Field,
    /// The collection of that record.
    pub from: &'static Entity,
    /// Its field with the value.
    pub field: &'static Field,
}

impl Entity {
    /// Where a field gets its value, if it is a copy: the category of an asset is that of its product, and the name of
    /// that category is the category's.
    pub fn copied(&self, field: &Field) -> Option<CopiedField> {
        if field.is_written() || !field.read {
            return None;
        }
        let describes = |by: &&Field| by.related.iter().any(|related| related.field == field.name);
        let of_related = || copy(self.fields.iter().find(describes)?, |from| from.field(field.name));
        let named = || self.field(&format!("{}_id", field.name.strip_suffix("_name")?));
        of_related().or_else(|| copy(named()?, Entity::naming_field))
    }

    /// The references that its records copy from a record that they refer to, with where each comes from: the category of
    /// an asset from its product.
    pub fn copied_references(&self) -> impl Iterator<Item = (&'static Field, CopiedField)> {
        let references = self.fields.iter().filter(|field| field.reference_to().is_some());
        references.filter_map(|field| Some((field, self.copied(field)?)))
    }

    /// The collections whose values its records show, beside their ids.
    pub fn shown_collections(&self) -> impl Iterator<Item = &'static Entity> {
        let tagged = |field: &Field| Some(field.reference_to().filter(|reference| reference.wire == Wire::Tag)?.to);
        let from = move |field: &'static Field| self.copied(field).map(|copied| copied.from);
        let fields = self.fields.iter().filter(|field| field.read);
        fields.filter_map(move |field| tagged(field).and_then(collection).or_else(|| from(field)))
    }
}

fn copy(by: &'static Field, field: impl Fn(&'static Entity) -> Option<&'static Field>) -> Option<CopiedField> {
    let from = collection(by.reference_to()?.to)?;
    Some(CopiedField { by, from, field: field(from)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::super::{ASSETS, COLLECTIONS};

    #[test]
    fn values_of_other_records_are_known_by_where_they_come_from() {
        let copies = ASSETS.fields.iter().filter_map(|field| Some((field.name, ASSETS.copied(field)?)));
        let copies: Vec<_> =
            copies.map(|(name, copied)| [name, copied.by.name, copied.from.name, copied.field.name]).collect();
        assert_eq!(
            copies,
            [
                ["category_id", "product_id", "products", "category_id"],
                ["category_name", "category_id", "categories", "name"],
                ["product_name", "product_id", "products", "name"],
                ["manufacturer_id", "product_id", "products", "manufacturer_id"],
                ["manufacturer_name", "manufacturer_id", "manufacturers", "name"],
            ]
        );
        let shown = COLLECTIONS.iter().map(|entity| {
            let names: BTreeSet<&str> = entity.shown_collections().map(|shown| shown.name).collect();
            (entity.name, names.into_iter().collect::<Vec<_>>())
        });
        let shown: Vec<_> = shown.filter(|(_, names)| !names.is_empty()).collect();
        let expected = [
            ("assets", vec!["categories", "manufacturers", "products"]),
            ("maintenances", vec!["assets"]),
            ("audits", vec!["assets"]),
        ];
        assert_eq!(shown, expected);
    }
}
