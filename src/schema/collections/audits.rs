use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Audits".
pub(super) const AUDITS: Entity = Entity {
    name: "audits",
    singular: "audit",
    path: "audits",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["asset_id", "audit_date"],
    sorts: &["audit_date", "created_at", "updated_at", "next_audit_date", "notes"],
    fields: &[
        Field::date("audit_date").required().filter().help("Audit date. Format: '2022-12-01'"),
        Field::date("next_audit_date").filter().help("Audit date. Format: '2022-12-01'"),
        Field::boolean("scheduled").required().filter().help("If audit is scheduled."),
        Field::boolean("completed").required().filter().help("If audit is completed."),
        Field::asset_tag("asset_id").required().filter().help("The id of the asset that was audited."),
        Field::reference("location_id", "locations").filter().help("Location id."),
        Field::user("user_id").required().filter().help("The id of the user who performed the audit."),
        Field::text("notes").filter().help("Notes."),
    ],
};
