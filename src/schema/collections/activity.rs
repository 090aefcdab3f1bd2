use crate::schema::{Entity, Field, Role, log_field};

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
        Field::date(log_field::DATE_FROM).filter_only().help("Only entries from this day on."),
        Field::date(log_field::DATE_TO).filter_only().help("Only entries up to this day."),
        Field::option(
            log_field::TYPE,
            &["Asset", "Accessory", "Component", "Consumable", "License", "Maintenance", "Audit"],
        )
        .read_only()
        .filter()
        .help("What kind of record was touched."),
        Field::option(
            log_field::EVENT,
            &["Create", "Update", "Delete", "Checkin", "Checkout", "Complete", "Schedule", "Recover"],
        )
        .read_only()
        .filter()
        .help("What happened to it."),
        Field::user(log_field::USER_ID).read_only().filter().help("The BlueTally user who did it."),
        Field::reference(log_field::EMPLOYEE_ID, "employees")
            .filter_only()
            .help("The employee something was checked out to or in from.")
            .example("Ada Byron"),
        Field::email(log_field::USER_EMAIL).filter_only().help("The e-mail address of the user who did it."),
        Field::email(log_field::EMPLOYEE_EMAIL).filter_only().help("The e-mail address of that employee."),
        Field::reference("asset_id", "assets").filter_only().help("The asset, by its system id.").example("LAP-0042"),
        Field::reference("accessory_id", "accessories").filter_only().help("The accessory.").example("Wireless Mouse"),
        Field::reference("component_id", "components")
            .filter_only()
            .help("The component.")
            .example("16 GB DDR5 Memory"),
        Field::reference("consumable_id", "consumables").filter_only().help("The consumable.").example("Black Toner"),
        Field::reference("license_id", "licenses").filter_only().help("The license.").example("Adobe Creative Cloud"),
        Field::text(log_field::TIMESTAMP).read_only().help("When it happened."),
        Field::integer(log_field::ITEM_ID).read_only().help("The id of the record that was touched."),
    ],
};
