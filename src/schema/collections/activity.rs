use crate::schema::{Entity, Field, Role};

/// Guide: section "Activity". Rows have no id (field notes).
pub const ACTIVITY: Entity = Entity {
    name: "activity",
    singular: "activity",
    path: "activity",
    help: "The log of every change, newest first.",
    also: &["activities", "activity log", "activity report", "history"],
    role: Role::Listing,
    key: &[],
    // The guide calls `name` the default, which is no option of it; `created_at` is the only one.
    sorts: &["created_at"],
    fields: &[
        Field::date("date_from").filter_only().help("Only entries from this day on."),
        Field::date("date_to").filter_only().help("Only entries up to this day."),
        Field::option("type", &["Asset", "Accessory", "Component", "Consumable", "License", "Maintenance", "Audit"])
            .read_only()
            .filter()
            .help("What kind of record was touched."),
        Field::option(
            "event",
            &["Create", "Update", "Delete", "Checkin", "Checkout", "Complete", "Schedule", "Recover"],
        )
        .read_only()
        .filter()
        .help("What happened to it."),
        Field::user("user_id").read_only().filter().help("The BlueTally user who did it."),
        Field::reference("employee_id", "employees")
            .filter_only()
            .help("The employee something was checked out to or in from.")
            .example("Ada Byron"),
        Field::email("user_email").filter_only().help("The e-mail address of the user who did it."),
        Field::email("employee_email").filter_only().help("The e-mail address of that employee."),
        Field::reference("asset_id", "assets").filter_only().help("The asset, by its system id.").example("LAP-0042"),
        Field::reference("accessory_id", "accessories").filter_only().help("The accessory.").example("Wireless Mouse"),
        Field::reference("component_id", "components")
            .filter_only()
            .help("The component.")
            .example("16 GB DDR5 Memory"),
        Field::reference("consumable_id", "consumables").filter_only().help("The consumable.").example("Black Toner"),
        Field::reference("license_id", "licenses").filter_only().help("The license.").example("Adobe Creative Cloud"),
        Field::text("timestamp").read_only().help("When it happened."),
        Field::integer("item_id").read_only().help("The id of the record that was touched."),
    ],
};
