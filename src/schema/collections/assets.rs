use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Assets".
pub(super) const ASSETS: Entity = Entity {
    name: "assets",
    singular: "asset",
    path: "assets",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["asset_id"],
    sorts: &["asset_id", "created_at", "updated_at", "asset_name", "asset_serial", "warranty_expiration_date", "order_number", "purchase_date", "purchase_cost", "notes"],
    fields: &[
        Field::text("asset_id").required().filter().help("Asset id."),
        Field::text("asset_name").filter().help("Asset name"),
        Field::text("asset_serial").filter().help("Asset serial."),
        Field::date("warranty_expiration_date").filter().help("Warranty expiration date. Format: '2022-12-01'"),
        Field::date("end_of_life_date").filter().help("End of life date. Only applies to assets using products that have their End of Life type set to 'Individual by Asset'. Format: '2022-12-01'"),
        Field::text("order_number").filter().help("Order number."),
        Field::date("purchase_date").filter().help("Purchase date. Format: '2022-12-01'"),
        Field::money("purchase_cost").filter().help("Purchase cost."),
        Field::currency("currency").help("The currency of the purchase price. Only needed if it's different from the default account currency (or the location currency, if applicable). Accepts all ISO 4217 three-letter country codes."),
        Field::reference("product_id", "products").required().filter().help("Product id."),
        Field::reference("status_id", "statuses").required().filter().help("Status id."),
        Field::reference("supplier_id", "suppliers").filter().help("Supplier id."),
        Field::reference("location_id", "locations").filter().help("Location id."),
        Field::reference("department_id", "departments").filter().help("Department id."),
        Field::url("logo").help("External URL to logo."),
        Field::text("notes").filter().help("Notes."),
        Field::custom_fields(),
        Field::reference("category_id", "categories").filter_only().help("Exact search for category id."),
        Field::email("employee_email").filter_only().help("Exact search for all assets checked out to an employee via email."),
    ],
};
