//! Check-in and checkout as tables. Guide: sections "Checkin" and "Checkout".

use super::{Entity, Field, Role, Verb};

/// The nine actions: check-ins first, since a thing that moves on must come back before it goes out again.
pub const ACTIONS: &[&Entity] = &[
    &CHECKIN_ASSET,
    &CHECKIN_ACCESSORY,
    &CHECKIN_COMPONENT,
    &CHECKIN_LICENSE,
    &CHECKOUT_ASSET,
    &CHECKOUT_ACCESSORY,
    &CHECKOUT_COMPONENT,
    &CHECKOUT_CONSUMABLE,
    &CHECKOUT_LICENSE,
];

/// Guide: section "Checkin".
const CHECKIN_ASSET: Entity = Entity {
    name: "checkin_asset",
    singular: "checkin_asset",
    path: "checkin/asset",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("asset_id", "assets").required().acting().help("Asset ID"),
        Field::date("checkin_date").required().acting().help("Checkin date. Format: '2022-12-01'"),
        Field::reference("status_id", "statuses").required().acting().help("Status ID"),
        Field::integer("condition").acting().help("Condition"),
        Field::text("notes").acting().help("Notes."),
        Field::reference("asset_location_id", "locations")
            .acting()
            .help("ID of the location you'd like the asset to belong to."),
        Field::reference("asset_department_id", "departments")
            .acting()
            .help("ID of the department you'd like the asset to belong to."),
    ],
};

/// Guide: section "Checkin".
const CHECKIN_ACCESSORY: Entity = Entity {
    name: "checkin_accessory",
    singular: "checkin_accessory",
    path: "checkin/accessory",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("accessory_id", "accessories").required().acting().help("Accessory ID."),
        Field::reference("employee_id", "employees")
            .acting()
            .help("ID of the employee you'd like to check the accessory in from."),
        Field::reference("location_id", "locations")
            .acting()
            .help("ID of the location you'd like to check the accessory in from."),
        Field::date("checkin_date").required().acting().help("Checkin date. Format: '2022-12-01'"),
        Field::text("notes").acting().help("Notes."),
    ],
};

/// Guide: section "Checkin".
const CHECKIN_COMPONENT: Entity = Entity {
    name: "checkin_component",
    singular: "checkin_component",
    path: "checkin/component",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("component_id", "components").required().acting().help("Component ID."),
        Field::reference("asset_id", "assets")
            .required()
            .acting()
            .help("ID of the asset you'd like to check the component in from."),
        Field::date("checkin_date").required().acting().help("Checkin date. Format: '2022-12-01'"),
        Field::text("notes").acting().help("Notes."),
    ],
};

/// Guide: section "Checkin".
const CHECKIN_LICENSE: Entity = Entity {
    name: "checkin_license",
    singular: "checkin_license",
    path: "checkin/license",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("license_id", "licenses").required().acting().help("License ID."),
        Field::reference("employee_id", "employees")
            .acting()
            .help("ID of the employee you'd like to check the license in from."),
        Field::reference("asset_id", "assets")
            .acting()
            .help("ID of the asset you'd like to check the license in from."),
        Field::text("product_key")
            .acting()
            .help("The Product Key you'd like to check in (Required for Product Key Licenses)."),
        Field::date("checkin_date").required().acting().help("Checkin date. Format: '2022-12-01'"),
        Field::text("notes").acting().help("Notes."),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_ASSET: Entity = Entity {
    name: "checkout_asset",
    singular: "checkout_asset",
    path: "checkout/asset",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::asset_tag("asset_id").required().acting().help("Asset ID."),
        Field::reference("employee_id", "employees")
            .acting()
            .help("ID of the employee you'd like to check the asset out to."),
        Field::reference("location_id", "locations")
            .acting()
            .help("ID of the location you'd like to check the asset out to."),
        Field::date("checkout_date").required().acting().help("Checkout date. Format: '2022-12-01'."),
        Field::date("checkin_date").acting().help("Expected checkin date. Format: '2022-12-01'"),
        Field::integer("condition").acting().help("Condition."),
        Field::text("notes").acting().help("Notes."),
        Field::reference("asset_location_id", "locations")
            .acting()
            .help("ID of the location you'd like the asset to belong to."),
        Field::reference("asset_department_id", "departments")
            .acting()
            .help("ID of the department you'd like the asset to belong to."),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_ACCESSORY: Entity = Entity {
    name: "checkout_accessory",
    singular: "checkout_accessory",
    path: "checkout/accessory",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("accessory_id", "accessories").required().acting().help("Accessory ID."),
        Field::reference("employee_id", "employees")
            .acting()
            .help("ID of the employee you'd like to check the accessory out to."),
        Field::reference("location_id", "locations")
            .acting()
            .help("ID of the location you'd like to check the accessory out to."),
        Field::integer("quantity").required().at_least(1).acting().help("Quantity."),
        Field::date("checkout_date").required().acting().help("Checkout date. Format: '2022-12-01'"),
        Field::date("checkin_date").acting().help("Expected checkin date. Format: '2022-12-01'"),
        Field::text("notes").acting().help("Notes."),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_COMPONENT: Entity = Entity {
    name: "checkout_component",
    singular: "checkout_component",
    path: "checkout/component",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("component_id", "components").required().acting().help("Component ID."),
        Field::asset_tag("asset_id").required().acting().help("Asset ID."),
        Field::integer("quantity").required().at_least(1).acting().help("Quantity."),
        Field::date("checkout_date").required().acting().help("Checkout date. Format: '2022-12-01'"),
        Field::text("notes").acting().help("Notes."),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_CONSUMABLE: Entity = Entity {
    name: "checkout_consumable",
    singular: "checkout_consumable",
    path: "checkout/consumable",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("consumable_id", "consumables").required().acting().help("Consumable ID."),
        Field::reference("employee_id", "employees")
            .acting()
            .help("ID of the employee you'd like to check the consumable out to."),
        Field::reference("location_id", "locations")
            .acting()
            .help("ID of the location you'd like to check the consumable out to."),
        Field::integer("quantity").required().at_least(1).acting().help("Quantity."),
        Field::date("checkout_date").required().acting().help("Checkout date. Format: '2022-12-01'"),
        Field::text("notes").acting().help("Notes."),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_LICENSE: Entity = Entity {
    name: "checkout_license",
    singular: "checkout_license",
    path: "checkout/license",
    help: "",
    also: &[],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("license_id", "licenses").required().acting().help("License ID."),
        Field::reference("employee_id", "employees")
            .acting()
            .help("ID of the employee you'd like to check the license out to."),
        Field::reference("asset_id", "assets")
            .acting()
            .help("System ID of the asset you'd like to check the license out to."),
        Field::integer("quantity")
            .at_least(1)
            .acting()
            .help("Number of seats to check out (Required for Dynamic licenses)."),
        Field::text("product_key")
            .acting()
            .help("The product key you'd like to check out (Required for Product Key licenses)."),
        Field::date("checkout_date").required().acting().help("Checkout date. Format: '2022-12-01'"),
        Field::date("checkin_date").acting().help("Expected checkin date. Format: '2022-12-01'"),
        Field::text("notes").acting().help("Notes."),
    ],
};
