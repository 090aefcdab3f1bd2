//! A field as it is now. What the service copies into a record from another one, such as the category of an asset from its
//! product, was right when the record was read, and the other record may have changed since.

use serde_json::Value as Json;

use super::Record;
use crate::api::integer;
use crate::schema::{CopiedField, Entity, Field};

/// A field of a collection, with where its value comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CurrentField {
    entity: &'static Entity,
    pub field: &'static Field,
    copied: Option<CopiedField>,
}

impl CurrentField {
    pub(crate) fn of(entity: &'static Entity, field: &'static Field) -> Self {
        Self { entity, field, copied: entity.copied(field) }
    }

    /// Whether another record says what its value is.
    pub(crate) fn is_copied(&self) -> bool {
        self.copied.is_some()
    }

    /// Its value in a record: of a copy, what the record says that it comes from. If that one is not known, the copy.
    /// `own` reads a field of the record itself, and `other` finds a record by collection and id.
    pub(crate) fn value<'r>(
        &self,
        own: &dyn Fn(&str) -> Option<Json>,
        other: &dyn Fn(&'static str, i64) -> Option<&'r Record>,
    ) -> Option<Json> {
        let source = self.copied.and_then(|copied| {
            let by = Self::of(self.entity, copied.by).value(own, other)?;
            Some((copied, other(copied.from.name, integer(&by)?)?))
        });
        match source {
            Some((copied, record)) => record.get(copied.field.name).cloned(),
            None => own(self.field.name),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::schema::ASSETS;

    #[test]
    fn a_copy_is_read_where_it_comes_from() {
        let object = |value: Json| value.as_object().unwrap().clone();
        let account = [
            ("products", 1, object(json!({"name": "P", "category_id": 2}))),
            ("products", 2, object(json!({"name": "Q", "category_id": null}))),
            ("categories", 2, object(json!({"name": "Phones"}))),
        ];
        let other = |name: &'static str, id: i64| {
            account.iter().find(|(known, own, _)| (*known, *own) == (name, id)).map(|(.., record)| record)
        };
        let read = |asset: Json, name: &str| {
            let own = |field: &str| asset.get(field).cloned();
            CurrentField::of(&ASSETS, ASSETS.field(name).unwrap()).value(&own, &other)
        };
        let asset = |product: Json| json!({"product_id": product, "category_id": 1, "category_name": "Laptops"});
        for (product, id, name) in [
            (json!(1), json!(2), "Phones"),
            (json!("1"), json!(2), "Phones"),
            // A product that is not known, and none.
            (json!(9), json!(1), "Laptops"),
            (json!(null), json!(1), "Laptops"),
        ] {
            assert_eq!(read(asset(product.clone()), "category_id"), Some(id), "{product}");
            assert_eq!(read(asset(product.clone()), "category_name"), Some(json!(name)), "{product}");
            assert_eq!(read(asset(product.clone()), "product_id"), Some(product), "requests carry it");
        }
        assert_eq!(read(asset(json!(2)), "category_id"), Some(Json::Null), "a product without a category");
    }

    #[test]
    fn what_the_product_says_of_an_asset_is_a_copy() {
        let is_copied = |name: &str| CurrentField::of(&ASSETS, ASSETS.field(name).unwrap()).is_copied();
        assert!(is_copied("category_id") && is_copied("category_name"));
        assert!(!is_copied("product_id") && !is_copied("asset_id"));
    }
}
