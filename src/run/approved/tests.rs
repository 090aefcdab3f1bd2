//! What an approved plan is held against, and what it refuses.

#![allow(clippy::unwrap_used)]

use futures::executor::block_on;
use serde_json::json;

use super::changed::{changed_fields, holder_of, shown_holders};
use super::existing::key_text;
use super::*;
use crate::account::AccountIdentity;
use crate::catalog::fake_source::FakeSource;
use crate::plan::{ActionRequest, PriorAction};
use crate::run::journal::{AccountSnapshot, JournalLocation, RunDetails, RunHeader, RunKind};
use crate::run::prepare::tests::{Office, Told};

/// A step of a plan, which stands in the row after the one before; approved.
fn proposed(number: u32, entity: &str, write: WriteKind, content: Json) -> ProposedStep {
    ProposedStep {
        number,
        row: RowId { sheet: 0, row: u64::from(number) + 2 },
        entity: schema::find(entity).unwrap(),
        write,
        is_approved: true,
        content: content.to_string().into(),
    }
}

fn creates(number: u32, entity: &str, body: Json) -> ProposedStep {
    proposed(number, entity, WriteKind::Create, json!({"body": body}))
}

fn declined(step: ProposedStep) -> ProposedStep {
    ProposedStep { is_approved: false, ..step }
}

/// What is decided about steps: `send`, `not approved`, or the code and message of the problem.
fn decided(source: FakeSource, steps: &[ProposedStep]) -> Vec<String> {
    let catalog = block_on(Catalog::fetch(&source, &lookups(steps), &mut |_, _| {})).unwrap();
    decisions(steps, &catalog, &mut KnownActions::default()).iter().map(shown).collect()
}

fn shown(decision: &StepDecision) -> String {
    match decision {
        StepDecision::Send => String::from("send"),
        StepDecision::SendMerged(merged) => format!("send {:?}", merged.body),
        StepDecision::AlreadyDone { message } => message.clone(),
        StepDecision::NotApproved => String::from("not approved"),
        StepDecision::Rejected(problem) => format!("{}: {}", problem.code().as_str(), problem.error.message),
    }
}

#[test]
fn the_change_of_a_record_that_is_needed_is_told_by_its_name() {
    let change = |id: i64| proposed(0, "assets", WriteKind::Update(id), json!({"body": {"status_id": 1}}));
    let body =
        |id: i64| json!({"body": {"asset_id": id, "employee_id": 1}, "depends_on": [{"step": 0, "field": null}]});
    let needs = |id: i64| {
        let out = proposed(1, "checkout_asset", WriteKind::Create, body(id));
        decided(account(), &[declined(change(id)), out]).remove(1)
    };
    assert_eq!(needs(3), "dependency.left_out: it needs asset `A-3`, which was not approved");
    assert_eq!(needs(9), "dependency.left_out: it needs asset #9, which was not approved");
}

#[test]
fn an_item_stays_with_its_holder_where_it_would_go_to_nobody_else() {
    let back = |needs: Json| {
        let body = json!({"asset_id": 1, "status_id": 1});
        let before = json!({"deployed_to": [{"employee_id": 1}]});
        let content = json!({"body": body, "before": before, "depends_on": needs});
        proposed(1, "checkin_asset", WriteKind::Create, content)
    };
    let out = || {
        let needs = json!([{"step": 0, "field": "employee_id"}, {"step": 1, "field": null}]);
        let content = json!({"body": {"asset_id": "A-1"}, "before": {"deployed_to": null}, "depends_on": needs});
        proposed(2, "checkout_asset", WriteKind::Create, content)
    };
    let person = || creates(0, "employees", json!({"name": "Eve", "email": "eve@example.com"}));
    let first = || json!([{"step": 0, "field": null}]);
    assert_eq!(decided(account(), &[person(), back(first()), out()]), ["send", "send", "send"]);
    let needed = "dependency.left_out: it needs employee `Eve`, which was not approved";
    let nobody = [declined(person()), back(first()), out()];
    assert_eq!(decided(account(), &nobody), ["not approved", needed, needed]);
    let declined_out = [person(), back(first()), declined(out())];
    let made_way = "dependency.left_out: it only makes way for the check-out of `A-1`, which was not approved";
    assert_eq!(decided(account(), &declined_out), ["send", made_way, "not approved"]);
    let cannot = "dependency.left_out: it only makes way for the check-out of `A-1`, which cannot be sent";
    let without = [declined(person()), back(json!([])), out()];
    assert_eq!(decided(account(), &without), ["not approved", cannot, needed]);
}

/// Three laptops of which Ada has the first and Berlin the second, and what they need.
fn account() -> FakeSource {
    let held = |id: i64, tag: &str, holder: Json| json!({"id": id, "asset_id": tag, "product_id": 1, "status_id": 1, "deployed_to": holder});
    FakeSource::new()
        .with("employees", [json!({"id": 1, "name": "Ada", "email": "ada@example.com"})])
        .with("locations", [json!({"id": 7, "name": "Berlin", "city": "Ulm"}), json!({"id": 8, "name": "Bonn"})])
        .with(
            "assets",
            [
                held(1, "A-1", json!([{"employee_id": 1}])),
                held(2, "A-2", json!([{"location_id": 7}])),
                held(3, "A-3", Json::Null),
            ],
        )
        .with("products", [json!({"id": 1, "name": "X1", "model_number": "G9", "category_id": 1})])
        .with("accessories", [json!({"id": 5, "name": "Mouse", "available": 2, "deployed_to": [{"employee_id": 1}]})])
}

fn updates(number: u32, id: i64, content: Json) -> ProposedStep {
    proposed(number, "locations", WriteKind::Update(id), content)
}

#[test]
fn a_record_that_changed_or_is_gone_since_the_plan_is_left_alone() {
    let update = |id: i64, before: &str| updates(0, id, json!({"body": {"city": "Bonn"}, "before": {"city": before}}));
    assert_eq!(decided(account(), &[update(7, "Ulm")]), ["send"]);
    assert_eq!(
        decided(account(), &[update(7, "Köln")]),
        ["record.conflict: changed since the plan was made: city was `Köln`, is `Ulm`"]
    );
    assert_eq!(decided(account(), &[update(9, "Ulm")]), ["record.missing: the record is not there any more"]);
    assert_eq!(decided(account(), &[declined(update(9, "Ulm"))]), ["not approved"]);
    let delete =
        |id: i64, before: Json| proposed(0, "locations", WriteKind::Delete(id), json!({"body": {}, "before": before}));
    assert_eq!(decided(account(), &[delete(7, json!({"id": 7, "name": "Berlin", "city": "Ulm"}))]), ["send"]);
    assert_eq!(
        decided(account(), &[delete(7, json!({"name": "Bern", "city": null}))]),
        ["record.conflict: changed since the plan was made: name was `Bern`, is `Berlin`; city was empty, is `Ulm`"]
    );
    assert_eq!(decided(account(), &[delete(9, json!({}))]), ["record.missing: the record is not there any more"]);
}

#[test]
fn a_record_that_somebody_has_made_since_the_plan_is_not_made_again() {
    let made = |entity: &str, body: Json| decided(account(), &[creates(0, entity, body)]).remove(0);
    assert_eq!(made("locations", json!({"name": "Kiel"})), "send");
    assert_eq!(made("locations", json!({"name": "berlin"})), "record.exists: made since the plan was made: Berlin");
    let product = |model: &str, category: i64| {
        made("products", json!({"name": "X1", "model_number": model, "category_id": category}))
    };
    assert_eq!(product("G9", 1), "record.exists: made since the plan was made: X1");
    assert_eq!(product("G10", 1), "send");
    // A blank is no key: the rest of it decides.
    for model in [json!(null), json!(" ")] {
        let body = json!({"name": "X1", "model_number": model, "category_id": 1});
        assert_eq!(made("products", body), "record.exists: made since the plan was made: X1");
    }
    assert_eq!(
        made("products", json!({"name": "X1", "category_id": 1})),
        "record.exists: made since the plan was made: X1"
    );
    assert_eq!(made("products", json!({"name": "X2", "category_id": 1})), "send");
    let twice = account().with("locations", [json!({"id": 9, "name": "Berlin"})]);
    let found = decided(twice, &[creates(0, "locations", json!({"name": "Berlin"}))]).remove(0);
    assert!(found.starts_with("record.exists: made since the plan was made: Berlin (#7"), "{found}");
}

#[test]
fn a_key_of_references_is_compared_by_id_and_not_where_the_run_makes_what_it_names() {
    let work = |asset: Json| json!({"asset_id": asset, "name": "Fan", "type": "repair", "start_date": "2026-03-02"});
    let source = || {
        account().with(
            "maintenances",
            [json!({"id": 4, "name": "Fan", "asset_id": 1, "type": "repair", "start_date": "2026-03-02"})],
        )
    };
    let held = |asset: Json| decided(source(), &[creates(0, "maintenances", work(asset))]).remove(0);
    let key = schema::find("maintenances").unwrap().key;
    assert!(key.contains(&"asset_id"), "{key:?}");
    assert!(held(json!(1)).starts_with("record.exists: made since the plan was made: "), "{}", held(json!(1)));
    assert_eq!(held(json!(2)), "send");
    // A tag, whatever it looks like, is no id.
    assert!(held(json!("A-1")).starts_with("record.exists: "), "{}", held(json!("A-1")));
    assert_eq!([held(json!("A-2")), held(json!("1"))], ["send", "send"]);
    let asset = creates(0, "assets", json!({"asset_id": "A-9", "product_id": 1, "status_id": 1}));
    let waits = json!({"body": work(Json::Null), "depends_on": [{"step": 0, "field": "asset_id"}]});
    let steps = [asset, proposed(1, "maintenances", WriteKind::Create, waits)];
    assert_eq!(decided(source(), &steps), ["send", "send"]);
}

#[test]
fn a_record_is_looked_for_by_the_fields_that_its_row_was_matched_by() {
    let source = || account().with("assets", [json!({"id": 4, "asset_id": "A-4", "asset_serial": "S-1"})]);
    let asset = |match_on: Json| {
        let body = json!({"asset_id": "A-9", "asset_serial": "S-1", "product_id": 1, "status_id": 1});
        let content = json!({"body": body, "match_on": match_on});
        decided(source(), &[proposed(0, "assets", WriteKind::Create, content)]).remove(0)
    };
    assert_eq!(asset(json!(["asset_serial"])), "record.exists: made since the plan was made: A-4");
    assert_eq!(asset(json!(null)), "send", "a plan of an earlier version: by the natural key");
    assert_eq!(asset(json!(["asset_id", "asset_serial"])), "send");
}

#[test]
fn custom_fields_are_compared_one_by_one() {
    let held = json!([{"name": "Rack", "value": "R1"}, {"name": "Other", "value": "Z"}]);
    let source = || account().with("locations", [json!({"id": 9, "name": "Ulm", "custom_fields": held.clone()})]);
    let update = |before: Json, after: Json| {
        let content = json!({"body": {"custom_fields": after}, "before": {"custom_fields": before}});
        decided(source(), &[updates(0, 9, content)]).remove(0)
    };
    let rack = |text: &str| json!([{"name": "Rack", "value": text}]);
    let merged = update(rack("R1"), rack("R2"));
    assert!(merged.starts_with("send {") && merged.contains("R2") && merged.contains("Other"), "{merged}");
    assert_eq!(update(held.clone(), json!([{"name": "Rack", "value": "R2"}, {"name": "Other", "value": "Z"}])), "send");
    assert_eq!(
        update(rack("R0"), rack("R2")),
        "record.conflict: changed since the plan was made: custom:Rack was `R0`, is `R1`"
    );
    assert_eq!(
        update(json!(null), json!([{"name": "Other", "value": "Y"}])),
        "record.conflict: changed since the plan was made: custom:Other was empty, is `Z`"
    );
    let delete = json!({"body": {}, "before": {"id": 9, "name": "Ulm", "custom_fields": rack("R1")}});
    assert_eq!(
        decided(source(), &[proposed(0, "locations", WriteKind::Delete(9), delete)]),
        ["record.conflict: changed since the plan was made: custom:Other was empty, is `Z`"]
    );
}

#[test]
fn what_needs_a_step_that_is_not_sent_is_not_sent_either() {
    let steps = |is_approved: bool, name: &str| {
        let place = ProposedStep { is_approved, ..creates(0, "locations", json!({"name": name})) };
        let person = json!({
            "body": {"name": "Eve", "email": "eve@example.com"},
            "depends_on": [{"step": 0, "field": "location_id"}],
        });
        let asset = json!({"body": {"asset_id": "A-9"}, "depends_on": [{"step": 3, "field": "location_id"}]});
        [place, proposed(3, "employees", WriteKind::Create, person), proposed(4, "assets", WriteKind::Create, asset)]
    };
    assert_eq!(decided(account(), &steps(true, "Kiel")), ["send", "send", "send"]);
    assert_eq!(
        decided(account(), &steps(false, "Kiel")),
        [
            "not approved",
            "dependency.left_out: it needs location `Kiel`, which was not approved",
            "dependency.left_out: it needs employee `Eve`, which cannot be sent",
        ]
    );
    assert_eq!(
        decided(account(), &steps(true, "Bonn"))[1],
        "dependency.left_out: it needs location `Bonn`, which cannot be sent"
    );
}

#[test]
fn an_item_that_somebody_else_has_by_now_is_not_moved() {
    let moved = |action: &str, item: Json, before: Json| {
        let body = json!({"asset_id": item, "employee_id": 1, "checkout_date": "2026-03-02"});
        let content = json!({"body": body, "before": before});
        decided(account(), &[proposed(0, action, WriteKind::Create, content)]).remove(0)
    };
    let by_ada = json!({"deployed_to": [{"employee_id": 1}]});
    let nobody = json!({"deployed_to": []});
    assert_eq!(moved("checkout_asset", json!("A-3"), nobody.clone()), "send");
    assert_eq!(
        moved("checkout_asset", json!("A-1"), nobody.clone()),
        "record.conflict: changed since the plan was made: it was with nobody, and is with `employee #1`"
    );
    assert_eq!(
        moved("checkout_asset", json!("A-2"), nobody.clone()),
        "record.conflict: changed since the plan was made: it was with nobody, and is with `location #7`"
    );
    assert_eq!(moved("checkin_asset", json!(1), by_ada.clone()), "send");
    assert_eq!(
        moved("checkin_asset", json!(3), by_ada.clone()),
        "record.conflict: changed since the plan was made: it was with `employee #1`, and is with nobody"
    );
    assert_eq!(
        moved("checkin_asset", json!(2), by_ada.clone()),
        "record.conflict: changed since the plan was made: it was with `employee #1`, and is with `location #7`"
    );
    // Nobody is listed, and yet it was checked out.
    let gone = || {
        let asset =
            json!({"id": 4, "asset_id": "A-4", "status_id": 1, "deployed_to": [], "checkout_date": "2026-03-01"});
        FakeSource::new().with("assets", [asset])
    };
    let unnamed = |before: &Json| {
        let body = json!({"asset_id": "A-4", "employee_id": 1, "checkout_date": "2026-03-02"});
        let content = json!({"body": body, "before": before});
        decided(gone(), &[proposed(0, "checkout_asset", WriteKind::Create, content)]).remove(0)
    };
    assert_eq!(
        unnamed(&nobody),
        "record.conflict: changed since the plan was made: it was with nobody, and is with `somebody`"
    );
    assert_eq!(unnamed(&json!({"deployed_to": [], "checkout_date": "2026-03-01"})), "send", "as when it was planned");
    // The run checks it in itself, nothing is known of its state before, or the account does not have it.
    assert_eq!(moved("checkout_asset", json!("A-2"), json!({"deployed_to": null})), "send");
    assert_eq!(moved("checkout_asset", json!("A-2"), json!({})), "send");
    assert_eq!(moved("checkout_asset", json!(true), by_ada), "send");
    assert_eq!(
        moved("checkout_asset", json!("A-9"), nobody.clone()),
        "record.missing: there is no asset `A-9` any more"
    );
    assert_eq!(moved("checkout_asset", json!(9), nobody), "record.missing: there is no asset #9 any more");
}

#[test]
fn an_item_is_the_one_that_had_the_tag_when_the_plan_was_made() {
    let out = |tag: &str, planned: i64, needs: Json| {
        let body = json!({"asset_id": tag, "employee_id": 1, "checkout_date": "2026-03-02"});
        let content = json!({"body": body, "before": {"id": planned, "deployed_to": null}, "depends_on": needs});
        proposed(1, "checkout_asset", WriteKind::Create, content)
    };
    assert_eq!(decided(account(), &[out("A-3", 3, json!([]))]), ["send"]);
    let other = "record.conflict: changed since the plan was made: asset `A-3` is another record";
    assert_eq!(decided(account(), &[out("A-3", 2, json!([]))]), [other]);
    let retag = || {
        let content = json!({"body": {"asset_id": "A-7"}, "before": {"asset_id": "A-3"}});
        proposed(0, "assets", WriteKind::Update(3), content)
    };
    let first = || json!([{"step": 0, "field": null}]);
    assert_eq!(decided(account(), &[retag(), out("A-7", 3, first())]), ["send", "send"]);
    let other = "record.conflict: changed since the plan was made: asset `A-7` is another record";
    assert_eq!(decided(account(), &[retag(), out("A-7", 2, first())]), ["send", other]);
    let gone = "record.missing: there is no asset `A-7` any more";
    assert_eq!(decided(account(), &[declined(retag()), out("A-7", 3, json!([]))]), ["not approved", gone]);
}

#[test]
fn of_what_is_kept_in_stock_the_service_decides() {
    let body = json!({"accessory_id": 5, "employee_id": 1, "quantity": 1, "checkout_date": "2026-03-02"});
    let content = json!({"body": body, "before": {"available": 9, "deployed_to": []}});
    assert_eq!(decided(account(), &[proposed(0, "checkout_accessory", WriteKind::Create, content)]), ["send"]);
}

#[test]
fn items_that_the_run_makes_are_not_looked_up() {
    let out = |item: Json, before: Json| {
        let body = json!({"asset_id": item, "employee_id": 1, "checkout_date": "2026-03-02"});
        // A person whom the run makes.
        let needs = json!([{"step": 0, "field": "employee_id"}]);
        proposed(1, "checkout_asset", WriteKind::Create, json!({"body": body, "before": before, "depends_on": needs}))
    };
    let asked = |step: ProposedStep| format!("{:?}", lookups(&[declined(creates(0, "employees", json!({}))), step]));
    assert!(asked(out(json!("A-9"), json!({"id": 9}))).contains("\"A-9\""));
    assert!(!asked(out(json!("A-9"), Json::Null)).contains("A-9"));
    assert!(asked(out(json!(77), json!({"id": 77}))).contains("77"));
    assert_eq!(asked(declined(out(json!("A-9"), json!({"id": 9})))), format!("{:?}", LookupRequest::default()));
}

#[test]
fn records_are_looked_up_by_their_key_or_among_all() {
    let asked = |body: Json| format!("{:?}", lookups(&[creates(0, "locations", body)]));
    assert!(asked(json!({"name": "Kiel"})).contains("\"Kiel\""));
    assert!(asked(json!({})).contains("is_any: false"), "{}", asked(json!({})));
    assert!(asked(json!({"name": 7})).contains("is_any: true"), "{}", asked(json!({"name": 7})));
    let update = format!("{:?}", lookups(&[updates(0, 741, json!({"body": {}}))]));
    assert!(update.contains("741") && update.contains("[\"name\"]"), "{update}");
}

#[test]
fn a_step_without_sense_is_not_sent() {
    let broken = ProposedStep { content: "{".into(), ..creates(0, "locations", json!({"name": "Kiel"})) };
    assert!(broken.step().is_none());
    let whole = creates(4, "locations", json!({"name": "Kiel"})).step().unwrap();
    assert_eq!((whole.number, whole.row.row, whole.role, whole.write), (4, 6, StepRole::Row, WriteKind::Create));
    assert_eq!((whole.body["name"].as_str(), whole.depends_on.len(), whole.before), (Some("Kiel"), 0, None));
}

#[test]
fn steps_are_described_by_what_they_are_about() {
    let said = |entity: &str, body: Json| described(&creates(0, entity, body).step().unwrap(), &Catalog::default());
    assert_eq!(said("products", json!({"name": "X1"})), "product `X1`");
    assert_eq!(said("checkout_asset", json!({"asset_id": "A-1"})), "the check-out of `A-1`");
    assert_eq!(said("checkin_asset", json!({"asset_id": 12})), "the check-in of #12");
    assert_eq!(said("assets", json!({"asset_id": "A-1", "name": null})), "asset `A-1`");
    assert_eq!(said("locations", json!({})), "location");
    let mut catalog = Catalog::default();
    let item = json!({"id": 12, "asset_id": "A-12"}).as_object().cloned().unwrap();
    catalog.insert_known(schema::find("assets").unwrap(), 12, item);
    let back = creates(0, "checkin_asset", json!({"asset_id": 12})).step().unwrap();
    assert_eq!(described(&back, &catalog), "the check-in of `A-12`");
    let broken = ProposedStep { content: "".into(), ..creates(0, "locations", json!({})) };
    assert_eq!(
        blocked_by("it needs", &broken, &Catalog::default()).error.message,
        "it needs location, which cannot be sent"
    );
}

#[test]
fn holders_of_whom_little_is_known_are_named_all_the_same() {
    let item = schema::collection("assets").unwrap();
    assert_eq!(holder_of(&json!({"asset_id": 3}), item), "asset_id 3");
    assert_eq!(holder_of(&json!({"something": 3}), item), "another asset");
    assert_eq!(shown_holders(&[]), "nobody");
    assert_eq!(shown_holders(&[String::from("Ada"), String::from("Bob")]), "`Ada`, `Bob`");
    assert_eq!(
        ["x".into(), json!(7), json!(true)].map(|value| key_text(&value)),
        [Some("x".into()), Some("7".into()), None]
    );
}

#[test]
fn what_is_sent_is_counted_by_kind() {
    let steps = [
        creates(0, "locations", json!({"name": "Kiel"})),
        creates(1, "checkout_asset", json!({"asset_id": "A-1"})),
        updates(2, 7, json!({"body": {"city": null, "zip": null, "state": "BE"}})),
        updates(3, 8, json!({"body": {"city": null}})),
        proposed(4, "locations", WriteKind::Delete(9), json!({"body": {}})),
        creates(5, "locations", json!({"name": "Ulm"})),
    ];
    let rack = |value: &str| json!([{"name": "Rack", "value": value}]);
    let without = json!({"body": {"custom_fields": rack("")}, "before": {"custom_fields": rack("B4")}});
    let steps = steps.into_iter().chain([proposed(6, "assets", WriteKind::Update(1), without)]).collect::<Vec<_>>();
    let (send, not) = (StepDecision::Send, StepDecision::NotApproved);
    let decisions = [send.clone(), send.clone(), send.clone(), not.clone(), send.clone(), not, send];
    let counted = totals(&steps, &decisions);
    assert_eq!((counted.rows, counted.creates, counted.updates), (7, 1, 2));
    assert_eq!((counted.clears, counted.deletes), (3, 1));
}

#[test]
fn steps_are_numbered_anew_and_rows_say_what_becomes_of_them() {
    let waits = json!({
        "body": {"name": "Eve", "email": "eve@example.com"},
        "depends_on": [{"step": 2, "field": "location_id"}, {"step": 9, "field": null}],
    });
    let steps = vec![
        declined(creates(0, "locations", json!({"name": "Ulm"}))),
        creates(2, "locations", json!({"name": "Kiel"})),
        updates(3, 7, json!({"body": {"city": "Bonn"}, "before": {"city": "Ulm"}})),
        proposed(5, "employees", WriteKind::Create, waits),
        updates(6, 8, json!({"body": {"city": "Bonn"}})),
    ];
    let problem = blocked_by("it needs", &steps[0], &Catalog::default());
    let send = StepDecision::Send;
    let rejected = StepDecision::Rejected(Box::new(problem.clone()));
    let decisions = [StepDecision::NotApproved, send.clone(), rejected, send.clone(), send];
    let (id, details) = (String::from("20261124-093012-kqzf"), RunDetails::default());
    let account = AccountIdentity::SandboxMemory;
    let header = RunHeader { id, kind: RunKind::Apply, account, undoes: None, details };
    let mut journal = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
    let rows = write_steps(&mut journal, steps, &decisions).unwrap();
    let planned = |row: u64| &rows[&RowId { sheet: 0, row }];
    let ended = |row: u64| (planned(row).state, planned(row).status, planned(row).record);
    assert_eq!(ended(2), (RowState::Ended, RowStatus::Skipped, None));
    assert_eq!((planned(2).message.as_str(), planned(2).problems.len()), ("not approved", 0));
    assert_eq!(ended(4), (RowState::Planned, RowStatus::Created, None));
    assert_eq!(ended(5), (RowState::Ended, RowStatus::Failed, Some(7)));
    assert_eq!((planned(5).message.as_str(), &planned(5).problems), ("", &vec![problem]));
    assert_eq!(ended(8), (RowState::Planned, RowStatus::Updated, Some(8)));
    let journal = journal.finish(&AccountSnapshot::default()).unwrap();
    assert_eq!(journal.step_count().unwrap(), 3);
    let person = journal.step(1).unwrap().unwrap();
    assert_eq!((person.entity.name, person.depends_on[0].step, person.depends_on[1].step), ("employees", 0, 9));
    assert_eq!(journal.step(0).unwrap().unwrap().body["name"], "Kiel");
    assert_eq!(journal.step(2).unwrap().unwrap().write, WriteKind::Update(8));
}

#[test]
fn the_records_concerned_are_read_again() {
    let office = Office::new();
    let steps = [
        proposed(0, "locations", WriteKind::Update(2), json!({"body": {"city": "Bonn"}, "before": {"city": "Berlin"}})),
        creates(1, "suppliers", json!({"name": "contoso supplies"})),
        proposed(2, "locations", WriteKind::Update(3), json!({"body": {"city": "Bonn"}, "before": {"city": "Bern"}})),
    ];
    let mut told = Told::default();
    let time = PlanTime { began: Timestamp::now(), log: LogPosition::Empty };
    let decisions = office.runtime.block_on(decide(&office.account, &steps, time, &mut told)).unwrap();
    assert_eq!(
        decisions.iter().map(shown).collect::<Vec<String>>(),
        [
            "send",
            "record.exists: made since the plan was made: Contoso Supplies",
            "record.conflict: changed since the plan was made: city was `Bern`, is `London`",
        ]
    );
    let mut phases = told.phases;
    phases.sort();
    phases.dedup();
    assert_eq!(phases, ["reading locations again", "reading suppliers again"]);
}

#[test]
fn only_fields_that_changed_since_the_plan_stand_in_the_way() {
    let catalog = block_on(Catalog::fetch(&FakeSource::new(), &LookupRequest::default(), &mut |_, _| {})).unwrap();
    let step = |collection: &str, write: WriteKind, before: Json| {
        let entity = schema::collection(collection).unwrap();
        let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, write);
        Step { before: before.as_object().cloned(), ..step }
    };
    let changed = |step: &Step, held: Json| changed_fields(step, held.as_object().unwrap(), &catalog);
    let update = step("locations", WriteKind::Update(1), json!({"name": "Berlin", "city": "Ulm"}));
    assert_eq!(changed(&update, json!({"name": "Berlin", "city": "Ulm", "country": "DE"})), [""; 0]);
    assert_eq!(changed(&update, json!({"name": "Berlin", "city": "Bonn"})), ["city was `Ulm`, is `Bonn`"]);
    assert_eq!(changed(&update, json!({"name": "Berlin"})), ["city was `Ulm`, is empty"]);
    // How much a person holds changes by itself.
    let before = json!({"name": "Ada", "number_of_assets": 1});
    let delete = step("employees", WriteKind::Delete(1), before);
    assert_eq!(changed(&delete, json!({"name": "Ada", "number_of_assets": 2})), [""; 0]);
    assert_eq!(changed(&delete, json!({"name": "Bob", "number_of_assets": 1})), ["name was `Ada`, is `Bob`"]);
}

#[test]
fn check_outs_that_are_sent_notify_each_recipient_once_for_each() {
    let out = |number: u32, employee: Option<i64>, needs: Json| {
        let body = json!({"accessory_id": 5, "employee_id": employee});
        let content = json!({"body": body, "depends_on": needs, "notifies": true});
        proposed(number, "checkout_accessory", WriteKind::Create, content)
    };
    let made = |step: u32| json!([{"step": 9, "field": null}, {"step": step, "field": "employee_id"}]);
    let quiet = json!({"body": {"accessory_id": 5, "employee_id": 4}});
    let place = json!({"body": {"name": "Kiel"}, "notifies": true});
    let steps = [
        out(0, Some(1), json!([])),
        out(1, Some(1), json!([])),
        out(2, Some(2), json!([])),
        proposed(3, "checkout_accessory", WriteKind::Create, quiet),
        proposed(4, "locations", WriteKind::Create, place),
        out(5, None, made(6)),
        out(7, None, made(8)),
    ];
    let decided = |left: usize| {
        let decision = |index| if index == left { StepDecision::NotApproved } else { StepDecision::Send };
        notifications(&steps, &(0..steps.len()).map(decision).collect::<Vec<_>>())
    };
    assert_eq!(decided(2), (4, 3));
    assert_eq!(decided(6), (4, 3));
    assert_eq!(decided(3), (5, 4));
}

#[test]
fn the_records_that_have_the_key_of_a_new_one_are_found() {
    let source = account().with("locations", [json!({"id": 9, "name": "Berlin"})]);
    let with_key = |name: &str| {
        let steps = [creates(0, "locations", json!({"name": name}))];
        let catalog = block_on(Catalog::fetch(&source, &lookups(&steps), &mut |_, _| {})).unwrap();
        records_with_key(&steps[0].step().unwrap(), &["name"], &catalog)
    };
    assert_eq!((with_key("Bonn"), with_key("Berlin"), with_key("Kiel")), (vec![8], vec![7, 9], vec![]));
}

/// Knows the same of every action.
struct AlwaysThe(PriorAction);

impl PriorActions for AlwaysThe {
    fn take(&mut self, _: &ActionRequest) -> PriorAction {
        self.0.clone()
    }

    fn done_after(&self, _: &ActionRequest, _: jiff::Timestamp) -> PriorAction {
        PriorAction::Absent
    }
}

#[test]
fn a_check_out_that_may_have_happened_is_left_with_the_command_that_finds_out() {
    let body = json!({"accessory_id": 5, "employee_id": 1, "quantity": 1, "checkout_date": "2026-03-02"});
    let steps = [creates(0, "checkout_accessory", body)];
    let catalog = block_on(Catalog::fetch(&account(), &lookups(&steps), &mut |_, _| {})).unwrap();
    let hint = |prior: PriorAction| match decisions(&steps, &catalog, &mut AlwaysThe(prior)).remove(0) {
        StepDecision::Rejected(problem) => problem.error.hint.unwrap().to_string(),
        other => shown(&other),
    };
    assert_eq!(
        hint(PriorAction::Unresolved { run: String::from("R-1") }),
        "run `tallyport resume R-1` to find out, then make the plan again"
    );
    let logged = "make the plan again: leave the row out if it was, or pass --repeat to plan it all the same";
    assert_eq!(hint(PriorAction::Logged { times: 1, last: None }), logged);
    assert_eq!(hint(PriorAction::Done { run: String::from("R-1") }), "done by run R-1");
    assert_eq!(hint(PriorAction::Absent), "send");
}
