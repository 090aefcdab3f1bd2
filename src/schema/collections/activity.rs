use crate::schema::{Entity, Field, Role};

/// Guide: section "Activity". Rows have no id (field notes).
pub const ACTIVITY: Entity = Entity {
    name: "activity",
    singular: "activity",
    path: "activity",
    help: "The log of every change, newest first.",
    also: &["activity log"],
    role: Role::Listing,
    key: &[],
    sorts: &["created_at"],
    fields: &[
        Field::date("date_from").filter_only().help("Start date. Format: '2022-12-01'"),
        Field::date("date_to").filter_only().help("End date. Format: '2022-12-01'"),
        Field::text("type").filter_only().help("The data type of the log entry. Options: Asset, Accessory, Component, Consumable, License, Maintenance, Audit"),
        Field::text("event").filter_only().help("The event type of the log entry. Options: Create, Update, Delete, Checkin, Checkout, Complete, Schedule, Recover"),
        Field::user("user_id").filter_only().help("Exact search for user id for the user who performed the action."),
        Field::reference("employee_id", "employees").filter_only().help("Exact search for employee id for the employee that had something checked in/out to them."),
        Field::email("user_email").filter_only().help("Exact search for user email for the user who performed the action."),
        Field::email("employee_email").filter_only().help("Exact search for employee email for the employee that had something checked in/out to them."),
        Field::reference("asset_id", "assets").filter_only().help("Exact search for asset system id."),
        Field::reference("accessory_id", "accessories").filter_only().help("Exact search for accessory id."),
        Field::reference("component_id", "components").filter_only().help("Exact search for component id."),
        Field::reference("consumable_id", "consumables").filter_only().help("Exact search for consumable id."),
        Field::reference("license_id", "licenses").filter_only().help("Exact search for license id."),
        Field::text("timestamp").read_only(),
        Field::integer("item_id").read_only(),
    ],
};
