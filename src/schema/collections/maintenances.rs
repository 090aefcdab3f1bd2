use crate::schema::{Deletion, Entity, Field, Role};

/// Guide: section "Maintenances".
pub(super) const MAINTENANCES: Entity = Entity {
    name: "maintenances",
    singular: "maintenance",
    path: "maintenances",
    help: "",
    also: &[],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["asset_id", "type", "name", "start_date"],
    sorts: &["name", "created_at", "updated_at", "type", "start_date", "end_date", "cost", "notes"],
    fields: &[
        Field::option(
            "type",
            &["maintenance", "repair", "upgrade", "test", "calibration", "hardware support", "software support"],
        )
        .required()
        .filter()
        .help("Type. Options: { maintenance, repair, upgrade, test, calibration, hardware support, software support }"),
        Field::text("name").required().filter().help("Name."),
        Field::date("start_date").required().filter().help("Start date. Format: '2022-12-01'"),
        Field::date("end_date").filter().help("End date. Format: '2022-12-01'"),
        Field::money("cost").filter().help("Cost."),
        Field::asset_tag("asset_id").required().filter().help("Asset id."),
        Field::reference("supplier_id", "suppliers").filter().help("Supplier id."),
        Field::text("notes").filter().help("Notes."),
    ],
};
