//! Check-in and checkout as tables. Guide: sections "Checkin" and "Checkout".

use super::{Entity, Field, Meaning, Reference, Related, Role, Verb, words};

/// The nine actions: check-ins first, since a thing that moves on must come back before it goes out again.
pub const ACTIONS: &[&Entity] = &[
    &CHECKIN_ASSET, &CHECKIN_ACCESSORY, &CHECKIN_COMPONENT, &CHECKIN_LICENSE, &CHECKOUT_ASSET, &CHECKOUT_ACCESSORY,
    &CHECKOUT_COMPONENT, &CHECKOUT_CONSUMABLE, &CHECKOUT_LICENSE,
];

/// The parameters of an action that say who gets the thing, or whom it comes back from. Which of them an action has
/// beside the thing itself is in its table. Guide: sections "Checkin" and "Checkout".
pub const HOLDERS: &[&str] = &["employee_id", "location_id", "asset_id"];

/// What a mapping calls the holder of an individually tracked item: after the run the item is with that person, or at
/// that location.
pub const ASSIGNED_TO: &str = "assigned_to";

/// The fields whose change makes an asset something else, or somebody else's: summaries name each of them.
pub(crate) const TELLING_FIELDS: [&str; 4] = ["asset_id", "product_id", "status_id", ASSIGNED_TO];

/// The kind of status with which an item can be checked out (guide: section "Statuses").
pub const DEPLOYABLE: &str = "deployable";

impl Entity {
    /// The field that says which kind of status an item has, and the field of the status with its kind.
    pub fn kind_of_status(&self) -> Option<(&'static Field, Reference, &'static Field)> {
        let kind = |field: &'static Field| {
            let reference = field.reference_to()?;
            Some((field, reference, super::collection(reference.to)?.meaning(Meaning::RecordKind)?))
        };
        self.fields.iter().find_map(kind)
    }

    /// The check-out that says who holds its records, if each of them has one holder.
    pub fn assigned_by(&'static self) -> Option<&'static Entity> {
        let moves_it = |action: &&Entity| action.item().is_some_and(|(_, reference)| reference.to == self.name);
        let is_checkout = |action: &&Entity| action.role == Role::Action(Verb::Checkout);
        ACTIONS.iter().copied().filter(|_| self.is_tagged()).filter(moves_it).find(is_checkout)
    }

    /// The parameter of an action that names the thing it moves, which is its first, and what it refers to.
    pub fn item(&self) -> Option<(&'static Field, Reference)> {
        let field = self.fields.first().filter(|_| self.is_action())?;
        Some((field, field.reference_to()?))
    }

    /// The action that takes this one back: the check-in of a checkout and the other way round. None for consumables,
    /// which are used up (guide: section "Checkin" has four, section "Checkout" five).
    pub fn opposite(&self) -> Option<&'static Entity> {
        let item = self.item()?.1.to;
        let is_of_item = |action: &Entity| action.item().is_some_and(|(_, reference)| reference.to == item);
        ACTIONS.iter().copied().find(|action| is_of_item(action) && action.role != self.role)
    }

    /// The types of its records that parameters of actions are for.
    pub fn item_types(&self) -> impl Iterator<Item = &'static str> {
        let name = self.name;
        let actions = ACTIONS.iter().filter(move |action| action.item().is_some_and(|(_, item)| item.to == name));
        actions.flat_map(|action| action.fields).filter_map(|field| field.item_type)
    }

    /// The quantity of the opposite action, where this one has none: a check-in takes back what was checked out as a whole
    /// (guide: section "Checkin").
    pub fn whole_quantity(&self) -> Option<&'static Field> {
        let is_without = self.meaning(Meaning::MovedQuantity).is_none();
        self.opposite().filter(|_| is_without)?.meaning(Meaning::MovedQuantity)
    }

    /// The parameters of an action that may name a holder.
    pub fn holders(&self) -> impl Iterator<Item = &'static Field> {
        let beside_the_item = if self.is_action() { self.fields.get(1..).unwrap_or_default() } else { &[] };
        beside_the_item.iter().filter(|field| HOLDERS.contains(&field.name))
    }
}

/// Guide: section "Checkin".
const CHECKIN_ASSET: Entity = Entity {
    name: "checkin_asset",
    singular: "checkin_asset",
    path: "checkin/asset",
    help: "Takes assets back from whoever has them.",
    also: &[
        "asset checkins", "asset checkin", "checkin assets", "checkins", "returns", "asset returns", "returned assets",
    ],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        // Check-ins take the system id (guide: Integer), where checkouts of assets and components take the tag.
        Field::reference("asset_id", "assets")
            .required()
            .acting()
            .also(words::ASSET)
            .help("The asset that came back, by its tag.")
            .example("LAP-0042"),
        Field::date("checkin_date")
            .required()
            .acting()
            .also(words::CHECKIN_DATE)
            .help("The day it came back.")
            .example("2026-09-30"),
        Field::reference("status_id", "statuses")
            .required()
            .acting()
            .sets("status_id")
            .also(&["status", "status name", "status label", "new status", "state", "asset status", "statut", "estado"])
            .related(&[Related::new("type", &["status type"])])
            .help("The status it has from now on, by name.")
            .example("Ready to deploy"),
        Field::integer("condition")
            .acting()
            .also(&["asset condition", "condition rating", "condition score"])
            .help("Its condition, as a whole number.")
            .example("4"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("Charger is missing"),
        Field::reference("asset_location_id", "locations")
            .acting()
            .sets("location_id")
            .also(&[
                "asset location", "asset location name", "home location", "new location", "default location",
                "location", "location name",
            ])
            .related(words::LOCATION_DETAILS)
            .help("The location the asset belongs to from now on, by name.")
            .example("Berlin Office"),
        Field::reference("asset_department_id", "departments")
            .acting()
            .sets("department_id")
            .also(&["asset department", "asset department name", "new department", "department", "department name"])
            .related(words::DEPARTMENT_DETAILS)
            .help("The department the asset belongs to from now on, by name.")
            .example("Finance"),
    ],
};

/// Guide: section "Checkin".
const CHECKIN_ACCESSORY: Entity = Entity {
    name: "checkin_accessory",
    singular: "checkin_accessory",
    path: "checkin/accessory",
    help: "Takes accessories back from an employee or a location.",
    also: &["accessory checkins", "checkin accessories", "accessory returns"],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("accessory_id", "accessories")
            .required()
            .acting()
            .also(&["accessory", "accessory name", "item", "item name", "product", "product name"])
            .related(&[Related::new("model_number", words::MODEL_NUMBER_OF_NAMED)])
            .help("The accessory that came back, by name.")
            .example("Wireless Mouse"),
        Field::reference("employee_id", "employees")
            .acting()
            .also(words::EMPLOYEE)
            .related(words::EMPLOYEE_DETAILS)
            .help("The employee it came back from, by name or e-mail address.")
            .example("Ada Byron"),
        Field::reference("location_id", "locations")
            .acting()
            .also(words::LOCATION)
            .related(words::LOCATION_DETAILS)
            .help("The location it came back from, by name.")
            .example("Berlin Office"),
        Field::date("checkin_date")
            .required()
            .acting()
            .also(words::CHECKIN_DATE)
            .help("The day it came back.")
            .example("2026-09-30"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("Box is missing"),
    ],
};

/// Guide: section "Checkin".
const CHECKIN_COMPONENT: Entity = Entity {
    name: "checkin_component",
    singular: "checkin_component",
    path: "checkin/component",
    help: "Takes components out of assets.",
    also: &["component checkins", "checkin components", "component returns"],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("component_id", "components")
            .required()
            .acting()
            .also(&["component", "component name", "part", "part name", "item", "item name", "product", "product name"])
            .related(&[Related::new("model_number", words::MODEL_NUMBER_OF_NAMED)])
            .help("The component that was taken out, by name.")
            .example("16 GB DDR5 Memory"),
        // Check-ins take the system id (guide: Integer), where checkouts of assets and components take the tag.
        Field::reference("asset_id", "assets")
            .required()
            .acting()
            .also(words::ASSET)
            .help("The asset it was taken out of, by its tag.")
            .example("LAP-0042"),
        Field::date("checkin_date")
            .required()
            .acting()
            .also(words::CHECKIN_DATE)
            .help("The day it came back.")
            .example("2026-09-30"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("Kept as a spare"),
    ],
};

/// Guide: section "Checkin".
const CHECKIN_LICENSE: Entity = Entity {
    name: "checkin_license",
    singular: "checkin_license",
    path: "checkin/license",
    help: "Takes license seats back from an employee or an asset.",
    also: &["license checkins", "licence checkins", "checkin licenses", "license returns"],
    role: Role::Action(Verb::Checkin),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("license_id", "licenses")
            .required()
            .acting()
            .also(&[
                "license", "licence", "license name", "licence name", "software", "software name", "application",
                "product", "product name",
            ])
            .help("The license that is given back, by name.")
            .example("Adobe Creative Cloud"),
        Field::reference("employee_id", "employees")
            .acting()
            .also(words::EMPLOYEE)
            .related(words::EMPLOYEE_DETAILS)
            .help("The employee who held it, by name or e-mail address.")
            .example("Ada Byron"),
        // Licenses take the system id on both ways (guide: "System ID of the asset").
        Field::reference("asset_id", "assets")
            .acting()
            .also(words::ASSET)
            .help("The asset that held it, by its tag.")
            .example("LAP-0042"),
        Field::text("product_key")
            .means(Meaning::MovedKey)
            .of_type("Product Key")
            .code()
            .acting()
            .also(&[
                "license key", "licence key", "license key value", "key", "serial", "serial number", "activation key",
            ])
            .help("The key that is given back; required for licenses of the type Product Key.")
            .example("AAAA-BBBB-CCCC-DDDD"),
        Field::date("checkin_date")
            .required()
            .acting()
            .also(words::CHECKIN_DATE)
            .help("The day it came back.")
            .example("2026-09-30"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("Left the company"),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_ASSET: Entity = Entity {
    name: "checkout_asset",
    singular: "checkout_asset",
    path: "checkout/asset",
    help: "Hands assets out to an employee or a location.",
    also: &["checkouts", "asset checkouts", "asset checkout", "checkout assets", "assignments", "asset assignments"],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::asset_tag("asset_id").required().acting().also(words::ASSET).help("The asset to hand out, by its tag."),
        Field::reference("employee_id", "employees")
            .acting()
            .also(words::EMPLOYEE)
            .related(words::EMPLOYEE_DETAILS)
            .help("The employee who gets it, by name or e-mail address.")
            .example("Ada Byron"),
        Field::reference("location_id", "locations")
            .acting()
            .also(words::LOCATION)
            .related(words::LOCATION_DETAILS)
            .help("The location that gets it, by name.")
            .example("Berlin Office"),
        Field::date("checkout_date")
            .required()
            .acting()
            .also(words::CHECKOUT_DATE)
            .help("The day it is handed out.")
            .example("2026-03-02"),
        Field::date("checkin_date")
            .acting()
            .also(words::EXPECTED_CHECKIN_DATE)
            .help("The day it is expected back.")
            .example("2026-09-30"),
        Field::integer("condition")
            .acting()
            .also(&["asset condition", "condition rating", "condition score"])
            .help("Its condition, as a whole number.")
            .example("4"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("With charger and bag"),
        Field::reference("asset_location_id", "locations")
            .acting()
            .sets("location_id")
            .also(&["asset location", "asset location name", "home location", "new location", "default location"])
            .help("The location the asset belongs to from now on, by name.")
            .example("Berlin Office"),
        Field::reference("asset_department_id", "departments")
            .acting()
            .sets("department_id")
            .also(&["asset department", "asset department name", "new department", "department", "department name"])
            .related(words::DEPARTMENT_DETAILS)
            .help("The department the asset belongs to from now on, by name.")
            .example("Finance"),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_ACCESSORY: Entity = Entity {
    name: "checkout_accessory",
    singular: "checkout_accessory",
    path: "checkout/accessory",
    help: "Hands accessories out to an employee or a location.",
    also: &["accessory checkouts", "checkout accessories", "accessory assignments"],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("accessory_id", "accessories")
            .required()
            .acting()
            .also(&["accessory", "accessory name", "item", "item name", "product", "product name"])
            .related(&[Related::new("model_number", words::MODEL_NUMBER_OF_NAMED)])
            .help("The accessory to hand out, by name.")
            .example("Wireless Mouse"),
        Field::reference("employee_id", "employees")
            .acting()
            .also(words::EMPLOYEE)
            .related(words::EMPLOYEE_DETAILS)
            .help("The employee who gets it, by name or e-mail address.")
            .example("Ada Byron"),
        Field::reference("location_id", "locations")
            .acting()
            .also(words::LOCATION)
            .related(words::LOCATION_DETAILS)
            .help("The location that gets it, by name.")
            .example("Berlin Office"),
        Field::integer("quantity")
            .means(Meaning::MovedQuantity)
            .required()
            .at_least(1)
            .acting()
            .also(words::QUANTITY)
            .help("How many are handed out.")
            .example("1"),
        Field::date("checkout_date")
            .required()
            .acting()
            .also(words::CHECKOUT_DATE)
            .help("The day it is handed out.")
            .example("2026-03-02"),
        Field::date("checkin_date")
            .acting()
            .also(words::EXPECTED_CHECKIN_DATE)
            .help("The day it is expected back.")
            .example("2026-09-30"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("For the new desk"),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_COMPONENT: Entity = Entity {
    name: "checkout_component",
    singular: "checkout_component",
    path: "checkout/component",
    help: "Builds components into assets.",
    also: &["component checkouts", "checkout components", "component assignments"],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("component_id", "components")
            .required()
            .acting()
            .also(&["component", "component name", "part", "part name", "item", "item name", "product", "product name"])
            .related(&[Related::new("model_number", words::MODEL_NUMBER_OF_NAMED)])
            .help("The component to build in, by name.")
            .example("16 GB DDR5 Memory"),
        Field::asset_tag("asset_id").required().acting().also(words::ASSET).help("The asset that gets it, by its tag."),
        Field::integer("quantity")
            .means(Meaning::MovedQuantity)
            .required()
            .at_least(1)
            .acting()
            .also(words::QUANTITY)
            .help("How many are built in.")
            .example("1"),
        Field::date("checkout_date")
            .required()
            .acting()
            .also(words::CHECKOUT_DATE)
            .help("The day it is handed out.")
            .example("2026-03-02"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("Second memory slot"),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_CONSUMABLE: Entity = Entity {
    name: "checkout_consumable",
    singular: "checkout_consumable",
    path: "checkout/consumable",
    help: "Hands consumables out to an employee or a location; they never come back.",
    also: &["consumable checkouts", "checkout consumables", "consumable assignments"],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("consumable_id", "consumables")
            .required()
            .acting()
            .also(&["consumable", "consumable name", "item", "item name", "product", "product name"])
            .related(&[Related::new("model_number", words::MODEL_NUMBER_OF_NAMED)])
            .help("The consumable to hand out, by name.")
            .example("Black Toner"),
        Field::reference("employee_id", "employees")
            .acting()
            .also(words::EMPLOYEE)
            .related(words::EMPLOYEE_DETAILS)
            .help("The employee who gets it, by name or e-mail address.")
            .example("Ada Byron"),
        Field::reference("location_id", "locations")
            .acting()
            .also(words::LOCATION)
            .related(words::LOCATION_DETAILS)
            .help("The location that gets it, by name.")
            .example("Berlin Office"),
        Field::integer("quantity")
            .means(Meaning::MovedQuantity)
            .required()
            .at_least(1)
            .acting()
            .also(words::QUANTITY)
            .help("How many are handed out.")
            .example("1"),
        Field::date("checkout_date")
            .required()
            .acting()
            .also(words::CHECKOUT_DATE)
            .help("The day it is handed out.")
            .example("2026-03-02"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("Printer on floor 2"),
    ],
};

/// Guide: section "Checkout".
const CHECKOUT_LICENSE: Entity = Entity {
    name: "checkout_license",
    singular: "checkout_license",
    path: "checkout/license",
    help: "Gives license seats to an employee or an asset.",
    also: &["license checkouts", "licence checkouts", "checkout licenses", "license assignments", "seat assignments"],
    role: Role::Action(Verb::Checkout),
    key: &[],
    sorts: &[],
    fields: &[
        Field::reference("license_id", "licenses")
            .required()
            .acting()
            .also(&[
                "license", "licence", "license name", "licence name", "software", "software name", "application",
                "product", "product name",
            ])
            .help("The license to give, by name.")
            .example("Adobe Creative Cloud"),
        Field::reference("employee_id", "employees")
            .acting()
            .also(words::EMPLOYEE)
            .related(words::EMPLOYEE_DETAILS)
            .help("The employee who gets it, by name or e-mail address.")
            .example("Ada Byron"),
        // Licenses take the system id on both ways (guide: "System ID of the asset").
        Field::reference("asset_id", "assets")
            .acting()
            .also(words::ASSET)
            .help("The asset that gets it, by its tag.")
            .example("LAP-0042"),
        Field::integer("quantity")
            .means(Meaning::MovedQuantity)
            .of_type("Dynamic")
            .at_least(1)
            .acting()
            .also(words::SEATS)
            .help("How many seats; required for licenses of the type Dynamic.")
            .example("1"),
        Field::text("product_key")
            .means(Meaning::MovedKey)
            .of_type("Product Key")
            .code()
            .acting()
            .also(&[
                "license key", "licence key", "license key value", "key", "serial", "serial number", "activation key",
            ])
            .help("The key to give; required for licenses of the type Product Key.")
            .example("AAAA-BBBB-CCCC-DDDD"),
        Field::date("checkout_date")
            .required()
            .acting()
            .also(words::CHECKOUT_DATE)
            .help("The day it is handed out.")
            .example("2026-03-02"),
        Field::date("checkin_date")
            .acting()
            .also(words::EXPECTED_CHECKIN_DATE)
            .help("The day it is expected back.")
            .example("2026-09-30"),
        Field::long_text("notes")
            .means(Meaning::ActionNotes)
            .acting()
            .also(words::ACTION_NOTES)
            .help("Anything worth knowing about it.")
            .example("Approved by Marketing"),
    ],
};
