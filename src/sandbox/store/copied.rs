//! Records copied from an account: stored like any other, and served as the account served them.
//!
//! For each member of a copied record that the sandbox would serve differently, `copied_members` has what the account
//! served and what the sandbox would have served instead, its baseline. As long as the sandbox would serve the baseline,
//! the account's value is served in its place. Once the value has changed in the sandbox, that is served.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Result as SqlResult, params, params_from_iter};
use serde_json::Value as Json;

use super::super::copy::{CopiedRecord, column_value, integer, text};
use super::super::facts::{self, StockModel};
use super::record_store::{AccountId, RecordStore, write_row};
use crate::schema::{CREATED_AT, Entity, Field, UPDATED_AT, Wire};

/// The tables of a copy. They are empty in every other sandbox.
pub(super) const TABLES: &str = "
-- What the account served where the sandbox would serve the baseline; NULL is a member that is missing.
CREATE TABLE IF NOT EXISTS copied_members (
    collection TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    served TEXT,
    baseline TEXT,
    PRIMARY KEY (collection, id, name)
) STRICT, WITHOUT ROWID;

-- The members of a collection's records in the order of the account, as a JSON array.
CREATE TABLE IF NOT EXISTS copied_order (collection TEXT PRIMARY KEY, names TEXT NOT NULL) STRICT;
";

/// The timestamp of a record for which the account gave none: such records come first.
const NO_TIME: &str = "1970-01-01T00:00:00.000Z";

/// A member that is served differently, and the values that decide about it.
struct Difference {
    name: String,
    served: Option<String>,
    baseline: Option<String>,
}

impl RecordStore {
    /// Whether the records are, at least in part, a copy of an account's.
    pub(super) fn has_copy(connection: &rusqlite::Connection) -> SqlResult<bool> {
        Ok(connection.query_row("SELECT 1 FROM copied_order LIMIT 1", [], |_| Ok(())).optional()?.is_some())
    }

    pub(crate) fn set_copied_order(&self, entity: &Entity, names: &[&str]) -> SqlResult<()> {
        let sql = "INSERT OR REPLACE INTO copied_order (collection, names) VALUES (?1, ?2)";
        self.execute(sql, (entity.name, Json::from(names).to_string()))
    }

    /// Stores a record of the account under its id, with its holders.
    pub(crate) fn insert_copied(
        &self,
        account: AccountId,
        entity: &'static Entity,
        id: i64,
        record: &CopiedRecord<'_>,
    ) -> SqlResult<()> {
        let updated_at = text(&record.value(UPDATED_AT)).unwrap_or_else(|| NO_TIME.to_owned());
        let created_at = text(&record.value(CREATED_AT)).unwrap_or_else(|| NO_TIME.to_owned());
        let mut columns = vec![
            ("id", Value::Integer(id)),
            ("tenant", Value::Integer(account.0)),
            (CREATED_AT, Value::Text(created_at)),
            (UPDATED_AT, Value::Text(updated_at)),
        ];
        for field in self.tables.of(entity).written_fields() {
            columns.push((field.name, self.copied_value(account, entity, field, record)?));
        }
        set_hidden(entity, record, &mut columns);
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", entity.name, names.join(", "));
        self.execute(&sql, params_from_iter(columns.into_iter().map(|(_, value)| value)))?;
        if facts::stock_model(entity.name) == Some(StockModel::Single) {
            self.hand_out_copied(account, entity, id, &record.value("deployed_to"))?;
        }
        Ok(())
    }

    /// What the column of a field can hold of the account's value. A value that must be unique here and is not there is
    /// stored once.
    fn copied_value(
        &self,
        account: AccountId,
        entity: &Entity,
        field: &Field,
        record: &CopiedRecord<'_>,
    ) -> SqlResult<Value> {
        let json = record.value(field.name);
        let value = match field.reference_to() {
            Some(reference) if reference.wire == Wire::Tag => self.tagged(account, reference.to, &json)?,
            _ => column_value(field.kind, &json),
        };
        let unique = facts::UNIQUE.iter().find(|unique| unique.collection == entity.name && unique.field == field.name);
        let Some(unique) = unique else { return Ok(value) };
        let sql = format!(
            "SELECT 1 FROM {} WHERE tenant = ?1 AND {} = ?2 COLLATE {}",
            unique.collection, unique.field, unique.collation
        );
        let is_taken = self.any(&sql, (account.0, &value))?;
        Ok(if is_taken { Value::Null } else { value })
    }

    /// The system id of an asset that a record names by its tag, or by the id itself.
    fn tagged(&self, account: AccountId, collection: &str, json: &Json) -> SqlResult<Value> {
        let sql = format!("SELECT id FROM {collection} WHERE tenant = ?1 AND asset_id = ?2");
        let named: Option<i64> = match text(json) {
            Some(tag) => self.first(&sql, (account.0, tag), |row| row.get(0))?,
            None => None,
        };
        Ok(named.or_else(|| integer(json)).map_or(Value::Null, Value::Integer))
    }

    /// Checks an asset out to those that its record names. A holder that the sandbox does not know holds it nonetheless.
    fn hand_out_copied(&self, account: AccountId, entity: &Entity, id: i64, holders: &Json) -> SqlResult<()> {
        for holder in holders.as_array().into_iter().flatten() {
            let [employee, location] = ["employee_id", "location_id"].map(|name| integer(&holder[name]));
            let date = text(&holder["checkout_date"]).unwrap_or_default();
            self.execute(
                "INSERT INTO holdings (tenant, collection, item_id, employee_id, location_id, quantity, checkout_date) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)",
                params![account.0, entity.name, id, employee, location, date],
            )?;
        }
        Ok(())
    }

    /// Compares a stored record with that of the account, and keeps the differences.
    pub(crate) fn keep_differences(
        &self,
        account: AccountId,
        entity: &'static Entity,
        id: i64,
        record: &CopiedRecord<'_>,
    ) -> SqlResult<()> {
        let table = self.tables.of(entity);
        let mut own = Vec::with_capacity(1024);
        self.first(&table.select, (id, account.0), |row| write_row(row, &table.columns, &mut own))?;
        let own = members(&own);
        for (name, served) in &record.members {
            let baseline = own.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
            if baseline != Some(served) {
                self.keep_difference(entity, id, name, (Some(served), baseline))?;
            }
        }
        for (name, baseline) in own.iter().filter(|(name, _)| record.text(name).is_none()) {
            self.keep_difference(entity, id, name, (None, Some(baseline)))?;
        }
        Ok(())
    }

    fn keep_difference(
        &self,
        entity: &Entity,
        id: i64,
        name: &str,
        (served, baseline): (Option<&str>, Option<&str>),
    ) -> SqlResult<()> {
        let sql = "INSERT OR REPLACE INTO copied_members (collection, id, name, served, baseline) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.execute(sql, (entity.name, id, name, served, baseline))
    }

    /// How many items of the collection are checked out, by the figures of their records.
    pub(crate) fn checked_out(&self, entity: &Entity) -> SqlResult<u64> {
        let sql = format!("SELECT coalesce(sum(max(checked_out, 0)), 0) FROM {}", entity.name);
        Ok(self.first(&sql, [], |row| row.get::<_, i64>(0))?.map_or(0, i64::unsigned_abs))
    }

    /// Writes a record of the copy as the account served it; `own` is what the sandbox serves by itself.
    pub(super) fn write_copied(&self, entity: &Entity, id: i64, own: &[u8], out: &mut Vec<u8>) -> SqlResult<()> {
        let mut members: Vec<(String, String)> =
            members(own).into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        for difference in self.differences(entity, id)? {
            difference.apply(entity, &mut members);
        }
        let order = self.copied_order(entity)?;
        members.sort_by_cached_key(|(name, _)| order.iter().position(|known| known == name).unwrap_or(usize::MAX));
        for (index, (name, value)) in members.iter().enumerate() {
            let lead = if index == 0 { '{' } else { ',' };
            out.extend_from_slice(format!("{lead}{}:{value}", Json::from(name.as_str())).as_bytes());
        }
        out.push(b'}');
        Ok(())
    }

    fn differences(&self, entity: &Entity, id: i64) -> SqlResult<Vec<Difference>> {
        let sql = "SELECT name, served, baseline FROM copied_members WHERE collection = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((entity.name, id), |row| {
            Ok(Difference { name: row.get(0)?, served: row.get(1)?, baseline: row.get(2)? })
        })?;
        rows.collect()
    }

    fn copied_order(&self, entity: &Entity) -> SqlResult<Vec<String>> {
        let sql = "SELECT names FROM copied_order WHERE collection = ?1";
        let names: Option<String> = self.first(sql, [entity.name], |row| row.get(0))?;
        Ok(names.and_then(|names| serde_json::from_str(&names).ok()).unwrap_or_default())
    }

    /// Serves the sandbox's own values of these fields from now on: they were written.
    pub(super) fn forget_differences<'f>(
        &self,
        entity: &Entity,
        id: i64,
        fields: impl Iterator<Item = &'f str>,
    ) -> SqlResult<()> {
        if !self.is_copy {
            return Ok(());
        }
        for field in fields {
            let sql = "DELETE FROM copied_members WHERE collection = ?1 AND id = ?2 AND name = ?3";
            self.execute(sql, (entity.name, id, field))?;
        }
        Ok(())
    }

    /// Whether some of a copied item is checked out, to whomever.
    pub(super) fn is_counted_out(&self, entity: &Entity, id: i64) -> SqlResult<bool> {
        match facts::stock_model(entity.name) {
            Some(StockModel::Stock(_) | StockModel::Seats(_)) if self.is_copy => {
                self.any(&format!("SELECT 1 FROM {} WHERE id = ?1 AND checked_out > 0", entity.name), [id])
            }
            _ => Ok(false),
        }
    }

    /// Whether a copied holder has more than the sandbox knows of, by the account's counts.
    pub(super) fn holds_by_count(&self, entity: &Entity, id: i64) -> SqlResult<bool> {
        let counts = facts::COUNTS.iter().filter(|(collection, _)| *collection == entity.name && self.is_copy);
        for (collection, name) in counts {
            let sql = "SELECT 1 FROM copied_members WHERE collection = ?1 AND id = ?2 AND name = ?3 \
                       AND CAST(served AS INTEGER) > CAST(baseline AS INTEGER)";
            if self.any(sql, (collection, id, name))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether audits of the copied account name that user: no endpoint lists the users.
    pub(super) fn is_copied_user(&self, id: i64) -> SqlResult<bool> {
        Ok(self.is_copy && self.any("SELECT 1 FROM audits WHERE user_id = ?1 LIMIT 1", [id])?)
    }
}

impl Difference {
    fn apply(self, entity: &Entity, members: &mut Vec<(String, String)>) {
        let position = members.iter().position(|(name, _)| *name == self.name);
        let own = position.and_then(|position| members.get(position)).map(|(_, value)| value.clone());
        let served = if own == self.baseline { self.served } else { self.moved_count(entity, own.as_deref()).or(own) };
        match (position, served) {
            (Some(position), Some(served)) => members[position].1 = served,
            (Some(position), None) => drop(members.remove(position)),
            (None, Some(served)) => members.push((self.name, served)),
            (None, None) => {}
        }
    }

    /// A count that goes on from the account's: it moves by as much as the sandbox's own.
    fn moved_count(&self, entity: &Entity, own: Option<&str>) -> Option<String> {
        if !facts::COUNTS.contains(&(entity.name, &self.name)) {
            return None;
        }
        let number = |text: Option<&str>| text?.parse::<i64>().ok();
        let (served, baseline) = (number(self.served.as_deref())?, number(self.baseline.as_deref())?);
        Some(served.checked_add(number(own)?)?.checked_sub(baseline)?.to_string())
    }
}

/// The columns that no client can write: what is checked out, the kind of a license, the manager of an employee.
fn set_hidden(entity: &Entity, record: &CopiedRecord<'_>, columns: &mut Vec<(&'static str, Value)>) {
    match facts::stock_model(entity.name) {
        Some(StockModel::Stock(capacity) | StockModel::Seats(capacity)) => set_stock(record, capacity, columns),
        Some(StockModel::Single) | None => {}
    }
    for (collection, definition) in facts::HIDDEN_COLUMNS.iter().filter(|(collection, _)| *collection == entity.name) {
        let Some(name) = definition.split(' ').next() else { continue };
        let json = record.value(name);
        match (*collection, name) {
            ("licenses", "license_type") => columns.extend(text(&json).map(|text| (name, Value::Text(text)))),
            ("employees", "manager_id") => columns.extend(integer(&json).map(|id| (name, Value::Integer(id)))),
            _ => {}
        }
    }
}

/// What is checked out is the difference between what there is and what is left. Where the account tells only what is
/// left, that is all there is.
fn set_stock(record: &CopiedRecord<'_>, capacity: &str, columns: &mut Vec<(&'static str, Value)>) {
    let available = integer(&record.value("available"));
    let Some((_, total)) = columns.iter_mut().find(|(name, _)| *name == capacity) else { return };
    let checked_out = match (&*total, available) {
        (Value::Integer(total), Some(available)) => total.saturating_sub(available),
        (_, Some(available)) => {
            *total = Value::Integer(available);
            0
        }
        (_, None) => 0,
    };
    columns.push(("checked_out", Value::Integer(checked_out)));
}

/// The members of a record that the sandbox wrote.
fn members(json: &[u8]) -> Vec<(String, &str)> {
    let text = std::str::from_utf8(json).unwrap_or_default();
    super::super::copy::split(text).unwrap_or_default()
}
