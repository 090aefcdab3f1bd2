//! One step: the call, and what came of it.

use serde_json::Value as Json;

use super::outcome::{Fault, StepEnd};
use crate::api::{Body, Client, record_id};
use crate::plan::{Step, WriteKind};
use crate::schema::Entity;

/// Makes the request of one step whose awaited fields are filled in.
pub(super) async fn perform(client: &Client, step: Step) -> (Step, Result<StepEnd, Fault>) {
    let Some(entity) = step.entity() else {
        let entity_is_gone = Fault::Internal(format!("step {} names no known entity", step.number));
        return (step, Err(entity_is_gone));
    };
    let end = match step.write {
        WriteKind::Create => create(client, entity, &step.body).await,
        WriteKind::Update(id) => client.update(entity, id, &step.body).await.map(|_| StepEnd { id: Some(id) }),
        WriteKind::Delete(id) => client.delete(entity, id).await.map(|()| StepEnd { id: Some(id) }),
    };
    (step, end.map_err(Fault::Write))
}

async fn create(client: &Client, entity: &'static Entity, body: &Body) -> Result<StepEnd, crate::api::WriteFailure> {
    let written = client.create(entity, body).await?;
    // An action's reply may carry the id of anything; only a collection's is the record's.
    if !entity.is_collection() {
        return Ok(StepEnd { id: None });
    }
    match written.id {
        Some(id) => Ok(StepEnd { id: Some(id) }),
        None => Ok(StepEnd { id: look_up(client, entity, body).await }),
    }
}

/// The id of a record whose create succeeded without telling it: found by its natural key, if by that alone.
async fn look_up(client: &Client, entity: &'static Entity, body: &Body) -> Option<i64> {
    let texts: Vec<(&str, String)> = entity
        .filters()
        .filter(|field| entity.key.contains(&field.name))
        .filter_map(|field| Some((field.name, filter_text(body.get(field.name)?)?)))
        .collect();
    if texts.is_empty() {
        return None;
    }
    let filters: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    match client.page(entity, &filters, 0, 2).await.ok()?.as_slice() {
        [only] => record_id(only),
        _ => None,
    }
}

fn filter_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
