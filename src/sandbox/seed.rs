//! The sample records of a new account, for sheets to refer to.
//!
//! They are in `seed.json`, where a reference is the name of an earlier record. They are created like those of a client, by
//! the same rules and in the order of the file, so that their ids are the same in every new single-tenant sandbox.

use hashbrown::HashMap;
use serde::Deserialize;
use serde_json::Value as Json;

use super::body::JsonBody;
use super::error::SandboxError;
use super::store::{AccountId, RecordStore, StoreFailure, StoreReply};
use crate::schema::{self, Entity};

const SAMPLES: &str = include_str!("seed.json");

/// The only license of the type "Product Key": no endpoint can create another.
const KEYED_LICENSE: &str = "Office Home & Business 2024";

/// Its product keys, one per seat.
pub(super) const PRODUCT_KEYS: &[&str] = &["OHB24-AAAAA-11111", "OHB24-BBBBB-22222", "OHB24-CCCCC-33333"];

/// Employees and their managers, which no endpoint can set.
const MANAGERS: &[(&str, &str)] = &[("Grace Murray", "Ada Byron"), ("Noor Haddad", "Ada Byron")];

#[derive(Debug, Deserialize)]
struct SampleCollection {
    collection: String,
    records: Vec<JsonBody>,
}

/// The ids of the records created so far, by collection and name.
#[derive(Debug, Default)]
struct SampleIds(HashMap<(&'static str, String), i64>);

/// Creates the sample records of an account.
pub(super) fn fill(store: &mut RecordStore, account: AccountId) -> Result<(), SandboxError> {
    let samples: Vec<SampleCollection> = serde_json::from_str(SAMPLES).map_err(|error| invalid(&error.to_string()))?;
    let mut ids = SampleIds::default();
    for SampleCollection { collection, records } in samples {
        let entity = schema::collection(&collection).ok_or_else(|| invalid(&format!("no `{collection}`")))?;
        for mut record in records {
            ids.resolve_references(entity, &mut record)?;
            let name = record.0.iter().find(|(field, _)| field == "name").and_then(|(_, name)| name.as_str());
            let name = name.unwrap_or_default().to_owned();
            ids.0.insert((entity.name, name), create(store, account, entity, &record)?);
        }
    }
    store.set_product_keys(account, ids.get("licenses", KEYED_LICENSE)?, PRODUCT_KEYS)?;
    for (employee, manager) in MANAGERS {
        store.set_manager(ids.get("employees", employee)?, ids.get("employees", manager)?)?;
    }
    Ok(())
}

impl SampleIds {
    fn get(&self, collection: &'static str, name: &str) -> Result<i64, SandboxError> {
        let id = self.0.get(&(collection, name.to_owned()));
        id.copied().ok_or_else(|| invalid(&format!("no `{name}` in `{collection}`")))
    }

    /// Replaces the names of referenced records by their ids.
    fn resolve_references(&self, entity: &Entity, record: &mut JsonBody) -> Result<(), SandboxError> {
        for (field, value) in &mut record.0 {
            let reference = entity.field(field).and_then(|field| field.reference_to());
            if let (Some(reference), Some(name)) = (reference, value.as_str()) {
                *value = self.get(reference.to, name)?.into();
            }
        }
        Ok(())
    }
}

fn create(
    store: &mut RecordStore,
    account: AccountId,
    entity: &'static Entity,
    body: &JsonBody,
) -> Result<i64, SandboxError> {
    match store.create(account, entity, body) {
        Ok(reply) => id_of(&reply),
        Err(StoreFailure::Broken(error)) => Err(error.into()),
        Err(StoreFailure::Refused(refusal)) => Err(invalid(&String::from_utf8_lossy(&refusal.body()))),
    }
}

fn id_of(reply: &StoreReply) -> Result<i64, SandboxError> {
    let record: Option<Json> = serde_json::from_slice(&reply.body).ok();
    let id = record.and_then(|record| record["id"].as_i64());
    id.ok_or_else(|| invalid("a record without an id"))
}

fn invalid(reason: &str) -> SandboxError {
    SandboxError::Seed(reason.to_owned())
}
