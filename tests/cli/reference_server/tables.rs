//! The 16 collections and 9 actions of the guide as a compact table.
//!
//! A field is its name, `!` if a create requires it, `~` if lists cannot be filtered by it, and its kind after a colon
//! (text if there is none; the name of a collection is a reference). Mistakes in the guide are corrected as the field
//! notes say.

/// One collection of the guide.
pub struct Collection {
    pub name: &'static str,
    pub singular: &'static str,
    /// Its name in the activity log, if the log has one.
    pub log: Option<&'static str>,
    /// The default sort field of lists.
    pub sort: &'static str,
    fields: &'static str,
}

/// One check-in or checkout of the guide.
pub struct Action {
    pub path: &'static str,
    /// The collection of the moved items.
    pub item: &'static str,
    fields: &'static str,
}

/// A field of a collection or action.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub needed: bool,
    pub searched: bool,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Money,
    Boolean,
    Date,
    CustomFields,
    /// The tag of an asset: the guide's "asset_id (String)".
    Tag,
    /// The system id of a record of that collection.
    Reference(&'static str),
    /// The options when creating and when updating.
    Option(&'static [&'static str], &'static [&'static str]),
}

const CATEGORY_TYPES: &[&str] = &["accessory", "asset", "consumable", "component", "license"];
const STATUS_TYPES: &[&str] = &["deployable", "pending", "undeployable", "archived"];
const END_OF_LIFE_TYPES: &[&str] = &["Fixed Date", "Months from Asset Purchase Date", "Individual Per Asset"];
const MAINTENANCE_TYPES: &[&str] =
    &["maintenance", "repair", "upgrade", "test", "calibration", "hardware support", "software support"];
const MAINTENANCE_UPDATE_TYPES: &[&str] =
    &["maintenance", "repair", "upgrade", "test", "calibration", "hardware_support", "software_support"];

pub const COLLECTIONS: [Collection; 16] = [
    Collection {
        name: "accessories",
        singular: "accessory",
        log: Some("Accessory"),
        sort: "name",
        fields: "name! model_number order_number purchase_date:date purchase_cost:money currency~ \
            minimum_quantity:integer quantity!:integer category_id!:categories manufacturer_id:manufacturers \
            supplier_id:suppliers location_id:locations department_id:departments qr_code:boolean logo~ notes \
            custom_fields~:custom",
    },
    Collection {
        name: "assets",
        singular: "asset",
        log: Some("Asset"),
        sort: "asset_id",
        fields: "asset_id! asset_name asset_serial warranty_expiration_date:date end_of_life_date:date order_number \
            purchase_date:date purchase_cost:money currency~ product_id!:products status_id!:statuses \
            supplier_id:suppliers location_id:locations department_id:departments logo~ notes custom_fields~:custom",
    },
    Collection {
        name: "audits",
        singular: "audit",
        log: Some("Audit"),
        sort: "audit_date",
        fields: "audit_date!:date next_audit_date:date scheduled!:boolean completed!:boolean asset_id!:tag \
            location_id:locations user_id!:integer notes",
    },
    Collection {
        name: "categories",
        singular: "category",
        log: None,
        sort: "name",
        fields: "name! type!:category_type checkout_email:boolean eula~ minimum_quantity~:integer logo~",
    },
    Collection {
        name: "components",
        singular: "component",
        log: Some("Component"),
        sort: "name",
        fields: "name! model_number order_number purchase_date:date purchase_cost:money currency~ \
            minimum_quantity:integer quantity!:integer category_id!:categories manufacturer_id:manufacturers \
            supplier_id:suppliers location_id:locations department_id:departments logo~ notes custom_fields~:custom",
    },
    Collection {
        name: "consumables",
        singular: "consumable",
        log: Some("Consumable"),
        sort: "name",
        fields: "name! model_number order_number purchase_date:date purchase_cost:money currency~ \
            minimum_quantity:integer quantity!~:integer category_id!:categories manufacturer_id:manufacturers \
            supplier_id:suppliers location_id:locations department_id:departments logo~ notes custom_fields~:custom",
    },
    Collection { name: "departments", singular: "department", log: None, sort: "name", fields: "name! email! phone!" },
    Collection {
        name: "depreciations",
        singular: "depreciation",
        log: None,
        sort: "name",
        fields: "name! months!:integer minimum_value:integer",
    },
    Collection {
        name: "employees",
        singular: "employee",
        log: None,
        sort: "name",
        fields: "name! email! title location_id:locations department_id:departments notes archived~:boolean \
            custom_fields~:custom",
    },
    Collection {
        name: "licenses",
        singular: "license",
        log: Some("License"),
        sort: "name",
        fields: "name! licensed_to_name licensed_to_email order_number purchase_date:date purchase_cost:money \
            currency~ expiration_date:date termination_date:date number_of_seats~:integer minimum_seats:integer \
            category_id!:categories manufacturer_id:manufacturers supplier_id:suppliers \
            depreciation_id:depreciations department_id:departments logo~ notes custom_fields~:custom",
    },
    Collection {
        name: "locations",
        singular: "location",
        log: None,
        sort: "name",
        fields: "name! address_line_1 address_line_2 city zip state country email phone currency logo~ \
            custom_fields~:custom",
    },
    Collection {
        name: "maintenances",
        singular: "maintenance",
        log: Some("Maintenance"),
        sort: "name",
        fields: "type!:maintenance_type name! start_date!:date end_date:date cost:money asset_id!:tag \
            supplier_id:suppliers notes",
    },
    Collection {
        name: "manufacturers",
        singular: "manufacturer",
        log: None,
        sort: "name",
        fields: "name! url support_url support_phone support_email logo~ notes",
    },
    Collection {
        name: "products",
        singular: "product",
        log: None,
        sort: "name",
        fields: "name! model_number end_of_life_type:end_of_life_type end_of_life_date:date \
            end_of_life_months:integer default_purchase_cost:money category_id!:categories \
            manufacturer_id:manufacturers depreciation_id:depreciations minimum_quantity~:integer logo~ notes \
            archived:boolean custom_fields~:custom",
    },
    Collection {
        name: "statuses",
        singular: "status",
        log: None,
        sort: "name",
        fields: "name! type!:status_type show_in_nav:boolean notes",
    },
    Collection {
        name: "suppliers",
        singular: "supplier",
        log: None,
        sort: "name",
        fields: "name! address_line_1 address_line_2 city zip state country contact_name phone fax email url logo~ \
            notes",
    },
];

pub const ACTIONS: [Action; 9] = [
    Action {
        path: "checkin/asset",
        item: "assets",
        fields: "asset_id!:assets checkin_date!:date status_id!:statuses condition:integer notes \
            asset_location_id:locations asset_department_id:departments",
    },
    Action {
        path: "checkin/accessory",
        item: "accessories",
        fields: "accessory_id!:accessories employee_id:employees location_id:locations checkin_date!:date notes",
    },
    Action {
        path: "checkin/component",
        item: "components",
        fields: "component_id!:components asset_id!:assets checkin_date!:date notes",
    },
    Action {
        path: "checkin/license",
        item: "licenses",
        fields: "license_id!:licenses employee_id:employees asset_id:assets product_key checkin_date!:date notes",
    },
    Action {
        path: "checkout/asset",
        item: "assets",
        fields: "asset_id!:tag employee_id:employees location_id:locations checkout_date!:date checkin_date:date \
            condition:integer notes asset_location_id:locations asset_department_id:departments",
    },
    Action {
        path: "checkout/accessory",
        item: "accessories",
        fields: "accessory_id!:accessories employee_id:employees location_id:locations quantity!:integer \
            checkout_date!:date checkin_date:date notes",
    },
    Action {
        path: "checkout/component",
        item: "components",
        fields: "component_id!:components asset_id!:tag quantity!:integer checkout_date!:date notes",
    },
    Action {
        path: "checkout/consumable",
        item: "consumables",
        fields: "consumable_id!:consumables employee_id:employees location_id:locations quantity!:integer \
            checkout_date!:date notes",
    },
    Action {
        path: "checkout/license",
        item: "licenses",
        fields: "license_id!:licenses employee_id:employees asset_id:assets quantity:integer product_key \
            checkout_date!:date checkin_date:date notes",
    },
];

/// The collection of that name.
pub fn collection(name: &str) -> Option<&'static Collection> {
    COLLECTIONS.iter().find(|collection| collection.name == name)
}

/// The action at that path.
pub fn action(path: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.path == path)
}

impl Collection {
    pub fn fields(&self) -> Vec<Field> {
        self.fields.split_whitespace().map(field).collect()
    }
}

impl Action {
    pub fn fields(&self) -> Vec<Field> {
        self.fields.split_whitespace().map(field).collect()
    }

    /// The field that identifies the moved item.
    pub fn item_field(&self) -> Field {
        self.fields()[0]
    }

    pub fn is_checkout(&self) -> bool {
        self.path.starts_with("checkout")
    }
}

fn field(word: &'static str) -> Field {
    let (marked, kind) = word.split_once(':').unwrap_or((word, "text"));
    let name = marked.trim_end_matches(['!', '~']);
    Field { name, needed: marked.contains('!'), searched: !marked.contains('~'), kind: kind_named(kind) }
}

fn kind_named(word: &'static str) -> Kind {
    match word {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "money" => Kind::Money,
        "boolean" => Kind::Boolean,
        "date" => Kind::Date,
        "custom" => Kind::CustomFields,
        "tag" => Kind::Tag,
        "category_type" => Kind::Option(CATEGORY_TYPES, CATEGORY_TYPES),
        "status_type" => Kind::Option(STATUS_TYPES, STATUS_TYPES),
        "end_of_life_type" => Kind::Option(END_OF_LIFE_TYPES, END_OF_LIFE_TYPES),
        "maintenance_type" => Kind::Option(MAINTENANCE_TYPES, MAINTENANCE_UPDATE_TYPES),
        other => Kind::Reference(other),
    }
}
