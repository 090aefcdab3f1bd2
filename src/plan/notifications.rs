//! Counts the e-mails that a plan's check-outs send, and their recipients (design rule 17).
//!
//! A category with `checkout_email` on notifies the employee at every check-out (field notes).

use std::collections::HashSet;

use serde_json::Value as Json;

use crate::catalog::{Catalog, RecordRef};
use crate::plan::Step;
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::schema::{self, NotificationRule};

/// E-mails of the check-outs planned so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct NotificationCount {
    pub sent: u64,
    /// The steps that are such check-outs.
    pub steps: HashSet<u32>,
    people: HashSet<RecordRef>,
}

impl NotificationCount {
    pub(crate) fn people(&self) -> u64 {
        self.people.len() as u64
    }

    /// Counts the step of a planned row if it checks something out to a person and the item's category notifies.
    pub(crate) fn add(&mut self, catalog: &Catalog, step: &Step, fields: &[ResolvedField]) {
        let entity = step.entity;
        let named = |name: &str| {
            let index = entity.field_index(name)?;
            fields.iter().find(|given| given.field == index).and_then(|given| match given.value {
                Resolved::Record(target, reference) => Some((reference.to, target)),
                _ => None,
            })
        };
        let Some((_, person)) = entity.recipient().and_then(|field| named(field.name)) else { return };
        let Some((collection, item)) = entity.fields.first().and_then(|field| named(field.name)) else { return };
        if schema::notification_rule().is_some_and(|rule| notifies(rule, catalog, collection, item)) {
            self.sent += 1;
            self.steps.insert(step.number);
            self.people.insert(person);
        }
    }
}

/// Whether a check-out of the item notifies whoever receives it.
fn notifies(rule: &NotificationRule, catalog: &Catalog, collection: &str, item: RecordRef) -> bool {
    let (field, referenced) = rule.via;
    let through = || link(catalog, referenced.name, link(catalog, collection, item, field)?, rule.link);
    let decides = link(catalog, collection, item, rule.link).or_else(through);
    let flag = decides.and_then(|record| catalog.as_planned().value(rule.collection.name, record, rule.flag));
    flag == Some(&Json::Bool(true))
}

fn link(catalog: &Catalog, collection: &str, target: RecordRef, field: &str) -> Option<RecordRef> {
    RecordRef::from_link(catalog.as_planned().value(collection, target, field)?)
}
