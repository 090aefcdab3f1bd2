use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Depreciations".
pub(super) const DEPRECIATIONS: Entity = Entity {
    name: "depreciations",
    singular: "depreciation",
    path: "depreciations",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "months", "minimum_value"],
    fields: &[
        Field::text("name").required().filter().help("Name."),
        Field::integer("months").required().filter().help("Number of months."),
        Field::money("minimum_value").filter().help("Minimum value after depreciation."),
    ],
};
