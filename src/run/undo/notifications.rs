//! The e-mails that checkouts of an undo send (design rule 15).

use std::collections::{BTreeSet, HashSet};

use serde_json::Value as Json;

use super::fetch::fetch_more;
use crate::api::Body;
use crate::catalog::RecordSource;
use crate::plan::undo::{CurrentState, UndoDecision, UndoItem, item_collection};
use crate::schema::{self, Entity, NotificationRule};

/// A checkout to an employee, and what is checked out.
struct EmployeeCheckout {
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
    let checkouts: Vec<EmployeeCheckout> = items.iter().filter_map(employee_checkout).collect();
    let Some(rule) = schema::notification_rule() else { return Ok((0, 0)) };
    // An asset has its category from its product (field notes): either may have to be fetched for the other.
    let (via, product) = rule.via;
    for collection in [rule.collection, product, rule.collection] {
        let linked = |out: &EmployeeCheckout| {
            if collection.name == product.name {
                link(present, out.item, via)
            } else {
                category_of(rule, present, out.item)
            }
        };
        let wanted: BTreeSet<i64> = checkouts.iter().filter_map(linked).collect();
        fetch_more(pages, collection, wanted, present).await?;
    }
    let mails = |out: &&EmployeeCheckout| {
        let category = category_of(rule, present, out.item);
        let record = category.and_then(|id| present.record((rule.collection.name, id)));
        record.is_some_and(|record| record.get(rule.flag) == Some(&Json::Bool(true)))
    };
    let mailed: Vec<&EmployeeCheckout> = checkouts.iter().filter(mails).collect();
    let people: HashSet<i64> = mailed.iter().map(|out| out.employee).collect();
    Ok((mailed.len() as u64, people.len() as u64))
}

fn employee_checkout(item: &UndoItem) -> Option<EmployeeCheckout> {
    let UndoDecision::Undo(write_back) = &item.decision else { return None };
    let employee = write_back.body.get(item.entity.recipient()?.name)?.as_i64()?;
    Some(EmployeeCheckout { employee, item: (item_collection(item.entity), item.record?) })
}

fn category_of(rule: &NotificationRule, present: &CurrentState, item: (&'static Entity, i64)) -> Option<i64> {
    let (via, collection) = rule.via;
    link(present, item, rule.link).or_else(|| link(present, (collection, link(present, item, via)?), rule.link))
}

fn link(present: &CurrentState, (entity, id): (&'static Entity, i64), field: &str) -> Option<i64> {
    let record: &Body = present.record((entity.name, id))?;
    record.get(field)?.as_i64()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::catalog::fake_source::FakeSource;
    use crate::plan::undo::{CompensatingWrite, UndoOrder};
    use crate::plan::{RowId, WriteKind};

    /// An asset goes back to an employee.
    fn checkout(asset: i64, employee: i64) -> UndoItem {
        let write = CompensatingWrite {
            write: WriteKind::Create,
            body: json!({"asset_id": asset, "employee_id": employee}).as_object().cloned().unwrap(),
            before: None,
            depends_on: Vec::new(),
            note: String::new(),
        };
        UndoItem {
            row: RowId { sheet: 0, row: 2 },
            entity: schema::find("checkout_asset").unwrap(),
            record: Some(asset),
            title: String::new(),
            order: UndoOrder::move_back(0),
            decision: UndoDecision::Undo(Box::new(write)),
        }
    }

    #[test]
    fn the_category_of_the_product_decides_who_is_mailed() {
        let rule = schema::notification_rule().unwrap();
        let category = |id: i64, mails: bool| json!({"id": id, "name": format!("C{id}"), rule.flag: mails});
        let product = |id: i64, category: i64| json!({"id": id, "name": format!("P{id}"), "category_id": category});
        let source = FakeSource::new()
            .with("categories", [category(1, true), category(2, false)])
            .with("products", [product(1, 1), product(2, 2)]);
        let mut present = CurrentState::default();
        for (id, product) in [(1, 1), (2, 1), (3, 2), (4, 1)] {
            let asset = json!({"id": id, "asset_id": format!("A-{id}"), "product_id": product});
            present.add(schema::find("assets").unwrap(), asset.as_object().cloned().unwrap());
        }
        let items = [checkout(1, 7), checkout(2, 7), checkout(3, 8), checkout(4, 9)];
        assert_eq!(block_on(count(&source, &items, &mut present)).unwrap(), (3, 2));
        assert_eq!(block_on(count(&source, &[], &mut present)).unwrap(), (0, 0));
    }
}
