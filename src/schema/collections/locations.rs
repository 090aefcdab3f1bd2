use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Locations".
pub(super) const LOCATIONS: Entity = Entity {
    name: "locations",
    singular: "location",
    path: "locations",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "address_line_1", "address_line_2", "city", "zip", "state", "country"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::text("address_line_1").filter().help("Address line 1."),
        Field::text("address_line_2").filter().help("Address line 2."),
        Field::text("city").filter().help("City."),
        Field::text("zip").filter().help("Zip."),
        Field::text("state").filter().help("State."),
        Field::text("country").filter().help("Country."),
        Field::email("email").filter().help("Email."),
        Field::text("phone").filter().help("Phone."),
        Field::currency("currency").filter().help("Currency (ISO 4217 Code)."),
        Field::url("logo").help("External URL to logo."),
        Field::custom_fields(),
    ],
};
