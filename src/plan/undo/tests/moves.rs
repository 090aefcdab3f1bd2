//! What becomes of check-ins and check-outs.

use super::*;

fn nothing(item: &UndoItem) -> &str {
    match &item.decision {
        UndoDecision::NothingToDo(why) => why,
        other => panic!("{other:?}"),
    }
}

/// A check-in of asset 5, which employee 2 had since the first of May.
fn checkin(before: Json) -> Story {
    let body = json!({"asset_id": 5, "checkin_date": "2026-01-02", "status_id": 9, "asset_location_id": 4});
    Story::default().did("checkin_asset", WriteKind::Create, body, Some(before), None)
}

fn held_by_2() -> Json {
    json!({
        "id": 5, "status_id": 1, "location_id": 3,
        "deployed_to": [{"employee_id": 2, "checkout_date": "2025-05-01T00:00:00Z"}],
    })
}

/// Asset 5 as the check-in left it.
fn left_behind(out: Json) -> Json {
    json!({"id": 5, "asset_id": "T-5", "status_id": 9, "location_id": 4, "deployed_to": out})
}

#[test]
fn an_asset_goes_back_to_whom_it_was_with_after_its_fields_are_restored() {
    let items = checkin(held_by_2()).holds("assets", left_behind(json!([]))).undone();
    let [prepared, out] = &items[..] else { panic!("{items:?}") };
    assert_eq!((prepared.entity.name, prepared.kind(), prepared.record), ("assets", Some(UndoKind::Restore), Some(5)));
    assert_eq!(Json::from(write_back(prepared).body.clone()), json!({"status_id": 1, "location_id": 3}));
    assert_eq!((out.entity.name, out.kind(), out.title.as_str()), ("checkout_asset", Some(UndoKind::CheckOut), "T-5"));
    assert_eq!(
        Json::from(write_back(out).body.clone()),
        json!({"asset_id": "T-5", "employee_id": 2, "checkout_date": "2025-05-01", "notes": "Undo of run r"})
    );
    assert_eq!(write_back(out).depends_on, [(0, None)]);
    assert!(prepared.order < out.order);
}

#[test]
fn the_day_since_when_it_was_out_may_stand_beside_the_holder() {
    let date = |before: Json| {
        let items = checkin(before).holds("assets", left_behind(json!([]))).undone();
        write_back(items.last().unwrap()).body["checkout_date"].clone()
    };
    let with = |more: Json| {
        let mut before = json!({"id": 5, "deployed_to": [{"employee_id": 2}]});
        before.as_object_mut().unwrap().extend(object(more));
        before
    };
    assert_eq!(date(with(json!({"checkout_date": "2025-06-01T00:00:00Z"}))), "2025-06-01");
    assert_eq!(date(with(json!({}))), "2026-01-31", "else it is today");
}

#[test]
fn an_asset_that_nobody_had_or_somebody_has_is_not_checked_out() {
    let decision = |before: Json, now: Json| checkin(before).holds("assets", now).undone().remove(0);
    let nobody = json!({"id": 5, "deployed_to": []});
    assert_eq!(*left(&decision(nobody, left_behind(json!([])))), SkipReason::NoPreviousHolder);
    let unnamed = json!({"id": 5, "deployed_to": [{"name": "Ada"}]});
    assert_eq!(*left(&decision(unnamed, left_behind(json!([])))), SkipReason::NoPreviousHolder);
    let again = decision(held_by_2(), left_behind(json!([{"employee_id": "2"}])));
    assert_eq!(nothing(&again), "already checked out to the same holder again");
    assert_eq!(*left(&decision(held_by_2(), left_behind(json!([{"employee_id": 3}])))), SkipReason::MovedSince);
    assert_eq!(*left(&decision(held_by_2(), left_behind(json!([{"location_id": 2}])))), SkipReason::MovedSince);
    assert_eq!(*left(&decision(held_by_2(), left_behind(json!([{"name": "x"}])))), SkipReason::HolderUnknown);
    let silent = json!({"id": 5, "asset_id": "T-5", "status_id": 9});
    assert_eq!(*left(&decision(held_by_2(), silent)), SkipReason::HolderUnknown);
    // The reply may list people only.
    let somewhere = json!({"id": 5, "asset_id": "T-5", "deployed_to": [], "checkout_date": "2026-01-03"});
    assert_eq!(*left(&decision(held_by_2(), somewhere)), SkipReason::HolderUnknown);
    let untagged = json!({"id": 5, "status_id": 9, "deployed_to": []});
    assert_eq!(*left(&decision(held_by_2(), untagged)), SkipReason::NoBeforeImage, "a check-out needs the tag");
    let blind = Story::default()
        .did("checkin_asset", WriteKind::Create, json!({"asset_id": 5, "status_id": 9}), None, None)
        .holds("assets", left_behind(json!([])));
    assert_eq!(*left(&blind.undone()[0]), SkipReason::NoPreviousHolder);
}

#[test]
fn a_move_that_was_undone_leaves_nothing_to_do() {
    let out = json!({"asset_id": "T-5", "employee_id": 7, "checkout_date": "2026-01-02"});
    let moved = |now: Json| {
        let story = checkin(held_by_2()).did("checkout_asset", WriteKind::Create, out.clone(), None, None);
        story.holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 1, "deployed_to": now})).undone()
    };
    let undone = moved(json!([{"employee_id": 2, "checkout_date": "2025-05-01T00:00:00Z"}]));
    let told: Vec<&str> = undone.iter().map(nothing).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&"already with the previous holder again"), "{told:?}");
    assert!(told.contains(&"already checked out to the same holder again"), "{told:?}");
    let others = moved(json!([{"employee_id": 3}]));
    assert!(others.iter().all(|item| *left(item) == SkipReason::MovedSince));
}

#[test]
fn what_is_gone_was_moved_for_nothing() {
    let items = checkin(held_by_2()).undone();
    assert_eq!(
        (nothing(&items[0]), items[0].entity.name, items[0].record),
        ("already deleted", "checkin_asset", Some(5))
    );
    let deleted = checkin(held_by_2()).did("assets", WriteKind::Delete(5), json!({}), Some(held_by_2()), None);
    let items = deleted.undone();
    let skipped = items.iter().find(|item| item.entity.name == "checkin_asset").unwrap();
    assert!(matches!(skipped.decision, UndoDecision::Skip(SkipReason::ItemDeleted)), "it comes back with nobody");
    let unknown = Story::default().did(
        "checkout_asset",
        WriteKind::Create,
        json!({"asset_id": "GONE", "employee_id": 2}),
        None,
        None,
    );
    let items = unknown.undone();
    assert_eq!((nothing(&items[0]), items[0].record, items[0].title.as_str()), ("already deleted", None, "GONE"));
}

/// A check-out of asset 5 to employee 2, with more in its body, and how the asset was.
fn checked_out(more: Json, before: Json, now: Json) -> Vec<UndoItem> {
    let mut body = json!({"asset_id": "T-5", "employee_id": 2, "checkout_date": "2026-01-02"});
    body.as_object_mut().unwrap().extend(object(more));
    let mut held =
        json!({"id": 5, "asset_id": "T-5", "deployed_to": [{"employee_id": 2, "checkout_date": "2026-01-02"}]});
    held.as_object_mut().unwrap().extend(object(now));
    Story::default().did("checkout_asset", WriteKind::Create, body, Some(before), None).holds("assets", held).undone()
}

#[test]
fn a_check_in_needs_a_status_and_a_place_that_was_none_is_cleared_afterwards() {
    let before = || json!({"id": 5, "status_id": 1, "location_id": null, "deployed_to": []});
    let items = checked_out(json!({"asset_location_id": 4}), before(), json!({"status_id": 1, "location_id": 4}));
    let [place, back] = &items[..] else { panic!("{items:?}") };
    assert_eq!(
        (place.entity.name, Json::from(write_back(place).body.clone())),
        ("assets", json!({"location_id": null}))
    );
    assert_eq!(Json::from(write_back(place).before.clone().unwrap()), json!({"location_id": 4}));
    assert_eq!((back.kind(), &write_back(back).body["status_id"]), (Some(UndoKind::CheckIn), &json!(1)));
    assert!(write_back(back).body.get("asset_location_id").is_none() && back.order < place.order);
    let items = checked_out(json!({"asset_location_id": 4}), before(), json!({"status_id": 1, "location_id": 8}));
    assert_eq!(items.len(), 1, "somebody else's place stays: {items:?}");
    let items = checked_out(json!({}), before(), json!({"location_id": 4}));
    assert_eq!(*left(&items[0]), SkipReason::NoBeforeImage, "no status is known");
    let items = checked_out(json!({}), before(), json!({"status_id": 7}));
    assert_eq!((items.len(), &write_back(&items[0]).body["status_id"]), (1, &json!(7)), "as it is");
    let items = checked_out(json!({}), before(), json!({"status_id": "7"}));
    assert_eq!(write_back(&items[0]).body["status_id"], json!(7), "an id that the reply has as text");
}

#[test]
fn the_check_in_is_not_before_the_check_out() {
    let day = |date: &str| {
        let out = json!([{"employee_id": 2, "checkout_date": date}]);
        let items =
            checked_out(json!({"checkout_date": date}), json!({"id": 5}), json!({"status_id": 1, "deployed_to": out}));
        write_back(&items[0]).body["checkin_date"].clone()
    };
    assert_eq!([day("2026-01-30"), day("2026-01-31"), day("2026-02-05")], ["2026-01-31", "2026-01-31", "2026-02-05"]);
}

#[test]
fn whether_it_is_the_runs_own_check_out_is_told_by_holder_and_day() {
    let decision =
        |out: Json| checked_out(json!({}), json!({"id": 5}), json!({"status_id": 1, "deployed_to": out})).remove(0);
    for out in [json!([{"employee_id": 2}]), json!([{"employee_id": 3}, {"employee_id": 2}])] {
        assert_eq!(decision(out).kind(), Some(UndoKind::CheckIn));
    }
    for out in [json!([{"employee_id": 2, "checkout_date": "2026-01-03"}]), json!([{"location_id": 2}])] {
        assert_eq!(*left(&decision(out)), SkipReason::MovedSince);
    }
    assert_eq!(nothing(&decision(json!([]))), "already checked in");
    assert_eq!(nothing(&decision(json!(null))), "already checked in");
}

#[test]
fn a_status_that_the_run_set_otherwise_is_restored_with_the_check_in() {
    let out = json!([{"employee_id": 2, "checkout_date": "2026-01-02"}]);
    let items = Story::default()
        .did("assets", WriteKind::Update(5), json!({"status_id": 2}), Some(json!({"status_id": 1})), None)
        .did(
            "checkout_asset",
            WriteKind::Create,
            json!({"asset_id": "T-5", "employee_id": 2, "checkout_date": "2026-01-02"}),
            Some(json!({"id": 5, "status_id": 1, "deployed_to": []})),
            None,
        )
        .holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 2, "deployed_to": out}))
        .undone();
    assert_eq!(write_back(&items[0]).body["status_id"], 1);
}

#[test]
fn an_asset_that_moved_twice_goes_back_step_by_step_in_turns() {
    let items = Story::default()
        .did(
            "checkin_asset",
            WriteKind::Create,
            json!({"asset_id": 5, "status_id": 1, "checkin_date": "2026-01-02"}),
            Some(json!({"id": 5, "status_id": 1, "deployed_to": [{"employee_id": 2}]})),
            None,
        )
        .did(
            "checkout_asset",
            WriteKind::Create,
            json!({"asset_id": "T-5", "employee_id": 3, "checkout_date": "2026-01-02"}),
            Some(json!({"id": 5, "status_id": 1, "deployed_to": [{"employee_id": 2}]})),
            None,
        )
        .in_sheet(1)
        .holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 1, "deployed_to": [{"employee_id": 3}]}))
        .undone();
    let told: Vec<_> = items.iter().map(|item| (item.kind(), item.order)).collect();
    assert_eq!(
        told,
        [(Some(UndoKind::CheckIn), UndoOrder::move_back(0)), (Some(UndoKind::CheckOut), UndoOrder::move_back(1)),]
    );
    assert_eq!(write_back(&items[1]).body["employee_id"], 2);
}

/// An entry of the log about item 1, of that quantity.
fn entry(event: &str, employee: i64, quantity: Option<i64>) -> Json {
    json!({"event": event, "item_id": 1, "employee_id": employee, "quantity": quantity})
}

fn with_log(mut story: Story, collection: &'static str, log: &[Json]) -> Vec<UndoItem> {
    story.current.logs.insert(collection, log.iter().cloned().map(object).collect());
    story.undone()
}

/// A check-in of mice by employee 2, twice.
fn mice_back(log: &[Json]) -> Vec<UndoItem> {
    let body = || json!({"accessory_id": 1, "employee_id": 2, "checkin_date": "2026-01-02"});
    let story = Story::default()
        .did("checkin_accessory", WriteKind::Create, body(), None, None)
        .did("checkin_accessory", WriteKind::Create, body(), None, None)
        .holds("accessories", json!({"id": 1, "name": "Mouse"}));
    with_log(story, "accessories", log)
}

#[test]
fn stock_that_came_back_goes_out_again_in_the_numbers_that_the_log_tells() {
    let back = |quantity| entry("checkin", 2, quantity);
    let items = mice_back(&[back(Some(3)), back(Some(4))]);
    // The last is undone first.
    let sent: Vec<Json> = items.iter().map(|item| Json::from(write_back(item).body.clone())).collect();
    let out = |quantity: i64| {
        json!({
            "accessory_id": 1, "employee_id": 2, "checkout_date": "2026-01-31", "notes": "Undo of run r",
            "quantity": quantity,
        })
    };
    assert_eq!(sent, [out(4), out(3)]);
    assert!(items.iter().all(|item| item.kind() == Some(UndoKind::CheckOut) && item.title == "Mouse"));
    let items = mice_back(&[back(Some(3)), back(None)]);
    assert_eq!((left(&items[0]), items[1].kind()), (&SkipReason::QuantityUnknown, Some(UndoKind::CheckOut)));
    let reverted =
        mice_back(&[back(Some(3)), back(Some(4)), entry("Checkout", 2, Some(3)), entry("Checkout", 2, Some(4))]);
    assert!(reverted.iter().all(|item| nothing(item) == "already checked out again"));
    for (log, reason) in [
        (vec![back(Some(3))], SkipReason::HolderUnknown),
        (vec![back(Some(3)), back(Some(4)), back(Some(1))], SkipReason::MovedSince),
        (vec![back(Some(3)), back(Some(4)), entry("Checkout", 2, Some(3))], SkipReason::MovedSince),
        (vec![back(Some(3)), back(Some(4)), json!({"event": "Checkin", "item_id": 1})], SkipReason::HolderUnknown),
    ] {
        assert!(mice_back(&log).iter().all(|item| *left(item) == reason), "{log:?}");
    }
    let others = [back(Some(3)), back(Some(4)), entry("Update", 2, None), json!({"event": "Checkin", "item_id": 9})];
    assert!(mice_back(&others).iter().all(|item| item.kind() == Some(UndoKind::CheckOut)), "of another item");
}

#[test]
fn without_a_log_or_a_holder_nothing_is_certain() {
    let out = |body: Json| {
        Story::default()
            .did("checkout_accessory", WriteKind::Create, body, None, None)
            .holds("accessories", json!({"id": 1, "name": "Mouse"}))
    };
    let named = json!({"accessory_id": 1, "employee_id": 2, "quantity": 1});
    assert_eq!(*left(&out(named).undone()[0]), SkipReason::HolderUnknown);
    let unnamed = with_log(out(json!({"accessory_id": 1, "quantity": 1})), "accessories", &[]);
    assert_eq!(*left(&unnamed[0]), SkipReason::HolderUnknown);
}

#[test]
fn a_seat_with_a_key_goes_back_and_forth_by_its_key() {
    let seat = |action: &str| {
        let body = json!({"license_id": 1, "employee_id": 2, "product_key": "K-1"});
        let story = Story::default()
            .did(action, WriteKind::Create, body, None, None)
            .holds("licenses", json!({"id": 1, "name": "Office"}));
        let event = if action == "checkin_license" { "Checkin" } else { "Checkout" };
        with_log(story, "licenses", &[entry(event, 2, None)]).remove(0)
    };
    let back = seat("checkout_license");
    assert_eq!(
        Json::from(write_back(&back).body.clone()),
        json!({"license_id": 1, "employee_id": 2, "product_key": "K-1", "checkin_date": "2026-01-31", "notes": "Undo of run r"})
    );
    let out = seat("checkin_license");
    assert_eq!(
        Json::from(write_back(&out).body.clone()),
        json!({"license_id": 1, "employee_id": 2, "product_key": "K-1", "checkout_date": "2026-01-31", "notes": "Undo of run r"})
    );
}

#[test]
fn a_part_leaves_its_asset_by_id_and_goes_in_by_tag() {
    let part = |action: &str, asset: Json, event: &str| {
        let body = json!({"component_id": 1, "asset_id": asset, "quantity": 2});
        let story = Story::default()
            .did(action, WriteKind::Create, body, None, None)
            .holds("components", json!({"id": 1, "name": "DDR5"}))
            .holds("assets", json!({"id": 5, "asset_id": "T-5"}));
        let log = json!({"event": event, "item_id": 1, "asset_id": 5, "quantity": 2});
        let items = with_log(story, "components", &[log]);
        (items[0].kind(), Json::from(write_back(&items[0]).body.clone()))
    };
    let (kind, body) = part("checkout_component", json!("T-5"), "Checkout");
    assert_eq!((kind, &body["asset_id"], &body["component_id"]), (Some(UndoKind::CheckIn), &json!(5), &json!(1)));
    let (kind, body) = part("checkin_component", json!(5), "Checkin");
    assert_eq!((kind, &body["asset_id"], &body["quantity"]), (Some(UndoKind::CheckOut), &json!("T-5"), &json!(2)));
}

#[test]
fn consumed_stock_goes_only_with_its_item_and_else_keeps_its_holder() {
    let story = || {
        Story::default()
            .created("employees", json!({"name": "Ada", "email": "ada@example.com"}), Some(json!({})))
            .created("consumables", json!({"name": "Toner", "quantity": 5}), Some(json!({})))
            .did(
                "checkout_consumable",
                WriteKind::Create,
                json!({"consumable_id": 2, "employee_id": 1, "quantity": 1}),
                None,
                None,
            )
            .holds("employees", json!({"id": 1, "name": "Ada", "email": "ada@example.com"}))
    };
    let items = story().holds("consumables", json!({"id": 2, "name": "Toner", "quantity": 5})).undone();
    assert_eq!(nothing(&items[0]), "removed together with the consumable");
    assert!(items[1..].iter().all(|item| item.kind().is_some()), "{items:?}");
    let items = story().holds("consumables", json!({"id": 2, "name": "Toner", "quantity": 6})).undone();
    assert_eq!((items[0].entity.name, left(&items[0])), ("checkout_consumable", &SkipReason::Consumed("consumables")));
    let by = String::from("consumable Toner, which is checked out");
    assert_eq!(*left(&items[1]), SkipReason::StillReferenced(by));
    assert_eq!(*left(&items[2]), SkipReason::Changed(vec!["quantity"]));
}

#[test]
fn what_is_checked_out_again_keeps_its_holder_and_itself() {
    // The run created nobody here: employee 2 and asset 5 were there; the run made location 1 and moved asset 5 away.
    let items = Story::default()
        .created("employees", json!({"name": "Ada", "email": "ada@example.com"}), Some(json!({})))
        .did(
            "checkin_asset",
            WriteKind::Create,
            json!({"asset_id": 5, "status_id": 9, "checkin_date": "2026-01-02"}),
            Some(json!({"id": 5, "status_id": 9, "deployed_to": [{"employee_id": 1}]})),
            None,
        )
        .holds("employees", json!({"id": 1, "name": "Ada", "email": "ada@example.com"}))
        .holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 9, "deployed_to": []}))
        .undone();
    assert_eq!(items[0].kind(), Some(UndoKind::CheckOut));
    assert_eq!(*left(&items[1]), SkipReason::StillReferenced(String::from("asset T-5, which is checked out")));
}

#[test]
fn a_holder_that_cannot_be_named_is_none() {
    use super::super::holders::{collection_of, has_holder, holders_in};
    assert_eq!(
        ["employee_id", "location_id", "asset_id", "odd"].map(collection_of),
        [Some("employees"), Some("locations"), Some("assets"), None]
    );
    let named = |entry: Json| has_holder(&object(entry));
    assert!(named(json!({"employee_id": "7"})) && named(json!({"asset_id": 1})) && named(json!({"location_id": 2})));
    assert!(!named(json!({"employee_id": null, "user_id": 1})) && !named(json!({"employee_id": "x"})));
    let out = json!([{"employee_id": 2, "checkout_date": "2026-01-02T10:00:00Z"}, {"name": "x"}, {"location_id": "3", "checkout_date": null}]);
    let held = holders_in(&object(json!({"deployed_to": out})));
    assert_eq!(held, [(("employee_id", 2), Some(String::from("2026-01-02"))), (("location_id", 3), None)]);
    assert!(holders_in(&object(json!({"deployed_to": null}))).is_empty());
}

#[test]
fn a_status_that_was_none_is_not_cleared_and_a_place_that_an_update_set_is_the_updates_to_restore() {
    let out = json!([{"employee_id": 2, "checkout_date": "2026-01-02"}]);
    let moved = |wrote: Json, before: Json, then: Json, now: Json| {
        let body = json!({"asset_id": "T-5", "employee_id": 2, "checkout_date": "2026-01-02"});
        let mut held = object(json!({"id": 5, "asset_id": "T-5", "deployed_to": out}));
        held.extend(object(now));
        Story::default()
            .did("assets", WriteKind::Update(5), wrote, Some(before), None)
            .did("checkout_asset", WriteKind::Create, body, Some(then), None)
            .holds("assets", Json::from(held))
            .undone()
    };
    let was = json!({"id": 5, "status_id": null, "deployed_to": []});
    let items = moved(json!({"status_id": 2}), json!({"status_id": null}), was, json!({"status_id": 2}));
    let names: Vec<&str> = items.iter().map(|item| item.entity.name).collect();
    assert_eq!((names, &write_back(&items[0]).body["status_id"]), (vec!["checkin_asset", "assets"], &json!(2)));
    assert_eq!(*left(&items[1]), SkipReason::Required(vec!["status_id"]));
    let was = json!({"id": 5, "status_id": 1, "location_id": 3, "deployed_to": []});
    let now = json!({"status_id": 1, "location_id": 4});
    let items = moved(json!({"location_id": 4}), json!({"location_id": 3}), was, now);
    assert_eq!(write_back(&items[0]).body.get("asset_location_id"), None);
    assert_eq!(Json::from(write_back(&items[1]).body.clone()), json!({"location_id": 3}));
}

#[test]
fn whoever_gave_everything_back_may_go() {
    let items = Story::default()
        .created("employees", json!({"name": "Ada", "email": "ada@example.com"}), Some(json!({})))
        .did(
            "checkout_asset",
            WriteKind::Create,
            json!({"asset_id": "T-5", "employee_id": 1, "checkout_date": "2026-01-02"}),
            Some(json!({"id": 5, "status_id": 1, "deployed_to": []})),
            None,
        )
        .holds("employees", json!({"id": 1, "name": "Ada", "email": "ada@example.com"}))
        .holds("assets", json!({"id": 5, "asset_id": "T-5", "status_id": 1, "deployed_to": [{"employee_id": 1}]}))
        .undone();
    assert_eq!([items[0].kind(), items[1].kind()], [Some(UndoKind::CheckIn), Some(UndoKind::Delete)]);
}

#[test]
fn what_went_back_to_a_holder_whom_an_undo_created_again_does_not_go_out_twice() {
    let mice = |log: &[Json]| {
        let story = Story::default()
            .did("checkin_accessory", WriteKind::Create, json!({"accessory_id": 1, "employee_id": 2}), None, None)
            .did("employees", WriteKind::Delete(2), json!({}), Some(json!({"id": 2, "email": "a@x.com"})), None)
            .recreated("employees", 2, 9)
            .holds("employees", json!({"id": 9, "email": "a@x.com"}))
            .holds("accessories", json!({"id": 1, "name": "Mouse"}));
        with_log(story, "accessories", log)
    };
    let (back, out) = (entry("Checkin", 2, Some(3)), entry("Checkout", 9, Some(3)));
    let items = mice(&[back.clone(), out.clone()]);
    let told: Vec<&str> = items.iter().map(nothing).collect();
    assert_eq!(told, ["already checked out again", "already created again, as #9"]);
    let items = mice(std::slice::from_ref(&back));
    assert_eq!(write_back(&items[0]).body["employee_id"], 9, "the first undo did not get so far");
    let others = mice(&[back, out.clone(), out]);
    assert_eq!(*left(&others[0]), SkipReason::MovedSince);
}

#[test]
fn an_asset_that_is_with_whom_an_undo_created_again_is_with_its_holder() {
    let out = json!([{"employee_id": 9, "checkout_date": "2025-05-01"}]);
    let again = checkin(held_by_2()).recreated("employees", 2, 9).holds("assets", left_behind(out.clone())).undone();
    assert_eq!(nothing(&again[0]), "already checked out to the same holder again");
    let body = json!({"asset_id": "T-5", "employee_id": 2, "checkout_date": "2025-05-01"});
    let before = json!({"id": 5, "status_id": 9, "deployed_to": []});
    let back = Story::default()
        .created("employees", json!({"name": "Ada", "email": "a@x.com"}), Some(json!({})))
        .did("checkout_asset", WriteKind::Create, body, Some(before), None)
        .recreated("employees", 1, 2)
        .recreated("employees", 2, 9)
        .holds("employees", json!({"id": 9, "name": "Ada", "email": "a@x.com"}))
        .holds("assets", left_behind(out))
        .undone();
    assert_eq!([back[0].kind(), back[1].kind()], [Some(UndoKind::CheckIn), Some(UndoKind::Delete)]);
    assert_eq!(back[1].record, Some(9));
}

#[test]
fn a_move_of_stock_tells_how_many_there_were() {
    let body = json!({"accessory_id": 1, "employee_id": 2, "quantity": 3});
    let story = Story::default()
        .did("checkout_accessory", WriteKind::Create, body, None, None)
        .holds("accessories", json!({"id": 1, "name": "Mouse", "available": 7}));
    let items = with_log(story, "accessories", &[entry("Checkout", 2, Some(3))]);
    assert_eq!(Json::from(write_back(&items[0]).before.clone()), json!({"id": 1, "available": 7}));
}
