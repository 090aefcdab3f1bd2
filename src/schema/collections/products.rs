use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Products".
pub(super) const PRODUCTS: Entity = Entity {
    name: "products",
    singular: "product",
    path: "products",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name", "model_number"],
    sorts: &["name", "created_at", "updated_at", "model_number", "eol", "notes"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::text("model_number").filter().help("Model number."),
        Field::option("end_of_life_type", &["Fixed Date", "Months from Asset Purchase Date", "Individual Per Asset"]).filter().help("The end of life type. Default value is Fixed Date. Options: Fixed Date, Months from Asset Purchase Date, Individual Per Asset."),
        Field::date("end_of_life_date").filter().help("End of life date (if end_of_life_type is Fixed Date). Format: '2022-12-01'."),
        Field::integer("end_of_life_months").filter().help("Number of months from asset purchase date to end of life. (if end_of_life_type is Months from Asset Purchase Date)."),
        Field::money("default_purchase_cost").filter().help("Default purchase cost."),
        Field::reference("category_id", "categories").narrowed("type", "asset").required().filter().help("Category id."),
        Field::reference("manufacturer_id", "manufacturers").filter().help("Manufacturer id."),
        Field::reference("depreciation_id", "depreciations").filter().help("Depreciation id."),
        Field::integer("minimum_quantity").help("The minimum amount of assets using this product that should be in a deployable state before an alert is triggered."),
        Field::url("logo").help("External URL to logo."),
        Field::text("notes").filter().help("Notes."),
        Field::boolean("archived").filter().help("Archived."),
        Field::custom_fields(),
    ],
};
