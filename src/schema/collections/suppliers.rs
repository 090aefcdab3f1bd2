use crate::schema::{Deletion, Entity, Field, Meaning, Role, words};

/// Guide: section "Suppliers".
pub(super) const SUPPLIERS: Entity = Entity {
    name: "suppliers",
    singular: "supplier",
    path: "suppliers",
    help: "Those who sell you things.",
    also: &["vendors", "vendor", "dealers", "resellers", "supplier list", "lieferanten", "fournisseurs", "proveedores"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &[
        "name", "created_at", "updated_at", "address_line_1", "address_line_2", "city", "zip", "state", "country",
        "contact_name", "phone", "fax", "email", "url", "notes",
    ],
    fields: &[
        Field::text("name")
            .required()
            .means(Meaning::OrganisationName)
            .filter()
            .also(&[
                "supplier", "supplier name", "vendor", "vendor name", "dealer", "dealer name", "company",
                "company name", "lieferant", "fournisseur", "proveedor", "fornecedor", "供应商",
            ])
            .help("What the supplier is called.")
            .example("CDW"),
        Field::text("address_line_1")
            .filter()
            .also(&[
                "address", "address 1", "street", "street address", "address line", "supplier address",
                "dealer address", "vendor address", "adresse", "strasse", "straße", "dirección", "地址",
            ])
            .help("Street and number.")
            .example("200 N Milwaukee Ave"),
        Field::text("address_line_2")
            .filter()
            .also(words::ADDRESS_LINE_2)
            .help("Floor, suite or the like.")
            .example("Suite 12"),
        Field::text("city").filter().also(words::CITY).help("City or town.").example("Vernon Hills"),
        Field::text("zip")
            .code()
            .filter()
            .also(&[
                "zip code", "postal code", "postcode", "zip/postal code", "supplier postcode", "supplier zip", "plz",
                "postleitzahl", "code postal", "código postal", "邮编",
            ])
            .help("Postal code, kept as text: 01067 stays 01067.")
            .example("60061"),
        Field::text("state").filter().also(words::STATE).help("State, province or region.").example("Illinois"),
        Field::text("country").filter().also(words::COUNTRY).help("Country.").example("United States"),
        Field::text("contact_name")
            .filter()
            .also(&["contact", "contact person", "supplier contact", "vendor contact", "sales rep", "ansprechpartner"])
            .help("Whom to ask for.")
            .example("Grace Hopper"),
        Field::text("phone")
            .code()
            .filter()
            .also(&[
                "phone number", "phone no", "telephone", "telephone number", "contact telephone", "contact phone",
                "supplier phone", "vendor phone", "dealer phone", "dealer phone number", "tel", "telefon", "téléphone",
                "teléfono", "电话",
            ])
            .help("Phone number, kept as text.")
            .example("+1 847 555 0100"),
        Field::text("fax")
            .filter()
            .also(&["fax number", "fax no", "telefax"])
            .help("Fax number, kept as text.")
            .example("+1 847 555 0101"),
        Field::email("email")
            .filter()
            .also(&[
                "email address", "contact email", "supplier email", "vendor email", "dealer email", "mail",
                "e-mail-adresse", "courriel", "correo", "邮箱",
            ])
            .help("How to reach them by e-mail.")
            .example("sales@example.com"),
        Field::url("url")
            .filter()
            .also(&[
                "website", "web", "homepage", "web address", "link", "contact url", "supplier url", "supplier website",
                "vendor url", "vendor website",
            ])
            .help("Their website.")
            .example("https://www.example.com"),
        Field::url("logo").also(words::LOGO).help("Link to their logo.").example("https://example.com/logo.png"),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("Customer number 4711"),
    ],
};
