use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Employees".
pub(super) const EMPLOYEES: Entity = Entity {
    name: "employees",
    singular: "employee",
    path: "employees",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["email"],
    sorts: &["name", "created_at", "updated_at", "email", "title", "notes"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::email("email").required().filter().help("Email."),
        Field::text("title").filter().help("Title."),
        Field::reference("location_id", "locations").filter().help("Location id."),
        Field::reference("department_id", "departments").filter().help("Department id."),
        Field::text("notes").filter().help("Notes."),
        Field::boolean("archived").help("If the employee should be archived. Options: true, false"),
        Field::custom_fields(),
    ],
};
