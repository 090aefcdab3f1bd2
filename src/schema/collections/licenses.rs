use crate::schema::{Deletion, Entity, Field, Meaning, Related, Role, words};

/// Guide: section "Licenses".
pub const LICENSES: Entity = Entity {
    name: "licenses",
    singular: "license",
    path: "licenses",
    help: "Software and other licenses, with their seats.",
    also: &[
        "licence", "licences", "software", "software licenses", "software licences", "license list", "subscriptions",
        "lizenzen", "logiciels", "licencias", "licenças",
    ],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &[
        "name", "created_at", "updated_at", "licensed_to_name", "licensed_to_email", "order_number", "purchase_date",
        "purchase_cost", "expiration_date", "termination_date", "minimum_seats", "notes",
    ],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(&[
                "license name", "licence name", "license", "licence", "item name", "software", "software name",
                "software title", "application", "application name", "product", "product name", "lizenz", "logiciel",
            ])
            .help("What is licensed.")
            .example("Adobe Creative Cloud"),
        Field::text("licensed_to_name")
            .filter()
            .also(&["licensed to", "licensee", "licensee name", "registered to", "lizenznehmer"])
            .help("Whom it is licensed to.")
            .example("Example GmbH"),
        Field::email("licensed_to_email")
            .filter()
            .also(&["licensee email", "licensed email", "registered email"])
            .help("The e-mail address it is licensed to.")
            .example("licenses@example.com"),
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
        Field::money("purchase_cost")
            .filter()
            .also(words::PURCHASE_COST)
            .help("What it cost, all seats together.")
            .example("4800"),
        Field::currency("currency")
            .also(words::CURRENCY)
            .help("The currency of the cost, where it is not the account's own."),
        Field::date("expiration_date")
            .filter()
            .also(&[
                "expiration", "expires", "expires on", "expiry", "expiry date", "expire date", "renewal date",
                "renews on", "valid until", "license expiration", "license expiration date", "ablaufdatum",
                "gültig bis", "date d'expiration", "fecha de vencimiento", "到期日期",
            ])
            .help("The day it expires.")
            .example("2026-12-31"),
        Field::date("termination_date")
            .filter()
            .also(&["termination", "terminated on", "cancellation date", "cancelled on", "kündigungsdatum"])
            .help("The day it was or will be ended for good.")
            .example("2027-01-31"),
        Field::integer("number_of_seats")
            .means(Meaning::Stock)
            .at_least(1)
            .also(&[
                "seats", "seat count", "total seats", "total licenses", "total licences", "license count",
                "licence count", "quantity", "qty", "total", "purchased seats", "anzahl lizenzen",
            ])
            .help("How many seats it has; on update only for licenses of the type Dynamic.")
            .example("25"),
        Field::integer("minimum_seats")
            .filter()
            .also(&["min seats", "minimum number of seats", "min qty", "minimum quantity", "min quantity"])
            .help("An alert comes when fewer seats than this are free.")
            .example("2"),
        Field::reference("category_id", "categories")
            .narrowed("type", "license")
            .required()
            .filter()
            .also(&[
                "category", "category name", "license category", "software category", "software type",
                "product category", "categoría", "categorie", "catégorie", "kategorie", "类别名称",
            ])
            .help("Its category, by name.")
            .example("Design Software"),
        Field::reference("manufacturer_id", "manufacturers")
            .filter()
            .also(&[
                "manufacturer", "manufacturer name", "publisher", "software publisher", "maker", "make", "brand",
                "hersteller", "fabricant", "éditeur", "fabricante", "制造商",
            ])
            .related(words::MANUFACTURER_DETAILS)
            .help("Who makes the software, by name.")
            .example("Adobe"),
        Field::reference("supplier_id", "suppliers")
            .filter()
            .also(words::SUPPLIER)
            .related(words::SUPPLIER_DETAILS)
            .help("Who sold it, by name.")
            .example("CDW"),
        Field::reference("depreciation_id", "depreciations")
            .filter()
            .also(words::DEPRECIATION)
            .related(&[Related::new("months", &["depreciation months"])])
            .help("How it loses value, by name of the depreciation.")
            .example("Software 1 year"),
        Field::reference("department_id", "departments")
            .filter()
            .also(words::DEPARTMENT)
            .related(words::DEPARTMENT_DETAILS)
            .help("The department it belongs to, by name.")
            .example("Marketing"),
        Field::url("logo")
            .also(words::LOGO)
            .help("Link to a picture for it.")
            .example("https://example.com/creative-cloud.png"),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("Renew before the end of November"),
        Field::custom_fields(),
        Field::email("employee_email").filter_only().help("An employee who holds a seat of it."),
        Field::text("license_type")
            .read_only()
            .means(Meaning::ItemType)
            .help("Dynamic or Product Key; the API has no parameter to set it."),
        Field::money("unit_cost").read_only().help("What one seat costs."),
        Field::integer("available").read_only().means(Meaning::Available).help("How many seats are free."),
    ],
};
