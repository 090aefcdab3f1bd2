use crate::schema::{Deletion, Entity, Field, Role, words};

/// Guide: section "Audits".
pub(super) const AUDITS: Entity = Entity {
    name: "audits",
    singular: "audit",
    path: "audits",
    help: "Checks that an asset is where it should be, done or planned.",
    also: &["asset audits", "asset audit", "audit log", "stocktake", "stocktaking", "inventory audit", "inventur"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["asset_id", "audit_date"],
    sorts: &["audit_date", "created_at", "updated_at", "next_audit_date", "notes"],
    fields: &[
        Field::date("audit_date")
            .required()
            .filter()
            .also(&["date", "last audit date", "last audit", "audited on", "assessment date", "assessment dat"])
            .help("The day of the audit."),
        // The guide describes it as "Audit date." too; the list's filter says "next audit date".
        Field::date("next_audit_date")
            .filter()
            .also(&["next audit", "next audit on", "next assessment date", "next date", "due date"])
            .help("The day of the one after it.")
            .example("2027-01-31"),
        Field::boolean("scheduled")
            .required()
            .filter()
            .also(&["is scheduled", "planned", "geplant", "planifié"])
            .help("Whether it was planned ahead.")
            .example("no"),
        Field::boolean("completed")
            .required()
            .filter()
            .also(&["is completed", "complete", "done", "finished", "erledigt", "terminé"])
            .help("Whether it is done."),
        Field::asset_tag("asset_id")
            .required()
            .filter()
            .also(words::ASSET)
            .help("The asset that was looked at, by its tag."),
        Field::reference("location_id", "locations")
            .filter()
            .also(words::LOCATION)
            .related(words::LOCATION_DETAILS)
            .help("Where it was found, by name of the location.")
            .example("Berlin Office"),
        Field::user("user_id")
            .required()
            .filter()
            .also(&[
                "user", "user email", "auditor", "auditor id", "auditor email", "audited by", "performed by", "prüfer",
            ])
            .help("The BlueTally user who did it: the user's id, or an e-mail address the activity log knows."),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("Label is worn"),
    ],
};
