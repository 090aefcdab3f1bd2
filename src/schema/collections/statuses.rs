use crate::schema::{Deletion, Entity, Field, Meaning, Role, words};

/// Guide: section "Statuses".
pub(super) const STATUSES: Entity = Entity {
    name: "statuses",
    singular: "status",
    path: "statuses",
    help: "The states an asset can be in, such as Ready to deploy.",
    also: &["states", "status labels", "status label", "asset statuses", "status list", "statuts", "estados"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "type", "notes"],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(&["status", "status name", "status label", "label", "state", "statut", "estado", "资产状态"])
            .help("What the status is called.")
            .example("Ready to deploy"),
        Field::option("type", &["deployable", "pending", "undeployable", "archived"])
            .means(Meaning::RecordKind)
            .required()
            .filter()
            .also(&["status type", "kind"])
            .help("What the status allows: only assets in a deployable one can be checked out."),
        Field::boolean("show_in_nav")
            .filter()
            .also(&["show in navigation", "show in navigation bar", "in navigation", "show in side nav"])
            .help("Whether the navigation bar shows it."),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("Wiped and charged"),
    ],
};
