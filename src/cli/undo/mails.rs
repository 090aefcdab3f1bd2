//! The e-mails that checkouts of an undo send (design rule 15).

use std::collections::{BTreeSet, HashSet};

use serde_json::Value as Json;

use super::fetch::fetch_more;
use super::shown::collection_of;
use crate::api::Body;
use crate::catalog::RecordSource;
use crate::plan::undo::{CurrentState, UndoDecision, UndoItem};
use crate::schema::{self, Entity, Role, Verb};

/// A checkout to an employee, and what is checked out.
struct HandedOut {
    employee: i64,
    item: (&'static Entity, i64),
}

/// How many e-mails the checkouts send, and to how many people. The categories are asked for where there are any.
///
/// # Errors
/// Where the service cannot be read.
pub(super) async fn count<P: RecordSource>(
    pages: &P,
    items: &[UndoItem],
    present: &mut CurrentState,
) -> Result<(u64, u64), P::Error> {
    let handed_out: Vec<HandedOut> = items.iter().filter_map(handed_out).collect();
    // An asset has its category from its product (field notes): what does not tell the one itself tells the other.
    for field in [CATEGORY, PRODUCT, CATEGORY] {
        let Some(collection) = named_by(field) else { continue };
        let linked = |out: &HandedOut| match field {
            CATEGORY => category_of(present, out.item),
            _ => link(present, out.item, field),
        };
        let wanted: BTreeSet<i64> = handed_out.iter().filter_map(linked).collect();
        fetch_more(pages, collection, wanted, present).await?;
    }
    let mails = |out: &&HandedOut| {
        let category = category_of(present, out.item).zip(named_by(CATEGORY));
        let record = category.and_then(|(id, collection)| present.record((collection.name, id)));
        record.is_some_and(|record| record.get("checkout_email") == Some(&Json::Bool(true)))
    };
    let mailed: Vec<&HandedOut> = handed_out.iter().filter(mails).collect();
    let people: HashSet<i64> = mailed.iter().map(|out| out.employee).collect();
    Ok((mailed.len() as u64, people.len() as u64))
}

const CATEGORY: &str = "category_id";
const PRODUCT: &str = "product_id";

/// The collection that a field refers to, whatever record it is in.
fn named_by(field: &str) -> Option<&'static Entity> {
    let reference = schema::COLLECTIONS.iter().find_map(|entity| entity.field(field)?.reference_to())?;
    schema::collection(reference.to)
}

fn handed_out(item: &UndoItem) -> Option<HandedOut> {
    let UndoDecision::Undo(write_back) = &item.decision else { return None };
    let is_checkout = item.entity.role == Role::Action(Verb::Checkout);
    let employee = write_back.body.get("employee_id").filter(|_| is_checkout)?.as_i64()?;
    Some(HandedOut { employee, item: (collection_of(item.entity), item.record?) })
}

fn category_of(present: &CurrentState, item: (&'static Entity, i64)) -> Option<i64> {
    link(present, item, CATEGORY).or_else(|| {
        let product = (named_by(PRODUCT)?, link(present, item, PRODUCT)?);
        link(present, product, CATEGORY)
    })
}

fn link(present: &CurrentState, (entity, id): (&'static Entity, i64), field: &str) -> Option<i64> {
    let record: &Body = present.record((entity.name, id))?;
    record.get(field)?.as_i64()
}
