//! The activity log: an entry for every event of the logged collections. Guide: section "Activity".

use axum::http::StatusCode;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Result as SqlResult, Row, ToSql};

use super::super::facts::{self, JsonForm};
use super::super::query::ListQuery;
use super::super::rules::ParsedBody;
use super::record_store::{AccountId, RecordStore, StoreReply, StoreResult, write_value};
use crate::schema::{self, ACTIVITY, Entity, Field, Wire};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LogEvent<'a> {
    /// The `type` of the entry; none if the collection is not logged.
    pub(super) logged: Option<&'static str>,
    pub(super) name: &'static str,
    pub(super) item_id: i64,
    /// The user who did it.
    pub(super) user_id: i64,
    pub(super) employee_id: Option<i64>,
    pub(super) location_id: Option<i64>,
    pub(super) asset_id: Option<i64>,
    pub(super) quantity: Option<i64>,
    pub(super) notes: Option<&'a str>,
}

impl LogEvent<'_> {
    pub(super) fn new(entity: &Entity, name: &'static str, item_id: i64) -> Self {
        let logged = entity.log_type();
        Self { logged, name, item_id, user_id: facts::KEY_OWNER, ..Self::default() }
    }
}

/// The columns that every entry has. `user_email` and the id under its own name are derived from these.
const COLUMNS: &[&str] = &[
    "timestamp", "type", "event", "item_id", "user_id", "employee_id", "employee_email", "location_id", "asset_id",
    "quantity", "notes",
];

impl RecordStore {
    /// Logs that a record was created or updated, and an event for each flag that was set.
    pub(super) fn log_change(
        &self,
        account: AccountId,
        draft: &ParsedBody,
        id: i64,
        name: &'static str,
        time: &str,
    ) -> SqlResult<()> {
        let entity = draft.entity;
        let event = LogEvent { asset_id: self.asset_concerned(entity, id)?, ..LogEvent::new(entity, name, id) };
        self.log(account, &event, time)?;
        for (_, field, name) in facts::FLAG_EVENTS.iter().filter(|(collection, ..)| *collection == entity.name) {
            if draft.integer(field) == Some(1) {
                self.log(account, &LogEvent { name, ..event }, time)?;
            }
        }
        Ok(())
    }

    /// The asset that a logged record is or belongs to.
    pub(super) fn asset_concerned(&self, entity: &Entity, id: i64) -> SqlResult<Option<i64>> {
        if entity.log_type().is_none() {
            return Ok(None);
        }
        if entity.name == ASSETS {
            return Ok(Some(id));
        }
        let tag = |field: &&Field| field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag);
        let Some(field) = entity.fields.iter().find(tag) else { return Ok(None) };
        self.first(&format!("SELECT \"{}\" FROM {} WHERE id = ?1", field.name, entity.name), [id], |row| row.get(0))
    }

    pub(super) fn log(&self, account: AccountId, event: &LogEvent<'_>, time: &str) -> SqlResult<()> {
        let Some(logged) = event.logged else { return Ok(()) };
        self.execute(
            "INSERT INTO activity (tenant, timestamp, type, event, item_id, user_id, employee_id, employee_email, \
             location_id, asset_id, quantity, notes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT email FROM employees WHERE id = ?7), ?8, ?9, ?10, ?11)",
            rusqlite::params![
                account.0, time, logged, event.name, event.item_id, event.user_id, event.employee_id,
                event.location_id, event.asset_id, event.quantity, event.notes,
            ],
        )
    }

    /// A page of the log as a JSON array.
    pub(crate) fn activity(&self, account: AccountId, listing: &ListQuery) -> StoreResult {
        let mut sql = format!("SELECT {} FROM activity WHERE tenant = ?1", COLUMNS.join(", "));
        let user_ids: Vec<Value> = listing.filters.iter().map(|(_, value)| user_by_email(value)).collect();
        let mut values: Vec<&dyn ToSql> = vec![&account.0];
        for ((field, value), user_id) in listing.filters.iter().zip(&user_ids) {
            sql.push_str(&format!(" AND {}", filter(field)));
            values.push(if field.name == "user_email" { user_id } else { value });
        }
        // The clock never goes backwards, so the order of insertion is the order of time.
        sql.push_str(&format!(" ORDER BY seq {} LIMIT ? OFFSET ?", listing.order.sql()));
        values.push(&listing.limit);
        values.push(&listing.offset);
        let own_ids: Vec<_> = own_ids().collect();
        let mut body = Vec::from(*b"[");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(&values[..])?;
        while let Some(row) = rows.next()? {
            if body.len() > 1 {
                body.push(b',');
            }
            write_entry(row, &own_ids, &mut body)?;
        }
        body.push(b']');
        Ok(StoreReply { status: StatusCode::OK, body })
    }
}

const ASSETS: &str = "assets";

/// The SQL condition of a filter, with one `?` for the value.
fn filter(field: &Field) -> String {
    match (field.name, field.reference_to()) {
        ("date_from", _) => "timestamp >= ?".into(),
        ("date_to", _) => "timestamp <= ? || 'T23:59:59.999Z'".into(),
        ("user_email", _) => "user_id = ?".into(),
        (name, Some(reference)) => match schema::collection(reference.to).and_then(Entity::log_type) {
            Some(logged) if reference.to != ASSETS => format!("type = '{logged}' AND item_id = ?"),
            _ => format!("{name} = ?"),
        },
        (name, None) => format!("{name} = ?"),
    }
}

fn user_by_email(email: &Value) -> Value {
    let Value::Text(email) = email else { return Value::Null };
    let user = facts::USERS.iter().find(|user| user.email == email);
    user.map_or(Value::Null, |user| Value::Integer(user.id))
}

/// The parameters in which entries also have the id of their item, such as `license_id`, with the `type` of the entry.
fn own_ids() -> impl Iterator<Item = (&'static str, &'static str)> {
    let logged = |field: &'static Field| {
        let item = field.reference_to().filter(|reference| reference.to != ASSETS)?.to;
        Some((field.name, schema::collection(item)?.log_type()?))
    };
    ACTIVITY.filters().filter_map(logged)
}

fn write_entry(row: &Row<'_>, own_ids: &[(&str, &str)], out: &mut Vec<u8>) -> SqlResult<()> {
    out.push(b'{');
    for (index, name) in COLUMNS.iter().enumerate() {
        out.extend_from_slice(format!("\"{name}\":").as_bytes());
        write_value(row.get_ref(index)?, JsonForm::Plain, out);
        out.push(b',');
    }
    let logged: String = row.get("type")?;
    for (parameter, other) in own_ids {
        out.extend_from_slice(format!("\"{parameter}\":").as_bytes());
        let own = if logged == *other { row.get_ref("item_id")? } else { ValueRef::Null };
        write_value(own, JsonForm::Plain, out);
        out.push(b',');
    }
    let email = facts::user_email(row.get("user_id")?).unwrap_or_default();
    out.extend_from_slice(format!("\"user_email\":\"{email}\"}}").as_bytes());
    Ok(())
}
