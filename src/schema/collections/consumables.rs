use crate::schema::{Deletion, Entity, Field, Meaning, Role, words};

/// Guide: section "Consumable", which is the one heading in the singular; the path has the plural.
pub(super) const CONSUMABLES: Entity = Entity {
    name: "consumables",
    singular: "consumable",
    path: "consumables",
    help: "Things that are used up, such as toner; they can be checked out but not in.",
    also: &["consumable list", "supplies", "office supplies", "verbrauchsmaterial", "consommables", "consumibles"],
    role: Role::Collection { deletion: Deletion::Irreversible },
    key: &["name", "model_number"],
    sorts: &[
        "name", "created_at", "updated_at", "model_number", "order_number", "purchase_date", "purchase_cost",
        "minimum_quantity", "available", "notes",
    ],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(&[
                "consumable name", "consumable", "item name", "item", "title", "product", "product name",
                "bezeichnung", "nom", "nombre", "名称",
            ])
            .help("What it is called.")
            .example("Black Toner"),
        Field::text("model_number")
            .code()
            .filter()
            .also(words::MODEL_NUMBER)
            .help("The maker's number for it.")
            .example("TN-2420"),
        Field::text("order_number")
            .code()
            .filter()
            .also(words::ORDER_NUMBER)
            .help("The purchase order it came with.")
            .example("PO-2024-118"),
        Field::date("purchase_date")
            .filter()
            .also(words::PURCHASE_DATE)
            .help("The day it was bought.")
            .example("2024-06-30"),
        Field::money("purchase_cost").filter().also(words::PURCHASE_COST).help("What it cost.").example("29"),
        Field::currency("currency")
            .also(words::CURRENCY)
            .help("The currency of the cost, where it is not the account's or the location's own."),
        Field::integer("minimum_quantity")
            .filter()
            .also(words::MINIMUM_QUANTITY)
            .help("An alert comes when fewer than this are left."),
        // Written as `quantity`, read back and filtered as `available` (field notes).
        Field::integer("quantity")
            .means(Meaning::Stock)
            .required()
            .also(words::QUANTITY)
            .help("How many there are in all, those handed out included.")
            .example("40"),
        Field::reference("category_id", "categories")
            .narrowed("type", "consumable")
            .required()
            .filter()
            .also(words::CATEGORY)
            .help("Its category, by name.")
            .example("Toner"),
        Field::reference("manufacturer_id", "manufacturers")
            .filter()
            .also(words::MANUFACTURER)
            .related(words::MANUFACTURER_DETAILS)
            .help("Who makes it, by name.")
            .example("Brother"),
        Field::reference("supplier_id", "suppliers")
            .filter()
            .also(words::SUPPLIER)
            .related(words::SUPPLIER_DETAILS)
            .help("Who sold it, by name.")
            .example("CDW"),
        Field::reference("location_id", "locations")
            .filter()
            .also(words::LOCATION)
            .related(words::LOCATION_DETAILS)
            .help("Where it is kept, by name of the location.")
            .example("Berlin Office"),
        Field::reference("department_id", "departments")
            .filter()
            .also(words::DEPARTMENT)
            .related(words::DEPARTMENT_DETAILS)
            .help("The department it belongs to, by name.")
            .example("Finance"),
        Field::url("logo").also(words::LOGO).help("Link to a picture of it.").example("https://example.com/toner.png"),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("For the printers on floor 2"),
        Field::custom_fields(),
        Field::integer("available").read_only().means(Meaning::Available).filter().help("How many are left."),
    ],
};
