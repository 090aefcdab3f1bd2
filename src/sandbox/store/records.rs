//! List, read, create, update and delete records.

use axum::http::StatusCode;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Result as SqlResult, ToSql, params_from_iter};

use super::super::body::JsonBody;
use super::super::facts::{self, StockModel};
use super::super::query::ListQuery;
use super::super::rules::{self, BodyPurpose, ParsedBody};
use super::activity::LogEvent;
use super::record_store::{AccountId, RecordStore, StoreReply, StoreResult, write_row};
use super::references::not_found;
use super::tables::RecordTable;
use crate::schema::{self, Entity};

impl RecordStore {
    /// A page of records as a JSON array.
    pub(crate) fn list(&self, account: AccountId, entity: &'static Entity, listing: &ListQuery) -> StoreResult {
        let table = self.tables.of(entity);
        // Ids first, then each record by its id, so that a page deep in a long list computes nothing for earlier
        // records.
        let ids = self.page(account, table, listing)?;
        let mut body = Vec::with_capacity(512 * ids.len() + 2);
        body.push(b'[');
        for (position, id) in ids.into_iter().enumerate() {
            if position > 0 {
                body.push(b',');
            }
            self.write_record(account, table, id, &mut body)?;
        }
        body.push(b']');
        Ok(StoreReply { status: StatusCode::OK, body })
    }

    fn page(&self, account: AccountId, table: &RecordTable, listing: &ListQuery) -> SqlResult<Vec<i64>> {
        let mut sql = format!("SELECT r.id FROM {} r WHERE r.tenant = ?1", table.entity.name);
        let mut values: Vec<&dyn ToSql> = vec![&account.0];
        for (field, value) in &listing.filters {
            // A test of `tables` ensures that every documented filter has SQL; one without would find nothing.
            let filter = table.filter(field).unwrap_or_else(|| "? IS NULL".into());
            sql.push_str(&format!(" AND {filter}"));
            values.push(value);
        }
        let direction = listing.order.sql();
        let sort = table.sort(listing.sort).unwrap_or_else(|| "r.id".into());
        sql.push_str(&format!(" ORDER BY {sort} {direction}, r.id {direction} LIMIT ? OFFSET ?"));
        values.push(&listing.limit);
        values.push(&listing.offset);
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map(&values[..], |row| row.get(0))?.collect()
    }

    pub(crate) fn read(&self, account: AccountId, entity: &'static Entity, id: i64) -> StoreResult {
        self.reply(account, entity, id, StatusCode::OK)
    }

    pub(super) fn reply(&self, account: AccountId, entity: &Entity, id: i64, status: StatusCode) -> StoreResult {
        let mut body = Vec::with_capacity(1024);
        if !self.write_record(account, self.tables.of(entity), id, &mut body)? {
            return Err(not_found(entity, id).into());
        }
        Ok(StoreReply { status, body })
    }

    /// Writes the record as JSON; false if it does not exist.
    fn write_record(&self, account: AccountId, table: &RecordTable, id: i64, out: &mut Vec<u8>) -> SqlResult<bool> {
        if !self.is_copy {
            let written = self.first(&table.select, (id, account.0), |row| write_row(row, &table.columns, out))?;
            return Ok(written.is_some());
        }
        let mut own = Vec::with_capacity(1024);
        let written = self.first(&table.select, (id, account.0), |row| write_row(row, &table.columns, &mut own))?;
        if written.is_some() {
            self.write_copied(table.entity, id, &own, out)?;
        }
        Ok(written.is_some())
    }

    pub(crate) fn create(&mut self, account: AccountId, entity: &'static Entity, body: &JsonBody) -> StoreResult {
        let mut draft = rules::read(entity, BodyPurpose::Create, body);
        self.resolve(account, &mut draft)?;
        self.refuse_duplicates(account, None, &mut draft)?;
        std::mem::take(&mut draft.errors).refuse()?;
        let id = self.insert(account, &draft)?;
        self.reply(account, entity, id, StatusCode::CREATED)
    }

    fn insert(&mut self, account: AccountId, draft: &ParsedBody) -> SqlResult<i64> {
        let table = self.tables.of(draft.entity);
        let time = self.clock.read(Timestamp::now()).to_owned();
        let mut statement = self.connection.prepare_cached(&table.insert)?;
        statement.raw_bind_parameter(1, account.0)?;
        statement.raw_bind_parameter(2, &time)?;
        for (position, index) in table.written.iter().enumerate() {
            statement.raw_bind_parameter(position + 3, draft.values[*index].as_ref().unwrap_or(&Value::Null))?;
        }
        statement.raw_execute()?;
        let id = self.connection.last_insert_rowid();
        drop(statement);
        self.clock.mark(draft.entity.name, id);
        self.log_change(account, draft, id, "Create", &time)?;
        Ok(id)
    }

    pub(crate) fn update(
        &mut self,
        account: AccountId,
        entity: &'static Entity,
        id: i64,
        body: &JsonBody,
    ) -> StoreResult {
        self.refuse_missing(account, entity, id)?;
        let mut draft = rules::read(entity, BodyPurpose::Update { id }, body);
        self.resolve(account, &mut draft)?;
        self.refuse_duplicates(account, Some(id), &mut draft)?;
        self.refuse_if_referenced_otherwise(id, &mut draft)?;
        self.refuse_shortage(id, &mut draft)?;
        std::mem::take(&mut draft.errors).refuse()?;
        let time = self.change(&draft, id)?;
        self.log_change(account, &draft, id, "Update", &time)?;
        self.reply(account, entity, id, StatusCode::OK)
    }

    /// Writes only the given fields, so that only their indexes change.
    fn change(&mut self, draft: &ParsedBody, id: i64) -> SqlResult<String> {
        let entity = draft.entity;
        let time = self.clock.stamp(Timestamp::now(), entity.name, id).to_owned();
        let given = entity.fields.iter().zip(&draft.values);
        let given: Vec<_> = given.filter_map(|(field, value)| Some((field.name, value.as_ref()?))).collect();
        let assignments: String = given.iter().map(|(name, _)| format!(", \"{name}\" = ?")).collect();
        let sql = format!("UPDATE {} SET updated_at = ?2{assignments} WHERE id = ?1", entity.name);
        let mut values: Vec<&dyn ToSql> = vec![&id, &time];
        values.extend(given.iter().map(|(_, value)| *value as &dyn ToSql));
        self.execute(&sql, params_from_iter(values))?;
        self.forget_differences(entity, id, given.iter().map(|(name, _)| *name))?;
        Ok(time)
    }

    pub(crate) fn delete(&mut self, account: AccountId, entity: &'static Entity, id: i64) -> StoreResult {
        self.refuse_missing(account, entity, id)?;
        self.refuse_if_in_use(entity, id)?;
        let time = self.clock.stamp(Timestamp::now(), entity.name, id).to_owned();
        self.execute("DELETE FROM holdings WHERE collection = ?1 AND item_id = ?2", (entity.name, id))?;
        let event = LogEvent { asset_id: self.asset_concerned(entity, id)?, ..LogEvent::new(entity, "Delete", id) };
        self.execute(&format!("DELETE FROM {} WHERE id = ?1", entity.name), [id])?;
        self.execute("DELETE FROM copied_members WHERE collection = ?1 AND id = ?2", (entity.name, id))?;
        self.log(account, &event, &time)?;
        Ok(StoreReply { status: StatusCode::NO_CONTENT, body: Vec::new() })
    }

    fn refuse_missing(&self, account: AccountId, entity: &Entity, id: i64) -> StoreResult<()> {
        let sql = format!("SELECT 1 FROM {} WHERE id = ?1 AND tenant = ?2", entity.name);
        match self.any(&sql, (id, account.0))? {
            true => Ok(()),
            false => Err(not_found(entity, id).into()),
        }
    }

    /// Adds an error for each unique value that another record of the account already has.
    fn refuse_duplicates(&self, account: AccountId, own: Option<i64>, draft: &mut ParsedBody) -> SqlResult<()> {
        for unique in facts::UNIQUE.iter().filter(|unique| unique.collection == draft.entity.name) {
            let Some(text) = draft.text(unique.field) else { continue };
            let sql = format!(
                "SELECT id FROM {} WHERE tenant = ?1 AND {} = ?2 COLLATE {}",
                unique.collection, unique.field, unique.collation
            );
            let other: Option<i64> = self.first(&sql, (account.0, text), |row| row.get(0))?;
            if let Some(other) = other.filter(|other| own != Some(*other)) {
                let error = format!("`{text}` is taken by {} `{other}`", draft.entity.singular);
                draft.errors.add(unique.field, error);
            }
        }
        Ok(())
    }

    /// Refuses a quantity below what is checked out, and any change of the seats of a license with product keys.
    fn refuse_shortage(&self, id: i64, draft: &mut ParsedBody) -> SqlResult<()> {
        let (field, keyed) = match facts::stock_model(draft.entity.name) {
            Some(StockModel::Stock(field)) => (field, false),
            Some(StockModel::Seats(field)) => (field, self.has_keys(id)?),
            Some(StockModel::Single) | None => return Ok(()),
        };
        if draft.value(field).is_none() || draft.errors.has(field) {
            return Ok(());
        }
        let sql = format!("SELECT checked_out FROM {} WHERE id = ?1", draft.entity.name);
        let out: i64 = self.first(&sql, [id], |row| row.get(0))?.unwrap_or(0);
        if keyed {
            draft.errors.add(field, "only works for Dynamic licenses");
        } else if draft.integer(field).unwrap_or(0) < out {
            draft.errors.add(field, format!("must be at least `{out}`, which is how many are checked out"));
        }
        Ok(())
    }

    /// Whether it is a license of the type "Product Key".
    pub(super) fn has_keys(&self, license: i64) -> SqlResult<bool> {
        self.any("SELECT 1 FROM licenses WHERE id = ?1 AND license_type = 'Product Key'", [license])
    }

    // No endpoint sets product keys and managers, which some of the sample records have.

    /// Turns a license into one of the type "Product Key", with a seat for each key.
    pub(crate) fn set_product_keys(&mut self, account: AccountId, license: i64, keys: &[&str]) -> SqlResult<()> {
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

    pub(crate) fn set_manager(&mut self, employee: i64, manager: i64) -> SqlResult<()> {
        self.execute("UPDATE employees SET manager_id = ?2 WHERE id = ?1", (employee, manager))
    }
}
