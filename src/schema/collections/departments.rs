use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Departments".
pub(super) const DEPARTMENTS: Entity = Entity {
    name: "departments",
    singular: "department",
    path: "departments",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::email("email").required().filter().help("Email."),
        Field::text("phone").required().filter().help("Phone."),
    ],
};
