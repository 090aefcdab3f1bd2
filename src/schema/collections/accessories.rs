use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Accessories".
pub(super) const ACCESSORIES: Entity = Entity {
    name: "accessories",
    singular: "accessory",
    path: "accessories",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name", "model_number"],
    sorts: &["name", "created_at", "updated_at", "model_number", "order_number", "purchase_date", "purchase_cost", "minimum_quantity", "quantity", "notes"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::text("model_number").filter().help("Model number."),
        Field::text("order_number").filter().help("Order number."),
        Field::date("purchase_date").filter().help("Purchase date. Format: '2022-12-01'"),
        Field::money("purchase_cost").filter().help("Purchase price."),
        Field::currency("currency").help("The currency of the purchase price. Only needed if it's different from the default account currency (or the location currency, if applicable). Accepts all ISO 4217 three-letter country codes."),
        Field::integer("minimum_quantity").filter().help("Minimum quantity."),
        Field::integer("quantity").required().filter().help("Quantity."),
        Field::reference("category_id", "categories").narrowed("type", "accessory").required().filter().help("Category id."),
        Field::reference("manufacturer_id", "manufacturers").filter().help("Manufacturer id."),
        Field::reference("supplier_id", "suppliers").filter().help("Supplier id."),
        Field::reference("location_id", "locations").filter().help("Location id."),
        Field::reference("department_id", "departments").filter().help("Department id."),
        Field::boolean("qr_code").filter().help("QR code."),
        Field::url("logo").help("External URL to logo."),
        Field::text("notes").filter().help("Notes."),
        Field::custom_fields(),
        Field::email("employee_email").filter_only().help("Exact search for all accessories checked out to an employee via email."),
    ],
};
