//! One step: the call, and what came of it.

use super::outcome::{Fault, StepEnd};
use super::recover::find_created;
use crate::api::{Body, Client};
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
        // The record is there: that it cannot be found fails nothing but steps that need its id.
        None => Ok(StepEnd { id: find_created(client, entity, body).await.unwrap_or_default() }),
    }
}
