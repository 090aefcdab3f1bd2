use crate::schema::{Deletion, Entity, Field, Role, words};

/// Guide: section "Depreciations".
pub(super) const DEPRECIATIONS: Entity = Entity {
    name: "depreciations",
    singular: "depreciation",
    path: "depreciations",
    help: "Schedules by which things lose value.",
    also: &["depreciation schedules", "depreciation methods", "depreciation list", "abschreibungen", "amortissements"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at", "months", "minimum_value"],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(words::DEPRECIATION)
            .help("What the schedule is called.")
            .example("Laptops 3 years"),
        Field::integer("months")
            .required()
            .filter()
            .at_least(1)
            .also(&[
                "number of months", "depreciation months", "duration in months", "useful life months", "term",
                "monate", "mois",
            ])
            .help("How many months it takes.")
            .example("36"),
        // The guide prints `name` a second time here, as an Integer; the sort options give the real name (field notes).
        Field::money("minimum_value")
            .filter()
            .also(&["min value", "residual value", "salvage value", "floor value", "restwert", "valeur résiduelle"])
            .help("The value that is left at the end.")
            .example("100"),
    ],
};
