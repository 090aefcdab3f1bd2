//! The fields of the activity log that other modules name. Guide: section "Activity".

/// The first day to list entries of.
pub const DATE_FROM: &str = "date_from";
/// The last day to list entries of.
pub const DATE_TO: &str = "date_to";
/// What kind of record an entry is about.
pub const TYPE: &str = "type";
/// What happened to it.
pub const EVENT: &str = "event";
/// The system id of the record.
pub const ITEM_ID: &str = "item_id";
/// When it happened.
pub const TIMESTAMP: &str = "timestamp";
/// The user of the service who did it.
pub const USER_ID: &str = "user_id";
pub const USER_EMAIL: &str = "user_email";
/// The employee that something was checked out to or in from.
pub const EMPLOYEE_ID: &str = "employee_id";
/// The e-mail address of the employee that something was checked out to or in from.
pub const EMPLOYEE_EMAIL: &str = "employee_email";
