//! Check-ins and check-outs of stock and seats that were made since the plan (design rule 11). An asset says itself where
//! it is; of everything else only the journals of this machine and the activity log can tell.

use super::changed::holder_name;
use super::{ProposedStep, StepDecision, existing};
use crate::catalog::{Catalog, LookupRequest, RecordRef};
use crate::plan::{ActionRequest, PriorAction, PriorActions, Step, repeated};
use crate::schema;

/// What the approved steps ask for.
pub(super) fn requests(steps: &[ProposedStep], catalog: &Catalog) -> Vec<ActionRequest> {
    let approved = steps.iter().filter(|proposed| proposed.is_approved && proposed.entity.is_action());
    approved.filter_map(|proposed| request(&proposed.step()?, catalog)).collect()
}

/// Asks for the assets that get something out of stock: their tags are sent, and the log shows their ids.
pub(super) fn look_up_holders(lookups: &mut LookupRequest, step: &Step) {
    let of_stock = step.entity.item().and_then(|(_, reference)| schema::collection(reference.to));
    if of_stock.is_some_and(|item| !item.is_tagged()) {
        step.entity.holders().for_each(|holder| existing::look_up_tag(lookups, step, holder));
    }
}

fn request(step: &Step, catalog: &Catalog) -> Option<ActionRequest> {
    ActionRequest::of_step(catalog, step).filter(|request| !request.is_of_tagged_item())
}

/// Decides a step whose action has been done since the plan was made, or may have been.
pub(super) fn decide(step: &Step, catalog: &Catalog, prior_actions: &mut dyn PriorActions) -> Option<StepDecision> {
    let request = request(step, catalog)?;
    let prior = prior_actions.take(&request);
    if let PriorAction::Done { run } = prior {
        return Some(StepDecision::AlreadyDone { message: format!("done by run {run}") });
    }
    let item = catalog.describe(request.collection, RecordRef::Known(request.item.id));
    let holder = request
        .holder
        .as_ref()
        .and_then(|(name, holder)| Some(holder_name(catalog, step.entity.field(name)?.reference_to()?.to, holder.id)));
    let mut error = repeated(&prior, &request, (&item, holder.as_deref()))?;
    error.hint = Some(match prior {
        PriorAction::Unresolved { run } => {
            format!("run `tallyport resume {run}` to find out, then make the plan again").into()
        }
        _ => "make the plan again: leave the row out if it was, or pass --repeat to plan it all the same".into(),
    });
    Some(StepDecision::Rejected(Box::new(error.at(None, ""))))
}
