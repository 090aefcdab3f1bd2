use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Categories".
pub(super) const CATEGORIES: Entity = Entity {
    name: "categories",
    singular: "category",
    path: "categories",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Irreversible },
    key: &["name", "type"],
    sorts: &["name", "created_at", "updated_at", "type"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::option("type", &["accessory", "asset", "consumable", "component", "license"]).required().filter().help("Type. Options: { accessory, asset, consumable, component, license }"),
        Field::boolean("checkout_email").filter().help("Exact search for if checkout emails are enabled."),
        Field::text("eula").help("End User License Agreement."),
        Field::integer("minimum_quantity").help("The minimum amount of assets using products belonging to this category that should be in a deployable state before an alert is triggered. Only works for categories of the type Asset."),
        Field::url("logo").help("External URL to logo."),
    ],
};
