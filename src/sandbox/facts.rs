//! The facts that only a server needs, beyond those of the schema.
//!
//! The schema says what a client may send. The tables below say what the service does with it: which fields are
//! computed, which must be unique, what is logged, and who holds what. Each fact is a line of a table.

/// A field of replies that clients cannot write.
#[derive(Debug)]
pub(super) struct ComputedField {
    pub(super) collection: &'static str,
    pub(super) name: &'static str,
    pub(super) form: JsonForm,
    /// The SQL expression for its value, where `r` is the record.
    pub(super) sql: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonForm {
    /// A number or a text, as stored in SQLite.
    Plain,
    Boolean,
    /// A text that already is JSON.
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

/// Counts of what somebody holds: collection and field. In a copy of an account they go on from the account's own, since
/// nobody can read there who holds what.
pub(super) const COUNTS: &[(&str, &str)] = &[
    ("employees", "number_of_assets"),
    ("employees", "number_of_accessories"),
    ("employees", "number_of_consumables"),
    ("employees", "number_of_licenses"),
];

/// Columns stored in addition to the fields of a record: collection and SQL definition.
pub(super) const HIDDEN_COLUMNS: &[(&str, &str)] = &[
    ("accessories", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("components", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("consumables", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("licenses", "checked_out INTEGER NOT NULL DEFAULT 0"),
    ("licenses", "license_type TEXT NOT NULL DEFAULT 'Dynamic'"),
    ("employees", "manager_id INTEGER"),
];

/// A field whose values are unique in an account.
#[derive(Debug)]
pub(super) struct UniqueField {
    pub(super) collection: &'static str,
    pub(super) field: &'static str,
    /// How values compare: `BINARY`, or `NOCASE` for e-mail addresses.
    pub(super) collation: &'static str,
}

/// Field notes: asset tags are unique in an account, other names need not be. Unique e-mail addresses of employees are
/// our own, stricter interpretation: the guide looks records up by `employee_email`.
pub(super) const UNIQUE: &[UniqueField] = &[
    UniqueField { collection: "assets", field: "asset_id", collation: "BINARY" },
    UniqueField { collection: "employees", field: "email", collation: "NOCASE" },
];

/// Fields with an index because clients often search by them, in addition to keys and default sort orders.
pub(super) const SEARCHED: &[(&str, &str)] =
    &[("assets", "asset_serial"), ("employees", "email"), ("maintenances", "asset_id"), ("audits", "asset_id")];

/// Default values on create: collection, field, value. Guide: "Default value is Fixed Date".
pub(super) const DEFAULTS: &[(&str, &str, &str)] = &[("products", "end_of_life_type", "Fixed Date")];

/// Sort options that are named differently than their field: collection, option, field. Guide: products sort by `eol`.
pub(super) const SORTED_AS: &[(&str, &str, &str)] = &[("products", "eol", "end_of_life_date")];

/// How the items of a collection are checked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StockModel {
    /// A single item with one holder at a time.
    Single,
    /// A stock, whose size is in this field.
    Stock(&'static str),
    /// Seats, whose number is in this field, or product keys.
    Seats(&'static str),
}

/// The collections whose items can be checked out.
pub(super) const STOCK_MODELS: &[(&str, StockModel)] = &[
    ("assets", StockModel::Single),
    ("accessories", StockModel::Stock("quantity")),
    ("components", StockModel::Stock("quantity")),
    ("consumables", StockModel::Stock("quantity")),
    ("licenses", StockModel::Seats("number_of_seats")),
];

/// How the items of that collection are checked out, if they can be.
pub(super) fn stock_model(collection: &str) -> Option<StockModel> {
    STOCK_MODELS.iter().find(|(name, _)| *name == collection).map(|(_, stock)| *stock)
}

/// The parameters of a check-in or checkout that name the holder.
pub(super) const HOLDERS: &[&str] = &["employee_id", "location_id", "asset_id"];

/// Parameters of a check-in or checkout that update the asset itself: the parameter and the field of the asset.
pub(super) const MOVES_WITH: &[(&str, &str)] =
    &[("status_id", "status_id"), ("asset_location_id", "location_id"), ("asset_department_id", "department_id")];

/// Flags that log an additional event when they are set: collection, field, event.
pub(super) const FLAG_EVENTS: &[(&str, &str, &str)] =
    &[("audits", "scheduled", "Schedule"), ("audits", "completed", "Complete")];

#[derive(Debug)]
pub(super) struct AccountUser {
    pub(super) id: i64,
    pub(super) email: &'static str,
}

/// The users of the account. As on the service, no endpoint lists them.
pub(super) const USERS: &[AccountUser] = &[
    AccountUser { id: KEY_OWNER, email: "admin@example.com" },
    AccountUser { id: TECHNICIAN, email: "technician@example.com" },
];

pub(super) const KEY_OWNER: i64 = 1;

/// The user who entered the sample product keys, so that both users occur in the activity log.
pub(super) const TECHNICIAN: i64 = 2;

pub(super) fn user_email(id: i64) -> Option<&'static str> {
    USERS.iter().find(|user| user.id == id).map(|user| user.email)
}

/// Currency codes that are active in ISO 4217 although `iso_currency` calls them superseded: the bolívar has two codes.
pub(super) const CURRENCIES_IN_USE: &[&str] = &["VES"];

/// ISO 4217 codes that are not currencies: "no currency" and the test code.
pub(super) const NO_CURRENCIES: &[&str] = &["XXX", "XTS"];
