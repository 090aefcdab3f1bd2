use crate::schema::{Deletion, Entity, Field, Meaning, Role, words};

/// Guide: section "Manufacturers".
pub(super) const MANUFACTURERS: Entity = Entity {
    name: "manufacturers",
    singular: "manufacturer",
    path: "manufacturers",
    help: "Those who make the products.",
    also: &["makers", "makes", "brands", "manufacturer list", "hersteller", "fabricants", "fabricantes"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "url", "support_url", "support_phone", "support_email", "notes"],
    fields: &[
        Field::text("name")
            .required()
            .means(Meaning::OrganisationName)
            .filter()
            .also(words::MANUFACTURER)
            .help("What the manufacturer is called.")
            .example("Apple"),
        Field::url("url")
            .filter()
            .also(&["website", "web", "homepage", "web address", "link", "manufacturer url", "manufacturer website"])
            .help("Their website.")
            .example("https://www.example.com"),
        Field::url("support_url")
            .filter()
            .also(&["support website", "support site", "support link", "manufacturer support url"])
            .help("Their support page."),
        Field::text("support_phone")
            .filter()
            .also(&["support telephone", "support phone number", "manufacturer support phone", "phone", "telephone"])
            .help("Phone number of their support, kept as text.")
            .example("+1 800 555 0100"),
        Field::email("support_email")
            .filter()
            .also(&["support email address", "support mail", "manufacturer support email", "email", "email address"])
            .help("E-mail address of their support.")
            .example("support@example.com"),
        Field::url("logo").also(words::LOGO).help("Link to their logo.").example("https://example.com/logo.png"),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("Have the serial number ready when calling"),
    ],
};
