//! Actions that earlier runs of this machine have made on an account.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::account::Account;
use crate::api::integer;
use crate::error::Result;
use crate::plan::{ActionRecord, ActionRequest};
use crate::run::journal::{Journal, JournalError, SentAction};
use crate::schema::{Entity, Meaning, Role, Verb};
use crate::state_file::is_locked;

/// How far the clock of a service may be off ours. A sandbox has our own.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Actions by what they moved: the collection and, as JSON text, the id or tag that was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct JournaledActions {
    by_item: HashMap<(&'static str, String), Vec<JournaledAction>>,
    clock_skew: SignedDuration,
}

/// An action of an earlier run.
#[derive(Debug, Clone)]
pub(super) struct JournaledAction {
    pub(super) run: Rc<str>,
    pub(super) is_applied: bool,
    /// Whether a process works on the run: what it has in flight is not over, and the runs tell each other of it.
    is_live: bool,
    at: Timestamp,
    sent: SentAction,
}

impl JournaledActions {
    /// Reads what the journals say of the items that rows ask for.
    pub(super) fn read(account: &Account, requests: &[ActionRequest]) -> Result<Self> {
        let clock_skew = if account.identity.is_sandbox() { SignedDuration::ZERO } else { MAX_CLOCK_SKEW };
        let mut actions = Self { clock_skew, ..Self::default() };
        let items: HashSet<(&'static str, String)> = requests.iter().flat_map(item_keys).collect();
        for (run, path) in account.run_store().paths()? {
            // A journal that cannot be read says nothing; `runs` shows what is wrong with it.
            let Ok(journal) = Journal::open_read_only(&path) else { continue };
            let Ok(header) = journal.header() else { continue };
            if header.account.is_same(&account.identity) && journal.account_snapshot()?.account == account.digest() {
                actions.add(&journal, (&run, is_locked(&path)), &items)?;
            }
        }
        for actions in actions.by_item.values_mut() {
            actions.sort_by_key(|action| action.at);
        }
        Ok(actions)
    }

    fn add(
        &mut self,
        journal: &Journal,
        (run, is_live): (&str, bool),
        items: &HashSet<(&'static str, String)>,
    ) -> std::result::Result<(), JournalError> {
        let run: Rc<str> = Rc::from(run);
        for sent in journal.sent_actions()? {
            let Some(key) = item_key(&sent).filter(|key| items.contains(key)) else { continue };
            let action = JournaledAction { run: run.clone(), is_applied: sent.is_applied, is_live, at: sent.at, sent };
            self.by_item.entry(key).or_default().push(action);
        }
        Ok(())
    }

    /// The earlier actions of the kind of a request on its item and for its holder: check-ins, or check-outs that no
    /// later check-in has taken back.
    pub(super) fn outstanding(&self, request: &ActionRequest) -> Vec<&JournaledAction> {
        let mut actions: Vec<&JournaledAction> = item_keys(request)
            .filter_map(|key| self.by_item.get(&key))
            .flatten()
            .filter(|action| self.is_of_item_now(action, request) && action.is_for(request.holder.as_ref()))
            .collect();
        actions.sort_by_key(|action| action.at);
        if !request.is_checkout() {
            actions.retain(|action| !action.is_checkout());
            return actions;
        }
        let mut outstanding: Vec<&JournaledAction> = Vec::new();
        for action in actions {
            if action.is_checkout() {
                outstanding.push(action);
            } else if let Some(returned) = outstanding.iter().rposition(|taken| action.returns(taken)) {
                outstanding.remove(returned);
            }
        }
        outstanding
    }

    /// Whether the item that was moved is the one that has its id now: a sandbox may have been started anew.
    fn is_of_item_now(&self, action: &JournaledAction, request: &ActionRequest) -> bool {
        let latest = action.at.saturating_add(self.clock_skew).unwrap_or(action.at);
        request.created.is_none_or(|created| created <= latest)
    }
}

impl JournaledAction {
    /// Whether a run at work has sent it and has no answer yet.
    pub(super) fn is_in_flight(&self) -> bool {
        self.is_live && !self.is_applied
    }

    fn is_checkout(&self) -> bool {
        self.sent.step.entity.role == Role::Action(Verb::Checkout)
    }

    /// Whether it has that holder. The check-in of an asset names none: it comes back from whoever has it.
    fn is_for(&self, holder: Option<&(&'static str, ActionRecord)>) -> bool {
        let Some((parameter, holder)) = holder else { return true };
        let names_holder = self.sent.step.entity.holders().next().is_some();
        !names_holder || self.value(parameter).is_some_and(|value| holder.is_named_by(value))
    }

    /// Whether it takes back that check-out: the one with its product key, if it names one.
    fn returns(&self, checkout: &JournaledAction) -> bool {
        let key = Meaning::MovedKey.field_name();
        self.value(key).is_none_or(|key_returned| checkout.value(key) == Some(key_returned))
    }

    /// Whether date, quantity and product key are those of a request.
    pub(super) fn is_same(&self, request: &ActionRequest) -> bool {
        let text = |name: &str| self.value(name).and_then(Json::as_str);
        let is_same_day = request.action.action_date().is_none_or(|field| text(field.name) == request.date.as_deref());
        is_same_day && self.has_quantity_of(request) && text(Meaning::MovedKey.field_name()) == request.key.as_deref()
    }

    pub(super) fn has_quantity_of(&self, request: &ActionRequest) -> bool {
        self.value(Meaning::MovedQuantity.field_name()).and_then(integer) == request.quantity
    }

    fn value(&self, name: &str) -> Option<&Json> {
        self.sent.step.body.get(name).filter(|value| !value.is_null())
    }
}

/// The ways in which actions name the item of a request.
fn item_keys(request: &ActionRequest) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let tag = request.item.tag.as_ref().map(|tag| Json::from(tag.trim()).to_string());
    let collection = request.collection;
    [Some(request.item.id.to_string()), tag].into_iter().flatten().map(move |key| (collection, key))
}

fn item_key(sent: &SentAction) -> Option<(&'static str, String)> {
    let entity: &'static Entity = sent.step.entity;
    let (field, reference) = entity.item()?;
    let key = match sent.step.body.get(field.name)? {
        Json::String(tag) => Json::from(tag.trim()).to_string(),
        id => id.to_string(),
    };
    Some((reference.to, key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::{RowId, Step, StepRole, WriteKind};
    use crate::schema;

    #[test]
    fn an_action_is_the_same_by_day_quantity_and_product_key() {
        let checkout = schema::find("checkout_accessory").unwrap();
        let journaled = |body: Json| {
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, checkout, WriteKind::Create);
            let step = Step { body: body.as_object().cloned().unwrap(), ..step };
            let sent = SentAction { step, at: Timestamp::UNIX_EPOCH, is_applied: true };
            JournaledAction { run: "a".into(), is_applied: true, is_live: false, at: Timestamp::UNIX_EPOCH, sent }
        };
        let request = ActionRequest {
            action: checkout,
            collection: "accessories",
            item: ActionRecord { id: 1, tag: None },
            holder: None,
            date: Some(String::from("2026-01-02")),
            quantity: Some(2),
            key: None,
            created: None,
        };
        assert!(journaled(json!({"checkout_date": "2026-01-02", "quantity": 2})).is_same(&request));
        for other in [
            json!({"checkout_date": "2026-01-03", "quantity": 2}),
            json!({"quantity": 2}),
            json!({"checkout_date": "2026-01-02", "quantity": 3}),
            json!({"checkout_date": "2026-01-02"}),
        ] {
            assert!(!journaled(other.clone()).is_same(&request), "{other}");
        }
        let keyed = ActionRequest { key: Some(String::from("K-1")), ..request };
        assert!(!journaled(json!({"checkout_date": "2026-01-02", "quantity": 2})).is_same(&keyed));
    }
}
