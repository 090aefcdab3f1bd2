use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Manufacturers".
pub(super) const MANUFACTURERS: Entity = Entity {
    name: "manufacturers",
    singular: "manufacturer",
    path: "manufacturers",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "url", "support_url", "support_phone", "support_email", "notes"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::url("url").filter().help("Url."),
        Field::url("support_url").filter().help("Support url."),
        Field::text("support_phone").filter().help("Support phone."),
        Field::email("support_email").filter().help("Support email."),
        Field::url("logo").help("External URL to logo."),
        Field::text("notes").filter().help("Notes."),
    ],
};
