//! References between records: whether the targets of a body exist, and whether a record is still in use.

use axum::http::StatusCode;
use rusqlite::Result as SqlResult;
use rusqlite::types::{Value, ValueRef};

use super::super::facts;
use super::super::refusal::{FieldErrors, Refusal};
use super::super::rules::ParsedBody;
use super::record_store::{AccountId, RecordStore, StoreResult};
use super::tables::pointing_at;
use crate::schema::{ACTIONS, Entity, Kind, Reference, Role, Verb, Wire};

impl RecordStore {
    /// Checks that every record and user the body refers to exists, and turns asset tags into system ids.
    pub(super) fn resolve(&self, account: AccountId, draft: &mut ParsedBody) -> SqlResult<()> {
        for (index, field) in draft.entity.fields.iter().enumerate() {
            if let (Kind::User, Some(Value::Integer(id))) = (field.kind, &draft.values[index]) {
                if facts::user_email(*id).is_none() && !self.is_copied_user(*id)? {
                    draft.errors.add(field.name, format!("there is no user `{id}`"));
                }
                continue;
            }
            let (Some(reference), Some(value)) = (field.reference_to(), &draft.values[index]) else { continue };
            let found = match (reference.wire, value) {
                (Wire::Id, Value::Integer(id)) => self.by_id(account, reference, *id)?,
                (Wire::Tag, Value::Text(tag)) => self.by_tag(account, reference, tag)?,
                _ => continue,
            };
            match found {
                Ok(id) => draft.values[index] = Some(Value::Integer(id)),
                Err(error) => draft.errors.add(field.name, error),
            }
        }
        Ok(())
    }

    fn by_id(&self, account: AccountId, reference: Reference, id: i64) -> SqlResult<Result<i64, String>> {
        let (field, wanted) = reference.narrowed.unwrap_or(("id", ""));
        let sql = format!("SELECT \"{field}\" FROM {} WHERE id = ?1 AND tenant = ?2", reference.to);
        let held = self.first(&sql, (id, account.0), |row| {
            let held = row.get_ref(0)?;
            Ok((
                reference.narrowed.is_none() || held == ValueRef::Text(wanted.as_bytes()),
                held.as_str().unwrap_or_default().to_owned(),
            ))
        })?;
        let one = self.tables.named(reference.to).entity.singular;
        Ok(match held {
            None => Err(format!("there is no {one} `{id}`")),
            Some((false, held)) => Err(format!("must be of the {field} `{wanted}`, {one} `{id}` is `{held}`")),
            Some((true, _)) => Ok(id),
        })
    }

    fn by_tag(&self, account: AccountId, reference: Reference, tag: &str) -> SqlResult<Result<i64, String>> {
        let sql = format!("SELECT id FROM {} WHERE tenant = ?1 AND asset_id = ?2", reference.to);
        let id = self.first(&sql, (account.0, tag), |row| row.get(0))?;
        Ok(id.ok_or_else(|| {
            format!("there is no {} with the tag `{tag}`", self.tables.named(reference.to).entity.singular)
        }))
    }

    /// Refuses to delete a record that others refer to, that is checked out, or that holds something.
    pub(super) fn refuse_if_in_use(&self, entity: &Entity, id: i64) -> StoreResult<()> {
        let mut errors = FieldErrors::default();
        for (other, field) in pointing_at(entity.name) {
            let sql = format!("SELECT 1 FROM {} WHERE \"{}\" = ?1 LIMIT 1", other.name, field.name);
            if self.any(&sql, [id])? {
                errors.add("id", format!("{} refer to it by `{}`", other.name, field.name));
            }
        }
        if can_be_checked_in(entity.name) && (self.is_out(entity.name, id)? || self.is_counted_out(entity, id)?) {
            errors.add("id", "it is checked out");
        }
        for holder in facts::HOLDERS {
            if holder_collection(holder) == Some(entity.name)
                && self.any(&format!("SELECT 1 FROM holdings WHERE {holder} = ?1 LIMIT 1"), [id])?
            {
                errors.add("id", "something is checked out to it");
            }
        }
        if self.holds_by_count(entity, id)? {
            errors.add("id", "something is checked out to it");
        }
        Ok(errors.refuse()?)
    }

    pub(super) fn is_out(&self, collection: &str, id: i64) -> SqlResult<bool> {
        self.any("SELECT 1 FROM holdings WHERE collection = ?1 AND item_id = ?2 LIMIT 1", (collection, id))
    }

    /// Refuses an update that would invalidate references to the record: the type of a category must remain what its
    /// products and accessories need.
    pub(super) fn refuse_if_referenced_otherwise(&self, id: i64, draft: &mut ParsedBody) -> SqlResult<()> {
        for (other, field) in pointing_at(draft.entity.name) {
            let Some((narrowed, wanted)) = field.reference_to().and_then(|reference| reference.narrowed) else {
                continue;
            };
            if draft.text(narrowed).is_none_or(|text| text == wanted) || draft.errors.has(narrowed) {
                continue;
            }
            let sql = format!("SELECT 1 FROM {} WHERE \"{}\" = ?1 LIMIT 1", other.name, field.name);
            if self.any(&sql, [id])? {
                draft.errors.add(narrowed, format!("must stay `{wanted}` while {} refer to it", other.name));
            }
        }
        Ok(())
    }
}

/// The collection of a holder parameter: employees for `employee_id`.
pub(super) fn holder_collection(holder: &str) -> Option<&'static str> {
    let mut fields = ACTIONS.iter().flat_map(|action| action.fields);
    fields.find(|field| field.name == holder).and_then(|field| field.reference_to()).map(|reference| reference.to)
}

/// Whether items of the collection can be checked in. Consumables cannot: they are used up.
fn can_be_checked_in(collection: &str) -> bool {
    ACTIONS.iter().any(|action| action.role == Role::Action(Verb::Checkin) && item_of(action) == Some(collection))
}

/// The collection of the item of an action, which is its first parameter.
pub(super) fn item_of(action: &Entity) -> Option<&'static str> {
    action.fields.first().and_then(|field| field.reference_to()).map(|reference| reference.to)
}

/// The refusal for an `:id` that does not exist in this account.
pub(super) fn not_found(entity: &Entity, id: i64) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("there is no {} `{id}`", entity.singular))
}
