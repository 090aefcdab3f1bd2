//! Actions that earlier runs of this machine have made on an account.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::ActionsSince;
use super::ledger::{ActionLedger, OutstandingAction};
use crate::account::Account;
use crate::api::integer;
use crate::error::Result;
use crate::plan::ActionRequest;
use crate::plan::undo::RecreatedRecords;
use crate::run::journal::{Journal, JournalError, RunHeader, SentAction};
use crate::schema::{Entity, Field, Meaning, Role, Verb};
use crate::state_file::is_locked;

/// How far the clock of a service may be off ours. A sandbox has our own.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Actions by what they moved: the collection and, as JSON text, the id or tag that was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct JournaledActions {
    by_item: HashMap<(&'static str, String), Vec<JournaledAction>>,
    /// What each undo created again, and when it began, in that order.
    undos: Vec<(Timestamp, RecreatedRecords)>,
    clock_skew: SignedDuration,
    since: ActionsSince,
}

/// An action of an earlier run.
#[derive(Debug, Clone)]
pub(super) struct JournaledAction {
    pub(super) run: Rc<str>,
    /// The run that its run undoes.
    pub(super) undoes: Option<Rc<str>>,
    pub(super) is_applied: bool,
    /// Whether a process works on the run: what it has in flight is not over, and the runs tell each other of it.
    is_live: bool,
    pub(super) at: Timestamp,
    sent: SentAction,
}

impl JournaledActions {
    /// Reads what the journals say of the items that rows ask for.
    pub(super) fn read(account: &Account, requests: &[ActionRequest], since: &ActionsSince) -> Result<Self> {
        let mut actions = Self { clock_skew: clock_skew(account), since: since.clone(), ..Self::default() };
        let items: HashSet<(&'static str, String)> = requests.iter().flat_map(item_keys).collect();
        for (_, path) in account.run_store().paths()? {
            // A journal that cannot be read says nothing; `runs` shows what is wrong with it.
            let Ok(journal) = Journal::open_read_only(&path) else { continue };
            let Ok(header) = journal.header() else { continue };
            if account.has_run(&journal, &header)? {
                actions.add(&journal, &header, is_locked(&path), &items)?;
            }
        }
        actions.undos.sort_by_key(|(began, _)| *began);
        for actions in actions.by_item.values_mut() {
            // A check-in takes back the latest check-out: what was done before does not change what is outstanding since.
            actions.retain(|action| since.includes(action.at));
            actions.sort_by_key(|action| action.at);
        }
        Ok(actions)
    }

    fn add(
        &mut self,
        journal: &Journal,
        header: &RunHeader,
        is_live: bool,
        items: &HashSet<(&'static str, String)>,
    ) -> std::result::Result<(), JournalError> {
        let run: Rc<str> = Rc::from(header.id.as_str());
        let undoes: Option<Rc<str>> = header.undoes.as_deref().map(Rc::from);
        if undoes.is_some() {
            let recreated = journal.recreated_records()?;
            // Every request asks all of these.
            if !recreated.is_empty() {
                self.undos.push((journal.started_at()?, recreated.into_iter().collect()));
            }
        }
        for sent in journal.sent_actions()? {
            let Some(key) = item_key(&sent).filter(|key| items.contains(key)) else { continue };
            let (run, undoes) = (run.clone(), undoes.clone());
            let action = JournaledAction { run, undoes, is_applied: sent.is_applied, is_live, at: sent.at, sent };
            self.by_item.entry(key).or_default().push(action);
        }
        Ok(())
    }

    /// The earlier actions of a request's kind, on its item and for its holder, that still count. A check-out counts until
    /// it is checked in, and nothing counts that was undone.
    pub(super) fn outstanding(&self, request: &ActionRequest) -> Vec<OutstandingAction<'_>> {
        let mut actions: Vec<&JournaledAction> = item_keys(request)
            .filter_map(|key| self.by_item.get(&key))
            .flatten()
            .filter(|action| self.is_of_item_now(action, request) && self.is_for_holder(action, request))
            .collect();
        actions.sort_by_key(|action| action.at);
        let mut ledger = ActionLedger::default();
        actions.into_iter().for_each(|action| ledger.add(action));
        if !request.is_checkout() {
            return ledger.checkins();
        }
        // Of what an undo has checked out again no journal tells since when it is out: the rows that may have done it are
        // asked about. What was out before a plan is no news to it.
        ledger.out.retain(|taken| taken.action.undoes.is_none() || matches!(self.since, ActionsSince::Plan { .. }));
        ledger.out
    }

    /// Whether an action has the holder of a request. The check-in of an asset names none: it comes back from whoever has it.
    fn is_for_holder(&self, action: &JournaledAction, request: &ActionRequest) -> bool {
        let Some((parameter, holder)) = &request.holder else { return true };
        if action.sent.step.entity.holders().next().is_none() {
            return true;
        }
        let reference = request.action.field(parameter).and_then(Field::reference_to);
        let Some((value, reference)) = action.value(parameter).zip(reference) else { return false };
        match (value, &holder.tag) {
            (Json::String(_), Some(_)) => {
                holder.is_named_by(value) && self.had_tag(action, request, (reference.to, holder.id))
            }
            _ => integer(value).map(|id| self.current_id(action, reference.to, id)) == Some(holder.id),
        }
    }

    /// Whether the holder had the tag by which an action names it: as it is, or as it was before an undo created it again.
    fn had_tag(&self, action: &JournaledAction, request: &ActionRequest, holder: (&'static str, i64)) -> bool {
        let mut undos = self.undos.iter().filter(|(began, _)| *began >= action.at);
        self.is_later(action, request.holder_created)
            || undos.any(|(_, recreated)| recreated.ids_of(holder.0, holder.1).nth(1).is_some())
    }

    /// The id that a record has now which an action named by its id then.
    fn current_id(&self, action: &JournaledAction, collection: &'static str, id: i64) -> i64 {
        let undos = self.undos.iter().filter(|(began, _)| *began >= action.at);
        undos.fold(id, |id, (_, recreated)| recreated.current_id(collection, id))
    }

    /// Whether the item that was moved is the one that has its id now: a sandbox may have been started anew.
    fn is_of_item_now(&self, action: &JournaledAction, request: &ActionRequest) -> bool {
        self.is_later(action, request.created)
    }

    fn is_later(&self, action: &JournaledAction, created: Option<Timestamp>) -> bool {
        came_after(action.at, created, self.clock_skew)
    }
}

/// How far the service's clock may be off ours.
pub(in crate::run) fn clock_skew(account: &Account) -> SignedDuration {
    if account.identity.is_sandbox() { SignedDuration::ZERO } else { MAX_CLOCK_SKEW }
}

/// Whether something sent then was for the record that was created, and not for one that had its id before.
pub(in crate::run) fn came_after(sent: Timestamp, created: Option<Timestamp>, clock_skew: SignedDuration) -> bool {
    let latest = sent.saturating_add(clock_skew).unwrap_or(sent);
    created.is_none_or(|created| created <= latest)
}

impl ActionsSince {
    fn includes(&self, at: Timestamp) -> bool {
        match self {
            ActionsSince::Ever => true,
            ActionsSince::Plan { began, .. } => at >= *began,
        }
    }
}

impl JournaledAction {
    /// Whether a run at work has sent it and has no answer yet.
    pub(super) fn is_in_flight(&self) -> bool {
        self.is_live && !self.is_applied
    }

    pub(super) fn is_checkout(&self) -> bool {
        self.sent.step.entity.role == Role::Action(Verb::Checkout)
    }

    /// Whether it takes back that check-out: the one with its product key, if it names one.
    pub(super) fn returns(&self, checkout: &JournaledAction) -> bool {
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

    use super::super::KnownActions;
    use super::*;
    use crate::plan::{ActionRecord, PriorAction, PriorActions as _, RowId, Step, StepRole, WriteKind};
    use crate::schema;

    #[test]
    fn an_action_is_the_same_by_day_quantity_and_product_key() {
        let checkout = schema::find("checkout_accessory").unwrap();
        let journaled = |body: Json| {
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, checkout, WriteKind::Create);
            let step = Step { body: body.as_object().cloned().unwrap(), ..step };
            let sent = SentAction { step, at: Timestamp::UNIX_EPOCH, sent_at: None, is_applied: true };
            JournaledAction {
                run: "a".into(),
                undoes: None,
                is_applied: true,
                is_live: false,
                at: Timestamp::UNIX_EPOCH,
                sent,
            }
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
            holder_created: None,
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

    /// An action on accessory 1 at that second, in the order in which the journals have them.
    fn action(entity: &str, second: i64, body: Json) -> JournaledAction {
        let entity = schema::find(entity).unwrap();
        let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, WriteKind::Create);
        let step = Step { body: body.as_object().cloned().unwrap(), ..step };
        let at = Timestamp::from_second(second).unwrap();
        let sent = SentAction { step, at, sent_at: None, is_applied: true };
        JournaledAction { run: Rc::from(format!("{second}")), undoes: None, is_applied: true, is_live: false, at, sent }
    }

    fn known(actions: Vec<JournaledAction>) -> JournaledActions {
        let mut known = JournaledActions { clock_skew: SignedDuration::from_secs(10), ..JournaledActions::default() };
        for action in actions {
            known.by_item.entry(item_key(&action.sent).unwrap()).or_default().push(action);
        }
        known
    }

    /// A request about accessory or license 1 for employee 7.
    fn request(entity: &str) -> ActionRequest {
        let action = schema::find(entity).unwrap();
        ActionRequest {
            action,
            collection: action.item().unwrap().1.to,
            item: ActionRecord { id: 1, tag: None },
            holder: Some(("employee_id", ActionRecord { id: 7, tag: None })),
            date: None,
            quantity: None,
            key: None,
            created: None,
            holder_created: None,
        }
    }

    fn runs(known: &JournaledActions, request: &ActionRequest) -> Vec<String> {
        known.outstanding(request).into_iter().map(|action| action.run().to_owned()).collect()
    }

    #[test]
    fn check_outs_are_outstanding_until_a_later_check_in_of_their_holder() {
        let of = |employee: i64| json!({"accessory_id": 1, "employee_id": employee});
        let out = |second, employee| action("checkout_accessory", second, of(employee));
        let back = |second, employee| action("checkin_accessory", second, of(employee));
        let ask = |actions| runs(&known(actions), &request("checkout_accessory"));
        assert_eq!(ask(vec![out(1, 7), out(3, 7), out(2, 7)]), ["1", "2", "3"]);
        assert_eq!(ask(vec![out(1, 7), out(3, 7), back(4, 7)]), ["1"], "the latest is checked in");
        assert_eq!(ask(vec![out(1, 7), back(2, 7), out(3, 7)]), ["3"]);
        assert_eq!(ask(vec![back(1, 7), out(2, 7)]), ["2"], "what was not out cannot come back");
        assert_eq!(ask(vec![out(1, 7), back(2, 8), out(3, 8)]), ["1"], "of another holder");
        let returned = runs(&known(vec![out(1, 7), back(2, 7), back(3, 8), back(4, 7)]), &request("checkin_accessory"));
        assert_eq!(returned, ["2", "4"]);
    }

    #[test]
    fn a_seat_with_a_key_comes_back_by_its_key() {
        let key = |name: &str, second, key: Option<&str>| {
            let mut body = json!({"license_id": 1, "employee_id": 7});
            if let Some(key) = key {
                body["product_key"] = json!(key);
            }
            action(name, second, body)
        };
        let (out, back) = ("checkout_license", "checkin_license");
        let ask = |actions| runs(&known(actions), &request("checkout_license"));
        assert_eq!(ask(vec![key(out, 1, Some("A")), key(out, 2, Some("B")), key(back, 3, Some("A"))]), ["2"]);
        assert_eq!(ask(vec![key(out, 1, Some("A")), key(out, 2, Some("B")), key(back, 3, Some("C"))]), ["1", "2"]);
        assert_eq!(ask(vec![key(out, 1, Some("A")), key(out, 2, Some("B")), key(back, 3, None)]), ["1"]);
    }

    #[test]
    fn an_item_that_was_created_later_is_another_one() {
        let out = action("checkout_accessory", 100, json!({"accessory_id": 1, "employee_id": 7}));
        let known = known(vec![out]);
        let at = |second| {
            let created = Some(Timestamp::from_second(second).unwrap());
            runs(&known, &ActionRequest { created, ..request("checkout_accessory") }).len()
        };
        assert_eq!([at(99), at(110), at(111)], [1, 1, 0], "clocks may be ten seconds apart");
        assert_eq!(
            runs(&known, &ActionRequest { item: ActionRecord { id: 2, tag: None }, ..request("checkout_accessory") }),
            [""; 0]
        );
    }

    #[test]
    fn an_asset_is_the_same_by_id_and_by_tag_and_comes_back_from_whoever_has_it() {
        let out = |second, tag: &str| action("checkout_asset", second, json!({"asset_id": tag, "employee_id": 7}));
        let back = action("checkin_asset", 3, json!({"asset_id": 1}));
        let tagged = ActionRequest {
            item: ActionRecord { id: 1, tag: Some(String::from(" T-1")) },
            ..request("checkout_asset")
        };
        assert_eq!(runs(&known(vec![out(1, "T-1 "), out(2, "T-2")]), &tagged), ["1"]);
        assert_eq!(runs(&known(vec![out(1, "T-1"), back.clone(), out(4, "T-1")]), &tagged), ["4"]);
        let whoever = ActionRequest { holder: None, action: schema::find("checkin_asset").unwrap(), ..tagged };
        assert_eq!(runs(&known(vec![out(1, "T-1"), back]), &whoever), ["3"]);
    }

    #[test]
    fn only_a_run_at_work_has_something_in_flight() {
        let action = action("checkout_accessory", 1, json!({"accessory_id": 1, "quantity": 2}));
        let in_flight = |is_live, is_applied| JournaledAction { is_live, is_applied, ..action.clone() }.is_in_flight();
        assert_eq!(
            [in_flight(true, false), in_flight(true, true), in_flight(false, false), in_flight(false, true)],
            [true, false, false, false]
        );
        let of = |quantity| ActionRequest { quantity, ..request("checkout_accessory") };
        assert!(action.has_quantity_of(&of(Some(2))));
        assert!(!action.has_quantity_of(&of(Some(3))) && !action.has_quantity_of(&of(None)));
    }

    #[test]
    fn the_same_key_is_asked_for() {
        let keyed = |key: &str| action("checkout_license", 1, json!({"license_id": 1, "product_key": key}));
        let asked = ActionRequest { key: Some(String::from("A")), ..request("checkout_license") };
        assert!(keyed("A").is_same(&asked) && !keyed("B").is_same(&asked));
        assert!(!keyed("A").is_same(&request("checkout_license")));
    }

    #[test]
    fn equal_rows_take_what_was_done_before_what_nobody_knows() {
        let out = |second: i64| {
            action("checkout_accessory", second, json!({"accessory_id": 1, "employee_id": 7, "quantity": 2}))
        };
        let unknown = |second| JournaledAction { is_applied: false, ..out(second) };
        let in_flight = |second| JournaledAction { is_live: true, ..unknown(second) };
        let asked = ActionRequest { quantity: Some(2), ..request("checkout_accessory") };
        let other = ActionRequest { quantity: Some(3), ..asked.clone() };
        let mut actions = KnownActions {
            journaled: known(vec![unknown(1), out(2), in_flight(3), out(4)]),
            ..KnownActions::default()
        };
        assert_eq!(actions.take(&other), PriorAction::Absent);
        let done = |run: &str| PriorAction::Done { run: run.to_owned() };
        let unresolved = || PriorAction::Unresolved { run: String::from("1") };
        let taken: Vec<PriorAction> = (0..4).map(|_| actions.take(&asked)).collect();
        assert_eq!(taken, [done("2"), done("4"), unresolved(), unresolved()], "any of them may be the one");
        let mut actions = KnownActions { journaled: known(vec![out(1), in_flight(2)]), ..KnownActions::default() };
        let taken: Vec<PriorAction> = (0..2).map(|_| actions.take(&asked)).collect();
        assert_eq!(taken, [done("1"), PriorAction::Absent], "what is in flight is not over");
    }

    /// The undo, in that second, of the run of another.
    fn undo_of(run: i64, action: JournaledAction) -> JournaledAction {
        JournaledAction { undoes: Some(Rc::from(run.to_string())), ..action }
    }

    #[test]
    fn what_an_undo_has_reversed_counts_as_never_done() {
        let of = |day: &str| json!({"accessory_id": 1, "employee_id": 7, "quantity": 2, "checkout_date": day});
        let out = |second| action("checkout_accessory", second, of("2026-01-02"));
        let back = |second| action("checkin_accessory", second, json!({"accessory_id": 1, "employee_id": 7}));
        let again = |second, run| undo_of(run, action("checkout_accessory", second, of("2026-05-05")));
        let ask = |entity: &str, actions: &[JournaledAction]| runs(&known(actions.to_vec()), &request(entity));
        let ask = |actions: &[JournaledAction]| [ask("checkout_accessory", actions), ask("checkin_accessory", actions)];
        assert_eq!(ask(&[out(1), back(2)]), [vec![], vec!["2"]]);
        assert_eq!(ask(&[out(1), back(2), again(3, 2)]), [vec!["1"], vec![]], "it is out since the first day");
        assert_eq!(ask(&[out(1), back(2), again(3, 2), back(4)]), [vec![], vec!["4"]]);
        assert_eq!(ask(&[out(1), back(2), again(3, 2), back(4), again(5, 4)]), [vec!["1"], vec![]]);
        assert_eq!(ask(&[out(1), out(2), back(3), again(4, 3)]), [vec!["1", "2"], vec![]]);
        assert_eq!(ask(&[back(2), again(3, 2)]), [Vec::<&str>::new(), vec![]], "nobody knows since when it was out");
        assert_eq!(ask(&[out(1), back(2), again(3, 9)]), [vec![], vec!["2"]], "the undo of another run");
        assert_eq!(ask(&[out(1), undo_of(1, back(2))]), [Vec::<&str>::new(), vec![]], "no row asked for that check-in");
        assert_eq!(ask(&[out(1), out(2), undo_of(1, back(3))]), [vec!["2"], vec![]]);
        assert_eq!(ask(&[out(2), undo_of(1, back(3))]), [vec!["2"], vec![]], "the journal of the undone run is gone");
    }

    #[test]
    fn an_undo_whose_outcome_is_unknown_leaves_it_open_what_counts() {
        let of = |day: &str| json!({"accessory_id": 1, "employee_id": 7, "quantity": 2, "checkout_date": day});
        let unknown = undo_of(2, action("checkout_accessory", 3, of("2026-05-05")));
        let actions = |is_live| {
            let unknown = JournaledAction { is_applied: false, is_live, ..unknown.clone() };
            let back = action("checkin_accessory", 2, json!({"accessory_id": 1, "employee_id": 7}));
            let journaled = known(vec![action("checkout_accessory", 1, of("2026-01-02")), back, unknown]);
            KnownActions { journaled, ..KnownActions::default() }
        };
        let asked = ActionRequest {
            quantity: Some(2),
            date: Some(String::from("2026-01-02")),
            ..request("checkout_accessory")
        };
        let unresolved = PriorAction::Unresolved { run: String::from("3") };
        assert_eq!(actions(false).take(&asked), unresolved);
        assert_eq!(actions(false).take(&request("checkin_accessory")), unresolved);
        assert_eq!(actions(true).take(&asked), PriorAction::Absent, "it is not over");
    }

    #[test]
    fn a_holder_whom_an_undo_created_again_has_what_they_had() {
        let out = |second, employee: i64| {
            action("checkout_accessory", second, json!({"accessory_id": 1, "employee_id": employee}))
        };
        let mut known = known(vec![out(1, 5), out(4, 5)]);
        let began = Timestamp::from_second(3).unwrap();
        known.undos = vec![(began, [(("employees", 5), 7)].into_iter().collect())];
        assert_eq!(runs(&known, &request("checkout_accessory")), ["1"], "later it is the id of somebody else");
        known.undos[0].0 = Timestamp::UNIX_EPOCH;
        assert_eq!(runs(&known, &request("checkout_accessory")), [""; 0]);
    }

    #[test]
    fn an_action_that_names_a_tag_is_of_the_record_that_had_it_then() {
        let known_with = |undos| {
            let out = action("checkout_component", 100, json!({"component_id": 1, "asset_id": "T-1"}));
            JournaledActions { undos, ..known(vec![out]) }
        };
        let ask = |known: &JournaledActions, second| {
            let holder = ActionRecord { id: 2, tag: Some(String::from("T-1")) };
            let created = Some(Timestamp::from_second(second).unwrap());
            let asked = ActionRequest {
                holder: Some(("asset_id", holder)),
                holder_created: created,
                ..request("checkout_component")
            };
            runs(known, &asked).len()
        };
        let known = known_with(Vec::new());
        assert_eq!([ask(&known, 99), ask(&known, 110), ask(&known, 111)], [1, 1, 0]);
        let undo = (Timestamp::from_second(105).unwrap(), [(("assets", 1), 2)].into_iter().collect());
        assert_eq!(ask(&known_with(vec![undo]), 111), 1, "it was created again");
    }

    #[test]
    fn since_a_plan_what_an_undo_has_restored_is_no_news() {
        let of = |entity: &str, second| action(entity, second, json!({"accessory_id": 1, "employee_id": 7}));
        let mut known = known(vec![of("checkin_accessory", 2), undo_of(2, of("checkout_accessory", 3))]);
        assert_eq!(runs(&known, &request("checkout_accessory")), [""; 0]);
        known.since = ActionsSince::Plan { began: Timestamp::UNIX_EPOCH, log: crate::catalog::LogPosition::Empty };
        assert_eq!(runs(&known, &request("checkout_accessory")), ["3"], "its entry of the log is explained");
        let mut known = KnownActions { journaled: known, ..KnownActions::default() };
        assert_eq!(known.take(&request("checkout_accessory")), PriorAction::Absent, "and no row has asked for it");
    }
}
