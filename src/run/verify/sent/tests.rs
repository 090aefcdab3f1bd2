//! What was sent beside what the account holds: values, moves, and who is told of.

#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::*;
use crate::plan::{DependsOn, StepRole};

fn step(number: u32, entity: &str, write: WriteKind, body: Json) -> Step {
    let row = RowId { sheet: 0, row: u64::from(number) + 2 };
    let entity = schema::find(entity).unwrap();
    Step { body: body.as_object().cloned().unwrap(), ..Step::new(number, row, StepRole::Row, entity, write) }
}

fn ended(step: &Step, result: StepResult, record: Option<i64>) -> StepOutcome {
    let (message, problems) = (String::new(), Vec::new());
    StepOutcome { step: step.number, result, record, after: None, message, problems }
}

#[test]
fn the_last_write_to_a_record_counts_and_ids_of_new_records_are_filled_in() {
    let mut sent = SentRecords::default();
    let mut add = |mut step: Step, result, record| {
        let outcome = ended(&step, result, record);
        sent.add_step(&mut step, &outcome);
    };
    add(step(0, "locations", WriteKind::Create, json!({"name": "Ulm"})), StepResult::Applied, Some(5));
    let mut asset = step(1, "assets", WriteKind::Create, json!({"asset_id": "A-1", "notes": "one", "status_id": 1}));
    asset.depends_on.push(DependsOn { step: 0, field: Some(String::from("location_id")) });
    add(asset, StepResult::Applied, Some(9));
    add(step(2, "assets", WriteKind::Update(9), json!({"notes": "two"})), StepResult::AlreadyApplied, Some(9));
    add(step(3, "assets", WriteKind::Update(8), json!({"notes": "never"})), StepResult::Failed, Some(8));
    let back = json!({"asset_id": 9, "status_id": 4, "checkin_date": "2026-11-24"});
    add(step(4, "checkin_asset", WriteKind::Create, back), StepResult::Applied, None);
    let mouse = json!({"accessory_id": 3, "employee_id": 1, "quantity": 1});
    add(step(5, "checkout_accessory", WriteKind::Create, mouse), StepResult::Applied, None);
    let asset = &sent.records[&("assets", 9)];
    assert_eq!(
        Json::from(asset.fields.clone()),
        json!({
            "asset_id": "A-1", "notes": "two", "status_id": 4, "location_id": 5,
        })
    );
    assert_eq!((asset.title.as_str(), asset.moved.is_some()), ("A-1", true));
    assert_eq!((sent.records.len(), sent.stock_moves), (2, 1));
    assert_eq!(sent.remarks().len(), 1);
}

#[test]
fn what_was_not_compared_is_told_if_there_is_any() {
    let mut sent = SentRecords::default();
    assert_eq!(sent.remarks(), [""; 0]);
    sent.stock_moves = 1;
    assert!(sent.remarks()[0].starts_with("1 move of stock"));
    (sent.failed_rows, sent.open_steps, sent.unknown) = (3, 2, 1);
    let begins = ["3 rows failed", "2 steps not sent", "1 step with unknown", "1 move"];
    let remarks = sent.remarks();
    assert!(remarks.iter().zip(begins).all(|(remark, begin)| remark.starts_with(begin)), "{remarks:?}");
    assert_eq!(remarks.len(), begins.len());
}

#[test]
fn the_records_that_differing_values_name_are_asked_for() {
    let assets = schema::find("assets").unwrap();
    let field = |name: &str| assets.field(name).unwrap();
    let difference = |content: RawContent| RawDifference {
        kind: DifferenceKind::Different,
        key: ("assets", 1),
        source: String::new(),
        content,
    };
    let moved = SentMove {
        step: 0,
        action: schema::find("checkout_asset").unwrap(),
        body: json!({"asset_id": "A-1", "employee_id": 2}).as_object().cloned().unwrap(),
    };
    let named = named_records(&[
        difference(RawContent::Field { field: field("location_id"), expected: json!(5), found: json!("6") }),
        difference(RawContent::Field { field: field("notes"), expected: json!("7"), found: Json::Null }),
        difference(RawContent::Holder { moved, found: json!([{"employee_id": 3}, {"location_id": 8}]) }),
        difference(RawContent::Record),
    ]);
    assert_eq!(named["locations"], BTreeSet::from([5, 6, 8]));
    assert_eq!(named["employees"], BTreeSet::from([2, 3]));
    assert_eq!(named.len(), 2);
}

#[test]
fn an_item_is_with_its_holder_or_with_nobody() {
    let moved = |action: &str, body: Json| SentMove {
        step: 0,
        action: schema::find(action).unwrap(),
        body: body.as_object().cloned().unwrap(),
    };
    let out = moved("checkout_asset", json!({"asset_id": "A-1", "employee_id": 2}));
    let back = moved("checkin_asset", json!({"asset_id": 1}));
    let is_held = |moved: &SentMove, held: Json| is_held_as_sent(moved, &object(json!({"deployed_to": held})));
    assert_eq!(is_held(&out, json!([{"employee_id": "2"}])), Some(true));
    assert_eq!((is_held(&out, json!([{"employee_id": 3}])), is_held(&out, Json::Null)), (Some(false), Some(false)));
    assert_eq!((is_held(&back, json!([])), is_held(&back, Json::Null)), (Some(true), Some(true)));
    assert_eq!(is_held(&back, json!([{"location_id": 3}])), Some(false));
    let unnamed = object(json!({"deployed_to": [], "checkout_date": "2026-01-02"}));
    assert_eq!((is_held_as_sent(&out, &unnamed), is_held_as_sent(&back, &unnamed)), (None, None));
}

fn object(value: Json) -> Record {
    value.as_object().cloned().unwrap()
}

/// What a run of these steps sent; each was applied, and gave that id.
fn sent_by(steps: Vec<(Step, Option<i64>)>) -> SentRecords {
    let mut sent = SentRecords::default();
    for (mut step, record) in steps {
        let outcome = ended(&step, StepResult::Applied, record);
        sent.add_step(&mut step, &outcome);
    }
    sent.add_moves_by_tag(&CurrentState::default());
    sent
}

/// The differences from what the account holds, as `kind record field expected found`, what it does not say of items that
/// were moved, and how much is equal.
fn compared(sent: &SentRecords, held: &[(&str, Json)]) -> (Vec<String>, u64) {
    let mut present = CurrentState::default();
    for (collection, record) in held {
        present.add(schema::collection(collection).unwrap(), object(record.clone()));
    }
    let mut comparison = RunComparison {
        sent,
        present: &present,
        findings: Findings::default(),
        unreported: BTreeSet::new(),
        unreported_moves: 0,
    };
    let sheets = [SheetHeader::without_columns(schema::collection("assets").unwrap())];
    let raw = comparison.compare(&sheets);
    let told = |raw: RawDifference| {
        let told = raw.told(sent, &present);
        let field = told.field.as_deref().unwrap_or("-");
        format!("{} {} {field} `{}` `{}`", told.kind.as_str(), told.record, told.expected, told.found)
    };
    let notes = comparison.findings.remarks.iter().map(|remark| remark.message.to_string());
    let notes = notes.filter(|note| note.contains(" of items: "));
    (raw.into_iter().map(told).chain(notes).collect(), comparison.findings.counts.equal)
}

#[test]
fn a_reply_without_a_field_says_nothing_about_it() {
    let sent = sent_by(vec![(
        step(0, "assets", WriteKind::Create, json!({"asset_id": "A-1", "notes": "one", "asset_name": "x"})),
        Some(1),
    )]);
    let differing = |held: &[(&str, Json)]| compared(&sent, held);
    assert_eq!(differing(&[("assets", json!({"id": 1, "asset_id": "A-1"}))]), (Vec::new(), 1));
    let other = ("assets", json!({"id": 2, "asset_id": "A-2", "notes": "x"}));
    let known = [("assets", json!({"id": 1, "asset_id": "A-1"})), other];
    assert_eq!(differing(&known), (vec![String::from("different A-1 notes `one` ``")], 1), "other records have it");
    assert_eq!(differing(&[]), (vec![String::from("missing A-1 - `A-1` ``")], 0));
}

#[test]
fn what_was_deleted_last_is_to_be_gone() {
    let create = step(0, "locations", WriteKind::Create, json!({"name": "Ulm"}));
    let delete = |number| step(number, "locations", WriteKind::Delete(1), json!({}));
    let back = step(2, "locations", WriteKind::Create, json!({"name": "Bonn"}));
    let gone = sent_by(vec![(create.clone(), Some(1)), (delete(1), None)]);
    let held = ("locations", json!({"id": 1, "name": "Ulm"}));
    assert_eq!(compared(&gone, &[]), (Vec::new(), 1));
    assert_eq!(compared(&gone, std::slice::from_ref(&held)), (vec![String::from("extra Ulm - `` `Ulm`")], 0));
    let again = sent_by(vec![(delete(0), None), (back, Some(1))]);
    assert_eq!(compared(&again, &[held]).0, ["different Bonn name `Bonn` `Ulm`"]);
    let mut told = delete(0);
    told.before = Some(object(json!({"id": 1, "name": "Ulm"})));
    assert_eq!(sent_by(vec![(told, None)]).records[&("locations", 1)].title, "Ulm");
}

#[test]
fn custom_fields_are_compared_one_by_one_and_others_are_left_out() {
    let pairs =
        json!([{"name": "Rack", "value": " A "}, {"name": "MAC", "value": "aa"}, {"name": "Bay", "value": "1"}]);
    let sent = sent_by(vec![(step(0, "assets", WriteKind::Update(1), json!({"custom_fields": pairs})), None)]);
    let held = json!({"id": 1, "asset_id": "A-1", "custom_fields": {"Rack": "A", "MAC": "bb", "New": "x"}});
    let differing = ["different A-1 custom:Bay `1` ``", "different A-1 custom:MAC `aa` `bb`"];
    assert_eq!(compared(&sent, &[("assets", held)]), (differing.map(str::to_owned).to_vec(), 1));
}

#[test]
fn custom_fields_that_a_write_only_carries_along_are_not_compared() {
    let field = |name: &str, value: &str| json!({"name": name, "value": value});
    let update = |number, fields: [Json; 2], before: Json| {
        let mut step = step(number, "assets", WriteKind::Update(1), json!({"custom_fields": fields}));
        step.before = Some(object(json!({"id": 1, "custom_fields": before})));
        (step, None)
    };
    let sent = sent_by(vec![
        update(0, [field("Owner", "ann"), field("Rack", "R7")], json!([field("Owner", "ann")])),
        update(1, [field("Owner", "ann"), field("Rack", "R8")], json!({"Owner": "ann", "Rack": "R7"})),
    ]);
    let held = |rack: &str| json!({"id": 1, "asset_id": "A-1", "custom_fields": {"Owner": "bob", "Rack": rack}});
    assert_eq!(compared(&sent, &[("assets", held("R8"))]), (Vec::new(), 1));
    let differing = vec![String::from("different A-1 custom:Rack `R8` `R7`")];
    assert_eq!(compared(&sent, &[("assets", held("R7"))]), (differing, 0));
}

#[test]
fn values_are_told_by_the_names_of_what_they_refer_to() {
    let assets = schema::find("assets").unwrap();
    let works = schema::find("maintenances").unwrap();
    let describe = |collection: &str, id: i64| format!("{collection} {id}");
    let told =
        |entity: &'static Entity, field: &str, value: Json| value_text(entity.field(field).unwrap(), &value, &describe);
    assert_eq!(told(assets, "location_id", json!(5)), "locations 5");
    assert_eq!(told(assets, "location_id", json!("5")), "locations 5");
    assert_eq!(told(assets, "location_id", json!({"id": 5})), "locations 5");
    assert_eq!(told(assets, "location_id", json!(null)), "");
    assert_eq!(told(assets, "location_id", json!("odd")), "odd");
    assert_eq!(told(works, "asset_id", json!("7")), "7", "a tag of digits is a tag");
    assert_eq!(told(works, "asset_id", json!(7)), "assets 7");
    assert_eq!(told(assets, "purchase_date", json!("2026-01-02T00:00:00Z")), "2026-01-02");
    assert_eq!(told(assets, "purchase_date", json!("2026")), "2026");
    assert_eq!(told(assets, "notes", json!("2026-01-02T00:00:00Z")), "2026-01-02T00:00:00Z");
}

#[test]
fn a_move_is_of_the_item_that_its_id_or_tag_names() {
    let out = |number, asset: Json| {
        step(number, "checkout_asset", WriteKind::Create, json!({"asset_id": asset, "employee_id": 2}))
    };
    let mut known = out(1, json!("OTHER"));
    known.before = Some(object(json!({"id": 8})));
    let sent = sent_by(vec![
        (step(0, "assets", WriteKind::Create, json!({"asset_id": " A-1 "})), Some(9)),
        (known, None),
        (out(2, json!("A-1")), None),
        (out(3, json!("LOST")), None),
        (step(4, "checkin_asset", WriteKind::Create, json!({"asset_id": 7, "status_id": 3})), None),
    ]);
    assert_eq!(sent.records.keys().collect::<Vec<_>>(), [&("assets", 7), &("assets", 8), &("assets", 9)]);
    assert!([7, 8, 9].iter().all(|id| sent.records[&("assets", *id)].moved.is_some()));
    assert_eq!((sent.unknown, sent.records[&("assets", 8)].title.as_str()), (1, "OTHER"));
    assert_eq!(sent.records[&("assets", 9)].title, " A-1 ", "its own name stays");
    let found = ("assets", json!({"id": 8, "asset_id": "A-8", "deployed_to": [{"location_id": 4}]}));
    assert!(compared(&sent, &[found]).0.contains(&String::from("different OTHER assigned_to `#2` `#4`")));
    let silent = [8, 9].map(|id| ("assets", json!({"id": id, "asset_id": "x"})));
    let told = compared(&sent, &silent).0;
    assert!(!told.iter().any(|told| told.contains("assigned_to")), "no reply tells: {told:?}");
    assert!(
        told.contains(&String::from("2 moves of items: the account does not say who has them now, so not compared"))
    );
}

#[test]
fn a_check_out_is_of_the_item_that_had_the_tag_when_it_was_planned() {
    let out = |number, tag: &str, before: Json| {
        let step = step(number, "checkout_asset", WriteKind::Create, json!({"asset_id": tag, "employee_id": 1}));
        Step { before: before.as_object().cloned(), ..step }
    };
    let steps = [out(0, "A-5", json!({"id": 5, "deployed_to": null})), out(1, "A-7", Json::Null)];
    let mut sent = SentRecords::default();
    for mut step in steps {
        let outcome = ended(&step, StepResult::Applied, None);
        sent.add_step(&mut step, &outcome);
    }
    let action = |sent: &SentRecords, id| sent.records[&("assets", id)].moved.as_ref().unwrap().action.name;
    assert_eq!(action(&sent, 5), "checkout_asset");
    assert_eq!((sent.unknown, sent.records.len(), sent.fetch.tags.len()), (0, 1, 1));
    let mut present = CurrentState::default();
    present.add(schema::collection("assets").unwrap(), object(json!({"id": 7, "asset_id": "A-7"})));
    sent.add_moves_by_tag(&present);
    assert_eq!((action(&sent, 7), sent.unknown), ("checkout_asset", 0));
}

#[test]
fn a_move_of_which_only_the_tag_is_known_does_not_hide_a_later_one() {
    let mut sent = SentRecords::default();
    let bodies = [
        ("checkout_asset", json!({"asset_id": "A-5", "employee_id": 1})),
        ("checkin_asset", json!({"asset_id": 5, "status_id": 3})),
        ("checkout_asset", json!({"asset_id": "GONE", "employee_id": 1})),
    ];
    for (number, (action, body)) in (0..).zip(bodies) {
        let mut step = step(number, action, WriteKind::Create, body);
        let outcome = ended(&step, StepResult::Applied, None);
        sent.add_step(&mut step, &outcome);
    }
    let mut present = CurrentState::default();
    present.add(schema::collection("assets").unwrap(), object(json!({"id": 5, "asset_id": "A-5"})));
    sent.add_moves_by_tag(&present);
    let moved = sent.records[&("assets", 5)].moved.as_ref().unwrap();
    assert_eq!((moved.action.name, sent.unknown, sent.records.len()), ("checkin_asset", 1, 1));
}

#[test]
fn tags_of_records_that_the_run_did_not_make_are_fetched() {
    let work = |number, tag: &str| {
        (step(number, "maintenances", WriteKind::Create, json!({"asset_id": tag, "name": "Fan"})), Some(7))
    };
    let sent = sent_by(vec![
        (step(0, "assets", WriteKind::Create, json!({"asset_id": "A-1"})), Some(9)),
        work(1, "A-1"),
        work(2, " A-2 "),
    ]);
    assert_eq!(sent.fetch.tags.iter().collect::<Vec<_>>(), ["A-2"]);
    assert_eq!((sent.fetch.ids["assets"].len(), sent.fetch.ids["maintenances"].len()), (1, 1));
    let differing = compared(
        &sent,
        &[
            ("assets", json!({"id": 9, "asset_id": "A-1"})),
            ("maintenances", json!({"id": 7, "asset_id": 9, "name": "Fan"})),
        ],
    );
    assert_eq!(differing.0, ["different Fan asset_id ` A-2 ` `A-1`"]);
}

#[test]
fn what_has_no_id_or_no_end_is_not_compared() {
    let mut sent = sent_by(vec![(step(0, "locations", WriteKind::Create, json!({"name": "Ulm"})), None)]);
    assert_eq!((sent.unknown, sent.records.len()), (1, 0));
    let mut lost = step(1, "locations", WriteKind::Update(3), json!({"name": "Bonn"}));
    let outcome = ended(&lost, StepResult::Unknown, None);
    sent.add_step(&mut lost, &outcome);
    assert_eq!((sent.unknown, sent.records.len()), (2, 0));
}

#[test]
fn the_last_change_of_a_record_by_the_run_counts() {
    let mut sent = SentRecords::default();
    for (number, time) in
        [(0, "2026-01-02T00:00:00Z"), (1, "2026-01-04T00:00:00Z"), (2, "2026-01-03T00:00:00Z"), (3, "odd")]
    {
        let mut step = step(number, "locations", WriteKind::Update(5), json!({"city": "x"}));
        let outcome =
            StepOutcome { after: Some(object(json!({"updated_at": time}))), ..ended(&step, StepResult::Applied, None) };
        sent.add_step(&mut step, &outcome);
    }
    let record = &sent.records[&("locations", 5)];
    assert_eq!(record.changed_at.unwrap().to_string(), "2026-01-04T00:00:00Z");
    assert_eq!(record.row.unwrap().row, 2, "the first row that is about it");
}

#[test]
fn the_digest_tells_what_was_sent_and_what_came_of_it() {
    let digest =
        |body: Json, record| sent_by(vec![(step(0, "locations", WriteKind::Create, body), record)]).digest.finish();
    let one = || digest(json!({"name": "Ulm", "city": "x"}), Some(1));
    assert_eq!(one(), digest(json!({"city": "x", "name": "Ulm"}), Some(1)));
    assert_ne!(one(), digest(json!({"name": "Ulm", "city": "x"}), Some(2)));
    assert_ne!(one(), digest(json!({"name": "Ulm", "city": "y"}), Some(1)));
}

#[test]
fn sums_take_amounts_that_are_numbers_and_the_currency_that_was_sent() {
    let assets = schema::find("assets").unwrap();
    let of = |body: Json| (amounts(assets, &object(body.clone())), currency(assets, &object(body)));
    let cost = |amount: &str| vec![StatedAmount { field: "purchase_cost", amount: Some(amount.parse().unwrap()) }];
    assert_eq!(of(json!({"purchase_cost": "12.50", "currency": "EUR"})), (cost("12.50"), Some(String::from("EUR"))));
    assert_eq!(of(json!({"purchase_cost": 3, "currency": ""})), (cost("3"), None));
    assert_eq!(of(json!({"purchase_cost": "many"})), (Vec::new(), None));
}

#[test]
fn a_value_in_another_form_is_equal_and_a_holder_that_is_null_is_none() {
    let body = json!({"asset_id": "A-1", "purchase_cost": 12, "location_id": 5, "asset_name": "x "});
    let out = json!({"asset_id": "A-1", "employee_id": 2});
    let sent = sent_by(vec![
        (step(0, "assets", WriteKind::Create, body), Some(1)),
        (step(1, "checkout_asset", WriteKind::Create, out), None),
    ]);
    let held = |out: Json| {
        json!({
            "id": 1, "asset_id": "A-1", "purchase_cost": "12.00", "location_id": {"id": 5, "name": "Ulm"},
            "asset_name": "x", "deployed_to": out,
        })
    };
    assert_eq!(compared(&sent, &[("assets", held(json!([{"employee_id": 2}])))]), (Vec::new(), 5));
    let differing = vec![String::from("different A-1 assigned_to `#2` ``")];
    assert_eq!(compared(&sent, &[("assets", held(json!(null)))]), (differing, 4));
}
