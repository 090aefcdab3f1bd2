use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Statuses".
pub(super) const STATUSES: Entity = Entity {
    name: "statuses",
    singular: "status",
    path: "statuses",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "type", "notes"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::option("type", &["deployable", "pending", "undeployable", "archived"])
            .required()
            .filter()
            .help("Type. Options: { deployable, pending, undeployable, archived }"),
        Field::boolean("show_in_nav").filter().help("If status is visible in the navigation bar."),
        Field::text("notes").filter().help("Notes."),
    ],
};
