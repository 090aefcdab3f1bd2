//! The sample data that no endpoint can create: licenses with product keys, and managers of employees.

use jiff::Timestamp;

use super::super::facts;
use super::activity::LogEvent;
use super::record_store::{AccountId, RecordStore};
use crate::schema;

impl RecordStore {
    /// Turns a license into one of the type "Product Key", with a seat for each key.
    pub(crate) fn set_product_keys(&mut self, account: AccountId, license: i64, keys: &[&str]) -> rusqlite::Result<()> {
        for key in keys {
            self.execute("INSERT INTO product_keys (license_id, product_key) VALUES (?1, ?2)", (license, key))?;
        }
        let Some(entity) = schema::collection("licenses") else { return Ok(()) };
        let time = self.clock.stamp(Timestamp::now(), entity.name, license).to_owned();
        self.execute(
            "UPDATE licenses SET license_type = 'Product Key', number_of_seats = ?2, updated_at = ?3 WHERE id = ?1",
            (license, keys.len() as i64, &time),
        )?;
        self.log(account, &LogEvent { user_id: facts::TECHNICIAN, ..LogEvent::new(entity, "Update", license) }, &time)
    }

    pub(crate) fn set_manager(&mut self, employee: i64, manager: i64) -> rusqlite::Result<()> {
        self.execute("UPDATE employees SET manager_id = ?2 WHERE id = ?1", (employee, manager))
    }
}
