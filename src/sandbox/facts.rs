//! What the sandbox knows beyond the schema: the facts that only a server needs.
//!
//! The schema says what a client may send. Here stands what the service makes of it: which fields are computed,
//! what must be unique, what is logged, what is held by whom. Each fact is a line of a table.

/// A field of replies that no client writes.
#[derive(Debug)]
pub(super) struct ComputedField {
    pub(super) collection: &'static str,
    pub(super) name: &'static str,
    pub(super) form: JsonForm,
    /// As SQL, where `r` is the record.
    pub(super) sql: &'static str,
}

/// What a column of a reply is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonForm {
    /// A number or a text, as SQLite holds it.
    Plain,
    Boolean,
    /// A text that is JSON already.
    Json,
}

const fn computed(collection: &'static str, name: &'static str, sql: &'static str) -> ComputedField {
    ComputedField { collection, name, form: JsonForm::Plain, sql }
}

const fn computed_json(collection: &'static str, name: &'static str, sql: &'static str) -> ComputedField {
    ComputedField { collection, name, form: JsonForm::Json, sql }
}

/// Field notes: "Assets also carry ...", "Employees: ...", "Licenses: ...", "Accessories: ...".
pub(super) const COMPUTED: &[ComputedField] = &[
    computed("assets", "category_id", "(SELECT category_id FROM products WHERE id = r.product_id)"),
    computed(
        "assets",
        "category_name",
        "(SELECT c.name FROM products p JOIN categories c ON c.id = p.category_id WHERE p.id = r.product_id)",
    ),
    computed("assets", "product_name", "(SELECT name FROM products WHERE id = r.product_id)"),
    computed("assets", "manufacturer_id", "(SELECT manufacturer_id FROM products WHERE id = r.product_id)"),
    computed(
        "assets",
        "manufacturer_name",
        "(SELECT m.name FROM products p JOIN manufacturers m ON m.id = p.manufacturer_id WHERE p.id = r.product_id)",
    ),
    computed(
        "assets",
        "checkout_date",
        "(SELECT checkout_date FROM holdings WHERE collection = 'assets' AND item_id = r.id)",
    ),
    computed_json(
        "assets",
        "deployed_to",
        "(SELECT json_group_array(CASE WHEN employee_id IS NULL \
            THEN json_object('location_id', location_id, 'checkout_date', checkout_date) \
            ELSE json_object('employee_id', employee_id, 'checkout_date', checkout_date) END) \
          FROM holdings WHERE collection = 'assets' AND item_id = r.id)",
    ),
    computed("accessories", "available", "(r.quantity - r.checked_out)"),
    computed("components", "available", "(r.quantity - r.checked_out)"),
    computed("consumables", "available", "(r.quantity - r.checked_out)"),
    computed("licenses", "license_type", "r.license_type"),
    computed("licenses", "unit_cost", "round(r.purchase_cost * 1.0 / nullif(r.number_of_seats, 0), 2)"),
    computed("licenses", "available", "(coalesce(r.number_of_seats, 0) - r.checked_out)"),
    computed("employees", "manager_id", "(SELECT id FROM employees WHERE id = r.manager_id)"),
    computed_json(
        "employees",
        "assets",
        "(SELECT json_group_array(item_id) FROM holdings WHERE employee_id = r.id AND collection = 'assets')",
    ),
    computed(
        "employees",
        "number_of_assets",
        "(SELECT count(*) FROM holdings WHERE employee_id = r.id AND collection = 'assets')",
    ),
    computed(
        "employees",
        "number_of_accessories",
        "(SELECT coalesce(sum(quantity), 0) FROM holdings WHERE employee_id = r.id AND collection = 'accessories')",
    ),
    computed(
        "employees",
        "number_of_consumables",
        "(SELECT coalesce(sum(quantity), 0) FROM holdings WHERE employee_id = r.id AND collection = 'consumables')",
    ),
    computed(
        "employees",
        "number_of_licenses",
        "(SELECT coalesce(sum(quantity), 0) FROM holdings WHERE employee_id = r.id AND collection = 'licenses')",
    ),
];

/// Columns that are kept beside a record's own fields: collection and SQL.
pub(super) const HIDDEN_COLUMNS: &[(&str, &str)] = &[
    ("accessories", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("components", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("consumables", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("licenses", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("licenses", "license_type TEXT NOT NULL DEFAULT 'Dynamic'"),
    ("employees", "manager_id INTEGER"),
];

/// What no two records of an account share.
#[derive(Debug)]
pub(super) struct UniqueField {
    pub(super) collection: &'static str,
    pub(super) field: &'static str,
    /// How values compare: `BINARY`, or `NOCASE` for e-mail addresses.
    pub(super) collation: &'static str,
}

/// Field notes: asset tags are unique in an account, names of other things need not be. That no two employees share
/// an e-mail address is our own, stricter reading: the guide looks things up by `employee_email`.
pub(super) const UNIQUE: &[UniqueField] = &[
    UniqueField { collection: "assets", field: "asset_id", collation: "BINARY" },
    UniqueField { collection: "employees", field: "email", collation: "NOCASE" },
];

/// Fields that clients search by often enough to deserve an index, beside keys and default sorts.
pub(super) const SEARCHED: &[(&str, &str)] =
    &[("assets", "asset_serial"), ("employees", "email"), ("maintenances", "asset_id"), ("audits", "asset_id")];

/// What a create that leaves the field out stores. Guide: "Default value is Fixed Date".
pub(super) const DEFAULTS: &[(&str, &str, &str)] = &[("products", "end_of_life_type", "Fixed Date")];

/// Sort options that are no field of that name. Guide: products sort by `eol`.
pub(super) const SORTED_AS: &[(&str, &str, &str)] = &[("products", "eol", "end_of_life_date")];

/// How things of a collection are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StockModel {
    /// One thing, in one place at a time.
    Single,
    /// As many as this field says.
    Stock(&'static str),
    /// As many seats as this field says, or one product key at a time.
    Seats(&'static str),
}

/// What can be checked out, and how it runs out.
pub(super) const STOCK_MODELS: &[(&str, StockModel)] = &[
    ("assets", StockModel::Single),
    ("accessories", StockModel::Stock("quantity")),
    ("components", StockModel::Stock("quantity")),
    ("consumables", StockModel::Stock("quantity")),
    ("licenses", StockModel::Seats("number_of_seats")),
];

/// How things of that collection are given out, if they are.
pub(super) fn stock_model(collection: &str) -> Option<StockModel> {
    STOCK_MODELS.iter().find(|(name, _)| *name == collection).map(|(_, stock)| *stock)
}

/// The parameters of an action that say where a thing goes or comes from.
pub(super) const HOLDERS: &[&str] = &["employee_id", "location_id", "asset_id"];

/// Parameters of a check-in or checkout that change the asset itself: the parameter and the asset's field.
pub(super) const MOVES_WITH: &[(&str, &str)] =
    &[("status_id", "status_id"), ("asset_location_id", "location_id"), ("asset_department_id", "department_id")];

/// The collections the activity log tells of: the `type` it gives, and the filter that names one.
/// Guide: "Options: Asset, Accessory, Component, Consumable, License, Maintenance, Audit".
pub(super) const LOGGED: &[(&str, &str)] = &[
    ("assets", "Asset"),
    ("accessories", "Accessory"),
    ("components", "Component"),
    ("consumables", "Consumable"),
    ("licenses", "License"),
    ("maintenances", "Maintenance"),
    ("audits", "Audit"),
];

/// The `type` the activity log gives to records of that collection, if it tells of them.
pub(super) fn logged_as(collection: &str) -> Option<&'static str> {
    LOGGED.iter().find(|(name, _)| *name == collection).map(|(_, logged)| *logged)
}

/// Guide: the options of `event`. Nothing here recovers, since no endpoint does.
pub(super) const EVENTS: &[&str] =
    &["Create", "Update", "Delete", "Checkin", "Checkout", "Complete", "Schedule", "Recover"];

/// Flags of a record that log an event of their own when they are set: collection, field, event.
pub(super) const FLAG_EVENTS: &[(&str, &str, &str)] =
    &[("audits", "scheduled", "Schedule"), ("audits", "completed", "Complete")];

/// Somebody who may log in to the account.
#[derive(Debug)]
pub(super) struct AccountUser {
    pub(super) id: i64,
    pub(super) email: &'static str,
}

/// The account's users; the first owns the API key. No endpoint lists them, here as there.
pub(super) const USERS: &[AccountUser] = &[
    AccountUser { id: KEY_OWNER, email: "admin@example.com" },
    AccountUser { id: TECHNICIAN, email: "technician@example.com" },
];

/// The user whose key it is.
pub(super) const KEY_OWNER: i64 = 1;

/// The user who entered the sample product keys, so that the activity log knows both.
pub(super) const TECHNICIAN: i64 = 2;

/// The address of that user.
pub(super) fn user_email(id: i64) -> Option<&'static str> {
    USERS.iter().find(|user| user.id == id).map(|user| user.email)
}

/// Currency codes that ISO 4217 lists as active although the table at hand calls them superseded: the bolívar has
/// two codes at a time.
pub(super) const CURRENCIES_IN_USE: &[&str] = &["VES"];

/// Codes of ISO 4217 that are no money: "no currency" and the one for tests.
pub(super) const NO_CURRENCIES: &[&str] = &["XXX", "XTS"];
