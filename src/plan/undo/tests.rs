#![allow(clippy::unwrap_used, clippy::expect_used)]

mod history;
mod moves;
mod records;
mod values;

use serde_json::{Value as Json, json};

use super::*;
use crate::api::Record;
use crate::plan::StepRole;
use crate::schema::importable;

fn entity(name: &str) -> &'static Entity {
    importable().find(|entity| entity.name == name).unwrap()
}

fn object(value: Json) -> Record {
    value.as_object().unwrap().clone()
}

/// A run, told step by step, and the account as it is now.
#[derive(Default)]
struct Story {
    steps: Vec<(Step, StepOutcome)>,
    current: CurrentState,
    began: jiff::Timestamp,
    recreated: Vec<(RecordKey, i64)>,
}

impl Story {
    fn did(mut self, name: &str, write: WriteKind, body: Json, before: Option<Json>, after: Option<Json>) -> Self {
        let number = self.steps.len() as u32;
        let row = RowId { sheet: 0, row: u64::from(number) + 2 };
        let mut step = Step::new(number, row, StepRole::Row, entity(name), write);
        (step.body, step.before) = (object(body), before.map(object));
        let record = match write {
            WriteKind::Create => Some(i64::from(number) + 1).filter(|_| step.entity.is_collection()),
            WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
        };
        let outcome = StepOutcome {
            step: number,
            result: StepResult::Applied,
            record,
            after: after.map(object),
            message: String::new(),
            problems: Vec::new(),
        };
        self.steps.push((step, outcome));
        self
    }

    /// A create, whose id is its number from 1, and what the service said of it.
    fn created(self, name: &str, body: Json, after: Option<Json>) -> Self {
        self.did(name, WriteKind::Create, body, None, after)
    }

    fn holds(mut self, name: &str, record: Json) -> Self {
        self.current.add(entity(name), object(record));
        self
    }

    fn ends(mut self, result: StepResult) -> Self {
        self.steps.last_mut().unwrap().1.result = result;
        self
    }

    /// Earlier undos created a record again with another id.
    fn recreated(mut self, collection: &'static str, old: i64, new: i64) -> Self {
        self.recreated.push(((collection, old), new));
        self
    }

    /// The service never told the id of what the last step created.
    fn without_id(mut self) -> Self {
        self.steps.last_mut().unwrap().1.record = None;
        self
    }

    /// The last step is of that sheet.
    fn in_sheet(mut self, sheet: u16) -> Self {
        self.steps.last_mut().unwrap().0.row.sheet = sheet;
        self
    }

    /// The last step awaits another, whose id goes into that field.
    fn awaits(mut self, step: u32, field: &str) -> Self {
        let field = Some(field.to_owned());
        self.steps.last_mut().unwrap().0.depends_on.push(crate::plan::DependsOn { step, field });
        self
    }

    fn history(&self) -> RunHistory {
        let mut history = RunHistory::new(self.began, self.recreated.iter().copied().collect());
        for (step, outcome) in &self.steps {
            history.record_step(&mut step.clone(), outcome);
        }
        history
    }

    fn undone(self) -> Vec<UndoItem> {
        let history = self.history();
        let mut undo = UndoPlanner::new("r", &history, &self.current, jiff::civil::date(2026, 1, 31));
        for (step, outcome) in &self.steps {
            undo.step(&mut step.clone(), outcome);
        }
        undo.finish()
    }
}

fn left(item: &UndoItem) -> &SkipReason {
    match &item.decision {
        UndoDecision::Skip(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn write_back(item: &UndoItem) -> &CompensatingWrite {
    match &item.decision {
        UndoDecision::Undo(write_back) => write_back,
        other => panic!("{other:?}"),
    }
}

const MADE: &str = "2026-01-01T10:00:00.000Z";

#[test]
fn a_created_record_goes_only_while_it_is_as_the_run_left_it() {
    let sent = json!({"name": "Berlin", "city": "Berlin"});
    let held = |name: &str, currency: Json, touched: &str| json!({"id": 1, "name": name, "city": "Berlin", "currency": currency, "created_at": MADE, "updated_at": touched});
    let later = "2026-01-01T10:00:30.000Z";
    let decision = |after: Option<Json>, now: Json| {
        let story = Story::default().created("locations", sent.clone(), after).holds("locations", now);
        story.undone().remove(0).decision
    };
    let after = || Some(json!({"currency": null}));
    assert!(
        matches!(decision(after(), held("Berlin", json!(null), later)), UndoDecision::Undo(_)),
        "a touch alone is no change"
    );
    assert!(
        matches!(decision(after(), held("Bonn", json!(null), MADE)), UndoDecision::Skip(SkipReason::Changed(fields)) if fields == ["name"])
    );
    assert!(
        matches!(decision(after(), held("Berlin", json!("EUR"), MADE)), UndoDecision::Skip(SkipReason::Changed(fields)) if fields == ["currency"])
    );
    assert!(matches!(decision(None, held("Berlin", json!("EUR"), MADE)), UndoDecision::Undo(_)), "nobody knows better");
    assert!(matches!(
        decision(None, held("Berlin", json!("EUR"), later)),
        UndoDecision::Skip(SkipReason::ChangedSomehow)
    ));
}

#[test]
fn a_later_write_of_the_same_run_is_the_runs_own() {
    let items = Story::default()
        .created("locations", json!({"name": "Berlin", "city": "x"}), None)
        .did("locations", WriteKind::Update(1), json!({"city": "y"}), Some(json!({"city": "x"})), None)
        .holds(
            "locations",
            json!({"id": 1, "name": "Berlin", "city": "y", "created_at": MADE, "updated_at": "2026-02-01T10:00:00Z"}),
        )
        .undone();
    assert_eq!(items[0].kind(), Some(UndoKind::Delete));
    assert!(matches!(items[1].decision, UndoDecision::NothingToDo(_)), "it goes with the record");
}

#[test]
fn what_stays_keeps_what_it_refers_to_and_so_on() {
    let items = Story::default()
        .created("categories", json!({"name": "Laptops", "type": "asset"}), Some(json!({})))
        .created("products", json!({"name": "X1", "category_id": 1}), Some(json!({})))
        .created("products", json!({"name": "T14", "category_id": 1}), Some(json!({})))
        .holds("categories", json!({"id": 1, "name": "Laptops", "type": "asset"}))
        .holds("products", json!({"id": 2, "name": "X1", "category_id": 1}))
        .holds("products", json!({"id": 3, "name": "T14", "category_id": 1}))
        .holds("assets", json!({"id": 9, "asset_id": "THEIRS", "product_id": 2}))
        .undone();
    assert_eq!(*left(&items[1]), SkipReason::StillReferenced(String::from("asset THEIRS")));
    assert_eq!(*left(&items[0]), SkipReason::StillReferenced(String::from("product X1")));
    assert_eq!(items[2].kind(), Some(UndoKind::Delete));
}

#[test]
fn a_field_is_restored_only_while_it_holds_what_the_run_wrote() {
    let before = json!({"state": null, "name": "Old", "city": "x", "country": "DE", "zip": "1"});
    let wrote = json!({"state": "n", "name": "New", "city": "y", "country": "FR", "zip": "2"});
    // The state as written, the name changed since, the city as it was, the rest silent or as written.
    let now = json!({"id": 7, "state": "n", "name": "Newer", "city": "x", "country": "FR"});
    let items = Story::default()
        .did("locations", WriteKind::Update(7), wrote, Some(before), None)
        .holds("locations", now)
        .undone();
    assert_eq!(Json::Object(write_back(&items[0]).body.clone()), json!({"state": null, "country": "DE"}));
    assert_eq!(*left(&items[1]), SkipReason::Changed(vec!["name"]));
    assert_eq!(*left(&items[2]), SkipReason::NotReported(vec!["zip"]));
    assert_eq!(items.len(), 3);
}

#[test]
fn custom_fields_are_one_whole_whatever_shape_they_come_in() {
    let pairs = |rack: &str| json!([{"name": "Rack", "value": rack}, {"name": "Bay", "value": "1"}]);
    let decision = |now: Json| {
        let story = Story::default().did(
            "assets",
            WriteKind::Update(7),
            json!({"custom_fields": pairs("B")}),
            Some(json!({"custom_fields": pairs("A").to_string()})),
            None,
        );
        story.holds("assets", json!({"id": 7, "asset_id": "T", "custom_fields": now})).undone().remove(0)
    };
    let restored = decision(json!({"Bay": "1", "Rack": "B"}));
    assert_eq!(write_back(&restored).body["custom_fields"], pairs("A"));
    assert_eq!(*left(&decision(pairs("C"))), SkipReason::Changed(vec!["custom_fields"]));
}

#[test]
fn custom_fields_that_the_run_added_are_emptied() {
    let both = json!([{"name": "Rack", "value": "A"}, {"name": "OS", "value": "mac"}]);
    for (was, restored) in [
        (json!({"Rack": "A"}), json!([{"name": "Rack", "value": "A"}, {"name": "OS", "value": ""}])),
        (json!(null), json!([{"name": "Rack", "value": ""}, {"name": "OS", "value": ""}])),
    ] {
        let (sent, before) = (json!({"custom_fields": both}), json!({"custom_fields": was}));
        let story = Story::default().did("assets", WriteKind::Update(7), sent, Some(before), None);
        let items = story.holds("assets", json!({"id": 7, "asset_id": "T", "custom_fields": both})).undone();
        assert_eq!(write_back(&items[0]).body["custom_fields"], restored);
    }
}

#[test]
fn what_is_required_is_not_emptied() {
    let items = Story::default()
        .did("locations", WriteKind::Update(7), json!({"name": "New"}), Some(json!({"name": null})), None)
        .holds("locations", json!({"id": 7, "name": "New"}))
        .undone();
    assert_eq!(*left(&items[0]), SkipReason::Required(vec!["name"]));
}

#[test]
fn what_is_created_again_gives_its_new_id_to_what_is_restored() {
    let items = Story::default()
        .did("assets", WriteKind::Update(5), json!({"status_id": 2}), Some(json!({"status_id": 1})), None)
        .did(
            "maintenances",
            WriteKind::Delete(4),
            json!({}),
            Some(json!({"id": 4, "name": "Fix", "type": "hardware_support", "start_date": "2026-01-01T00:00:00Z",
                "asset_id": 8, "cost": "12.00", "updated_at": MADE})),
            None,
        )
        .did(
            "assets",
            WriteKind::Delete(8),
            json!({}),
            Some(json!({"id": 8, "asset_id": "T-8", "product_id": 3, "status_id": 1, "product_name": "X"})),
            None,
        )
        .did(
            "statuses",
            WriteKind::Delete(1),
            json!({}),
            Some(json!({"id": 1, "name": "Ready", "type": "deployable"})),
            None,
        )
        .holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 2, "product_id": 3}))
        .undone();
    let [restored, maintenance, asset, status] = &items[..] else { panic!("{items:?}") };
    assert_eq!(write_back(restored).depends_on, [(3, Some(String::from("status_id")))]);
    assert_eq!(write_back(asset).depends_on, [(3, Some(String::from("status_id")))]);
    assert_eq!(Json::Object(write_back(asset).body.clone()), json!({"asset_id": "T-8", "product_id": 3}));
    let body = &write_back(maintenance).body;
    assert_eq!(
        (&body["asset_id"], &body["cost"], &body["start_date"]),
        (&json!("T-8"), &json!(12), &json!("2026-01-01"))
    );
    assert_eq!(write_back(maintenance).depends_on, [(2, None)]);
    assert!(status.order < asset.order && asset.order < maintenance.order && maintenance.order < restored.order);
    let labels: Vec<String> = batches(&items).into_iter().map(|batch| batch.label).collect();
    assert_eq!(labels, ["statuses (created)", "assets (created)", "maintenances (created)", "assets (restored)"]);
}

#[test]
fn what_was_created_again_meanwhile_is_not_created_twice() {
    let before = json!({"id": 1, "name": "Ready", "type": "deployable"});
    let items = Story::default()
        .did("statuses", WriteKind::Delete(1), json!({}), Some(before), None)
        .holds("statuses", json!({"id": 12, "name": "Ready", "type": "deployable"}))
        .undone();
    assert!(matches!(&items[0].decision, UndoDecision::NothingToDo(why) if why.contains("#12")));
}

/// A checkout of asset 5 to employee 2, which had the status 1 at location 3.
fn checkout() -> Story {
    let body = json!({"asset_id": "T-5", "employee_id": 2, "checkout_date": "2026-01-02", "asset_location_id": 4});
    let before = json!({"id": 5, "status_id": 1, "location_id": 3, "deployed_to": []});
    Story::default().did("checkout_asset", WriteKind::Create, body, Some(before), None)
}

#[test]
fn an_asset_is_checked_in_by_its_id_with_the_status_and_place_it_had() {
    let out = json!([{"employee_id": 2, "checkout_date": "2026-01-02T00:00:00Z"}]);
    let items = checkout()
        .holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 1, "location_id": 4, "deployed_to": out}))
        .undone();
    assert_eq!(items[0].entity.name, "checkin_asset");
    assert_eq!(
        Json::Object(write_back(&items[0]).body.clone()),
        json!({"asset_id": 5, "checkin_date": "2026-01-31", "status_id": 1, "asset_location_id": 3, "notes": "Undo of run r"})
    );
}

#[test]
fn a_status_and_a_place_that_others_set_since_are_kept() {
    let out = json!([{"employee_id": 2, "checkout_date": "2026-01-02"}]);
    let items = checkout()
        .holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 9, "location_id": 8, "deployed_to": out}))
        .undone();
    let body = &write_back(&items[0]).body;
    assert_eq!((&body["status_id"], body.get("asset_location_id")), (&json!(9), None));
}

#[test]
fn an_asset_that_moved_on_stays_where_it_is_and_one_that_is_back_is_left_alone() {
    let decision = |out: Json| {
        let now = json!({"id": 5, "asset_id": "T-5", "status_id": 1, "location_id": 4, "deployed_to": out});
        checkout().holds("assets", now).undone().remove(0).decision
    };
    let moved = [json!([{"employee_id": 3}]), json!([{"employee_id": 2, "checkout_date": "2026-01-09"}])];
    for out in moved {
        assert!(matches!(decision(out), UndoDecision::Skip(SkipReason::MovedSince)));
    }
    assert!(matches!(decision(json!([{"name": "somebody"}])), UndoDecision::Skip(SkipReason::HolderUnknown)));
    assert!(matches!(decision(json!([])), UndoDecision::NothingToDo(_)));
}

/// Two checkouts of accessory 1 to employee 2, and the log since.
fn stock(log: &[(&str, i64)]) -> Vec<UndoItem> {
    let body = json!({"accessory_id": 1, "employee_id": 2, "quantity": 1, "checkout_date": "2026-01-02"});
    let mut story = Story::default()
        .did("checkout_accessory", WriteKind::Create, body.clone(), Some(json!({"id": 1})), None)
        .did("checkout_accessory", WriteKind::Create, body, Some(json!({"id": 1})), None)
        .holds("accessories", json!({"id": 1, "name": "Mouse"}));
    let entry = |(event, employee): &(&str, i64)| {
        object(json!({"event": event, "item_id": 1, "employee_id": employee, "quantity": 1}))
    };
    story.current.logs.insert("accessories", log.iter().map(entry).collect());
    story.undone()
}

#[test]
fn stock_comes_back_only_where_the_log_shows_the_runs_own_moves_alone() {
    let ours = [("Checkout", 2), ("Checkout", 2)];
    let with = |more: &[(&str, i64)]| stock(&[&ours, more].concat());
    assert!(with(&[]).iter().all(|item| item.kind() == Some(UndoKind::CheckIn)));
    assert!(with(&[("Checkin", 3)]).iter().all(|item| item.kind() == Some(UndoKind::CheckIn)), "somebody else's");
    assert!(
        with(&[("Checkin", 2), ("Checkin", 2)])
            .iter()
            .all(|item| matches!(item.decision, UndoDecision::NothingToDo(_)))
    );
    for more in [[("Checkin", 2)], [("Checkout", 2)]] {
        assert!(with(&more).iter().all(|item| *left(item) == SkipReason::MovedSince), "{more:?}");
    }
    assert!(stock(&ours[..1]).iter().all(|item| *left(item) == SkipReason::HolderUnknown), "a log with gaps");
}

#[test]
fn what_nobody_knows_is_said_and_what_failed_is_not() {
    let unknown = Story::default().created("locations", json!({"name": "Berlin"}), None).ends(StepResult::Unknown);
    assert_eq!(*left(&unknown.undone()[0]), SkipReason::OutcomeUnknown);
    let failed = Story::default().created("locations", json!({"name": "Berlin"}), None).ends(StepResult::Failed);
    assert!(failed.undone().is_empty());
}

#[test]
fn moves_go_back_before_records_and_records_in_reverse_order() {
    let items = Story::default()
        .created("employees", json!({"name": "Ada", "email": "ada@example.com"}), Some(json!({})))
        .created("assets", json!({"asset_id": "T-2", "product_id": 1, "status_id": 1}), Some(json!({})))
        .did(
            "checkout_asset",
            WriteKind::Create,
            json!({"asset_id": "T-2", "employee_id": 1, "checkout_date": "2026-01-02"}),
            None,
            None,
        )
        .holds("employees", json!({"id": 1, "name": "Ada", "email": "Ada@example.com"}))
        .holds(
            "assets",
            json!({"id": 2, "asset_id": "T-2", "product_id": 1, "status_id": 1, "deployed_to": [{"employee_id": 1}]}),
        )
        .undone();
    let labels: Vec<String> = batches(&items).into_iter().map(|batch| batch.label).collect();
    assert_eq!(labels, ["checkin_asset", "assets", "employees"]);
    assert!(items.iter().all(|item| item.kind().is_some()), "{items:?}");
}

#[test]
fn what_was_checked_out_of_a_changed_record_stays_out_and_keeps_its_holder() {
    let items = Story::default()
        .created("employees", json!({"name": "Ada", "email": "ada@example.com"}), Some(json!({})))
        .created("assets", json!({"asset_id": "T-2", "product_id": 1, "status_id": 1}), Some(json!({})))
        .did(
            "checkout_asset",
            WriteKind::Create,
            json!({"asset_id": "T-2", "employee_id": 1, "checkout_date": "2026-01-02"}),
            None,
            None,
        )
        .holds("employees", json!({"id": 1, "name": "Ada", "email": "ada@example.com"}))
        .holds(
            "assets",
            json!({"id": 2, "asset_id": "T-2", "product_id": 5, "status_id": 1, "deployed_to": [{"employee_id": 1}]}),
        )
        .undone();
    let [moved, employee, asset] = &items[..] else { panic!("{items:?}") };
    assert_eq!(*left(moved), SkipReason::ItemChanged);
    assert_eq!(*left(asset), SkipReason::Changed(vec!["product_id"]));
    assert!(matches!(left(employee), SkipReason::StillReferenced(by) if by.contains("T-2")));
}
