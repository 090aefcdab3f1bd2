use crate::schema::{Deletion, Entity, Field, Role, words};

/// Guide: section "Locations".
pub(super) const LOCATIONS: Entity = Entity {
    name: "locations",
    singular: "location",
    path: "locations",
    help: "Places: sites, buildings, offices, rooms.",
    also: &[
        "sites", "site", "offices", "buildings", "rooms", "location list", "standorte", "emplacements", "ubicaciones",
    ],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "address_line_1", "address_line_2", "city", "zip", "state", "country"],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(&[
                "location", "location name", "site", "site name", "building", "building name", "office", "office name",
                "service outlet designation", "standort", "emplacement", "ubicación", "nom", "nombre",
            ])
            .help("What the place is called.")
            .example("Berlin Office"),
        Field::text("address_line_1")
            .filter()
            .also(words::ADDRESS_LINE_1)
            .help("Street and number.")
            .example("Unter den Linden 1"),
        Field::text("address_line_2")
            .filter()
            .also(words::ADDRESS_LINE_2)
            .help("Floor, suite or the like.")
            .example("Floor 3"),
        Field::text("city").filter().also(words::CITY).help("City or town.").example("Berlin"),
        Field::text("zip")
            .code()
            .filter()
            .also(words::ZIP)
            .help("Postal code, kept as text: 01067 stays 01067.")
            .example("01067"),
        Field::text("state").filter().also(words::STATE).help("State, province or region.").example("Saxony"),
        Field::text("country").filter().also(words::COUNTRY).help("Country.").example("Germany"),
        Field::email("email")
            .filter()
            .also(&["email address", "location email", "contact email", "mail", "e-mail-adresse", "courriel", "correo"])
            .help("How to reach the place by e-mail.")
            .example("berlin@example.com"),
        Field::text("phone")
            .code()
            .filter()
            .also(&[
                "phone number", "phone no", "location phone", "contact phone", "telephone", "telephone number", "tel",
                "telefon", "téléphone", "teléfono", "电话",
            ])
            .help("Phone number, kept as text.")
            .example("+49 30 1234567"),
        Field::currency("currency")
            .filter()
            .also(&["currency code", "location currency", "währung", "devise", "moneda", "币种"])
            .help("The currency of costs at this place."),
        Field::url("logo").also(words::LOGO).help("Link to a picture of it.").example("https://example.com/berlin.png"),
        Field::custom_fields(),
    ],
};
