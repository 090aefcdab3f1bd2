use crate::schema::{Deletion, Entity, Field, Role, words};

/// Guide: section "Maintenances".
pub(super) const MAINTENANCES: Entity = Entity {
    name: "maintenances",
    singular: "maintenance",
    path: "maintenances",
    help: "Work done on an asset: repairs, upgrades, calibrations.",
    also: &["asset maintenances", "asset maintenance", "repairs", "maintenance log", "service records", "wartungen"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["asset_id", "type", "name", "start_date"],
    sorts: &["name", "created_at", "updated_at", "type", "start_date", "end_date", "cost", "notes"],
    fields: &[
        Field::option(
            "type",
            &["maintenance", "repair", "upgrade", "test", "calibration", "hardware support", "software support"],
        )
        // Update alone spells the last two with `_`; each call gets its own section's spelling (field notes).
        .spelled_on_update(&[
            "maintenance", "repair", "upgrade", "test", "calibration", "hardware_support", "software_support",
        ])
        .required()
        .filter()
        .also(&["maintenance type", "asset maintenance type", "kind", "kind of work"])
        .help("What kind of work it is.")
        .example("repair"),
        Field::text("name")
            .required()
            .filter()
            .also(&["title", "maintenance name", "maintenance title", "maintenance", "subject", "work", "task"])
            .help("What is done.")
            .example("Screen replacement"),
        Field::date("start_date")
            .required()
            .filter()
            .also(&["start", "started", "started on", "begin date", "date", "maintenance date", "from date"])
            .help("The day it starts.")
            .example("2026-03-02"),
        Field::date("end_date")
            .filter()
            .also(&[
                "end", "ended", "ended on", "finish date", "completion date", "completed on", "completed date",
                "to date",
            ])
            .help("The day it is done.")
            .example("2026-03-05"),
        Field::money("cost")
            .filter()
            .also(&["price", "amount", "maintenance cost", "repair cost", "total cost", "kosten", "coût", "costo"])
            .help("What it cost.")
            .example("249"),
        Field::asset_tag("asset_id")
            .required()
            .filter()
            .also(words::ASSET)
            .help("The asset that is worked on, by its tag."),
        Field::reference("supplier_id", "suppliers")
            .filter()
            .also(words::SUPPLIER)
            .related(words::SUPPLIER_DETAILS)
            .help("Who does the work, by name of the supplier.")
            .example("CDW"),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("Covered by warranty"),
    ],
};
