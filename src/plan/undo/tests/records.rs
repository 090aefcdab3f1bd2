//! What becomes of records that a run created, changed or deleted.

use super::*;

/// Why there is nothing to do.
fn nothing(item: &UndoItem) -> &str {
    match &item.decision {
        UndoDecision::NothingToDo(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_gone_or_was_never_told_of_is_not_deleted() {
    let items = Story::default()
        .created("locations", json!({"name": "Ulm"}), None)
        .created("locations", json!({"name": "Bonn"}), None)
        .without_id()
        .undone();
    assert_eq!((nothing(&items[0]), items[0].record, items[0].title.as_str()), ("already deleted", Some(1), "Ulm"));
    assert_eq!((left(&items[1]), items[1].record, items[1].title.as_str()), (&SkipReason::NoId, Some(0), "Bonn"));
}

#[test]
fn a_delete_takes_the_record_as_it_is_for_its_before_image() {
    let held = json!({"id": 1, "name": "Ulm", "city": null, "updated_at": MADE, "odd": 1});
    let items = Story::default()
        .created("locations", json!({"name": "Ulm"}), Some(json!({})))
        .holds("locations", held)
        .undone();
    let write_back = write_back(&items[0]);
    assert_eq!((write_back.write, write_back.body.len()), (WriteKind::Delete(1), 0));
    assert_eq!(Json::from(write_back.before.clone().unwrap()), json!({"id": 1, "name": "Ulm", "updated_at": MADE}));
    assert!(write_back.depends_on.is_empty() && write_back.note.is_empty());
}

#[test]
fn a_change_within_seconds_of_the_creation_is_part_of_it() {
    let held = |created: Json, updated: &str| {
        let held = json!({"id": 1, "name": "Ulm", "currency": "EUR", "created_at": created, "updated_at": updated});
        let story = Story::default().created("locations", json!({"name": "Ulm"}), None).holds("locations", held);
        matches!(story.undone()[0].decision, UndoDecision::Skip(SkipReason::ChangedSomehow))
    };
    assert!(!held(json!(MADE), "2026-01-01T10:00:05.000Z"));
    assert!(held(json!(MADE), "2026-01-01T10:00:05.001Z"));
    assert!(!held(json!(MADE), "soon") && !held(json!(null), "2026-01-01T10:00:09Z"));
}

#[test]
fn fields_that_somebody_changed_are_named_in_the_order_of_the_collection() {
    let sent = json!({"city": "a", "name": "Ulm", "zip": "1", "odd": "x"});
    let items = Story::default()
        .created("locations", sent, Some(json!({"state": null, "city": null})))
        .did("locations", WriteKind::Update(1), json!({"country": "DE"}), Some(json!({"country": null})), None)
        .holds("locations", json!({"id": 1, "name": "Ulm", "city": "b", "zip": "2", "state": "BW", "country": "FR"}))
        .undone();
    assert_eq!(*left(&items[0]), SkipReason::Changed(vec!["city", "zip", "state", "country"]));
}

#[test]
fn an_update_of_what_is_not_there_has_nothing_to_restore() {
    let update = || {
        let (wrote, before) = (json!({"name": "New"}), Some(json!({"name": "Old"})));
        Story::default().did("locations", WriteKind::Update(7), wrote, before, None)
    };
    assert_eq!(nothing(&update().undone()[0]), "the record no longer exists");
    let deleted =
        update().did("locations", WriteKind::Delete(7), json!({}), Some(json!({"id": 7, "name": "New"})), None);
    let items = deleted.undone();
    assert_eq!(nothing(&items[0]), "will be created again as it was before the run");
    assert_eq!((items[1].kind(), &write_back(&items[1]).body["name"]), (Some(UndoKind::Recreate), &json!("New")));
    let held = |name: &str| update().holds("locations", json!({"id": 7, "name": name})).undone();
    assert_eq!(nothing(&held("Old")[0]), "already as it was before");
    let restored = held("New");
    assert_eq!((restored[0].kind(), restored.len()), (Some(UndoKind::Restore), 1));
    let write_back = write_back(&restored[0]);
    assert_eq!(write_back.write, WriteKind::Update(7));
    assert_eq!(Json::from(write_back.before.clone().unwrap()), json!({"name": "New"}));
    let blind = Story::default()
        .did("locations", WriteKind::Update(7), json!({"name": "New"}), None, None)
        .holds("locations", json!({"id": 7, "name": "New"}));
    assert_eq!(*left(&blind.undone()[0]), SkipReason::NoBeforeImage);
}

#[test]
fn of_two_updates_of_a_field_the_last_tells_whether_somebody_changed_it() {
    let update = |story: Story, name: &str, before: &str| {
        story.did("locations", WriteKind::Update(7), json!({"name": name}), Some(json!({"name": before})), None)
    };
    let story = || update(update(Story::default(), "Two", "One"), "Three", "Two");
    let items = story().holds("locations", json!({"id": 7, "name": "Three"})).undone();
    assert_eq!(
        [&write_back(&items[0]).body["name"], &write_back(&items[1]).body["name"]],
        [&json!("One"), &json!("One")],
        "what it was before the run, whichever is sent last"
    );
    let items = story().holds("locations", json!({"id": 7, "name": "Two"})).undone();
    let changed = SkipReason::Changed(vec!["name"]);
    assert_eq!([left(&items[0]), left(&items[1])], [&changed, &changed]);
    let items = story().holds("locations", json!({"id": 7, "name": "One"})).undone();
    assert_eq!([nothing(&items[0]), nothing(&items[1])], ["already as it was before"; 2]);
}

#[test]
fn fields_that_cannot_be_written_are_no_reason_to_keep_anything() {
    let items = Story::default()
        .did(
            "licenses",
            WriteKind::Update(7),
            json!({"available": 3, "odd": 1, "name": "B"}),
            Some(json!({"name": "A"})),
            None,
        )
        .holds("licenses", json!({"id": 7, "name": "B", "available": 9}))
        .undone();
    assert_eq!((items.len(), Json::from(write_back(&items[0]).body.clone())), (1, json!({"name": "A"})));
}

#[test]
fn what_was_deleted_is_created_again_unless_it_is_back() {
    let before = || json!({"id": 1, "name": "Ready", "type": "deployable", "updated_at": MADE});
    let delete = |before| Story::default().did("statuses", WriteKind::Delete(1), json!({}), before, None);
    let again = delete(Some(before())).holds("statuses", before()).undone();
    assert_eq!(nothing(&again[0]), "the record exists again");
    assert_eq!(*left(&delete(None).undone()[0]), SkipReason::NoBeforeImage);
    let lacking = delete(Some(json!({"id": 1, "notes": "x"}))).undone();
    assert_eq!(*left(&lacking[0]), SkipReason::Required(vec!["name", "type"]));
    let items = delete(Some(before())).undone();
    assert_eq!(Json::from(write_back(&items[0]).body.clone()), json!({"name": "Ready", "type": "deployable"}));
    assert_eq!(write_back(&items[0]).note, "previously #1; history and references stay with the old id");
    assert_eq!(
        (items[0].title.as_str(), items[0].record, items[0].kind()),
        ("Ready", Some(1), Some(UndoKind::Recreate))
    );
    let others = delete(Some(before()))
        .holds("statuses", json!({"id": 14, "name": "Ready", "type": "deployable"}))
        .holds("statuses", json!({"id": 12, "name": "Ready", "type": "deployable"}))
        .holds("statuses", json!({"id": 11, "name": "Ready to go", "type": "deployable"}));
    assert_eq!(nothing(&others.undone()[0]), "already created again, as #12");
}

#[test]
fn a_created_record_stays_where_somebody_else_has_some_of_it() {
    let toner = |available: i64| json!({"id": 1, "name": "Toner", "available": available});
    let story = || Story::default().created("consumables", json!({"name": "Toner", "quantity": 10}), None);
    let handed_out = || {
        let body = json!({"consumable_id": 1, "employee_id": 2, "quantity": 4, "checkout_date": "2026-01-02"});
        story().created("checkout_consumable", body, None)
    };
    let delete = |story: Story| story.undone().into_iter().find(|item| item.entity.name == "consumables").unwrap();
    assert_eq!(*left(&delete(story().holds("consumables", toner(6)))), SkipReason::MovedSince);
    assert_eq!(delete(story().holds("consumables", toner(10))).kind(), Some(UndoKind::DeletePermanently));
    assert_eq!(*left(&delete(handed_out().holds("consumables", toner(5)))), SkipReason::MovedSince);
    assert_eq!(delete(handed_out().holds("consumables", toner(6))).kind(), Some(UndoKind::DeletePermanently));

    let asset = |held: Json| {
        let body = json!({"asset_id": "T-1", "product_id": 1, "status_id": 1});
        let now = json!({"id": 1, "asset_id": "T-1", "deployed_to": held});
        Story::default().created("assets", body, None).holds("assets", now).undone().remove(0)
    };
    assert_eq!(*left(&asset(json!([{"employee_id": 2}]))), SkipReason::MovedSince);
    assert_eq!(*left(&asset(json!([{"name": "Ada"}]))), SkipReason::MovedSince);
    assert_eq!(asset(json!([])).kind(), Some(UndoKind::Delete));
}

#[test]
fn a_record_of_that_key_is_the_deleted_one_only_if_it_came_later_and_holds_its_values() {
    let before = json!({"id": 2, "name": "Depot", "city": "Bonn", "notes": null});
    let decision = |record: Json| {
        let story = Story { began: "2026-01-02T00:00:00Z".parse().unwrap(), ..Story::default() };
        let story = story.did("locations", WriteKind::Delete(2), json!({}), Some(before.clone()), None);
        story.holds("locations", record).undone().remove(0)
    };
    let other = |city: &str, made: &str| json!({"id": 7, "name": "Depot", "city": city, "created_at": made});
    let (earlier, later) = (MADE, "2026-01-03T10:00:00Z");
    assert_eq!(write_back(&decision(other("Kiel", earlier))).body["city"], json!("Bonn"));
    assert_eq!(write_back(&decision(other("Bonn", earlier))).body["city"], json!("Bonn"));
    assert_eq!(nothing(&decision(other("Bonn", later))), "already created again, as #7");
    assert_eq!(*left(&decision(other("Kiel", later))), SkipReason::KeyTaken(7));
}

#[test]
fn what_an_earlier_undo_created_again_goes_by_its_new_id() {
    let restore = |recreated: &[((&'static str, i64), i64)]| {
        let before = Some(json!({"location_id": 3, "status_id": 1}));
        let wrote = json!({"location_id": 4, "status_id": 2});
        let mut story = Story::default()
            .did("assets", WriteKind::Update(5), wrote, before, None)
            .holds("assets", json!({"id": 5, "asset_id": "T", "location_id": 4, "status_id": 2}));
        story.recreated = recreated.to_vec();
        Json::from(write_back(&story.undone()[0]).body.clone())
    };
    assert_eq!(restore(&[]), json!({"location_id": 3, "status_id": 1}));
    let once = [(("locations", 3), 30), (("suppliers", 1), 9)];
    assert_eq!(restore(&once), json!({"location_id": 30, "status_id": 1}));
    assert_eq!(restore(&[(("locations", 3), 30), (("locations", 30), 31)]), json!({"location_id": 31, "status_id": 1}));
    assert_eq!(restore(&[(("locations", 3), 30), (("locations", 30), 3)]), json!({"location_id": 30, "status_id": 1}));
}

#[test]
fn what_refers_to_a_record_that_was_created_again_is_as_before() {
    let restored = |now: i64| {
        Story::default()
            .did("assets", WriteKind::Update(5), json!({"location_id": 4}), Some(json!({"location_id": 3})), None)
            .did("locations", WriteKind::Delete(3), json!({}), Some(json!({"id": 3, "name": "Ulm"})), None)
            .recreated("locations", 3, 30)
            .holds("locations", json!({"id": 30, "name": "Ulm"}))
            .holds("assets", json!({"id": 5, "asset_id": "T", "location_id": now}))
            .undone()
    };
    assert_eq!(nothing(&restored(30)[0]), "already as it was before");
    assert_eq!(write_back(&restored(4)[0]).body["location_id"], json!(30));
    assert_eq!(*left(&restored(7)[0]), SkipReason::Changed(vec!["location_id"]));
}

#[test]
fn a_record_that_was_created_again_and_deleted_again_comes_back_once_more() {
    let items = Story::default()
        .did("locations", WriteKind::Delete(3), json!({}), Some(json!({"id": 3, "name": "Ulm"})), None)
        .did("assets", WriteKind::Update(5), json!({"location_id": 4}), Some(json!({"location_id": 3})), None)
        .recreated("locations", 3, 30)
        .holds("assets", json!({"id": 5, "asset_id": "T", "location_id": 4}))
        .undone();
    assert_eq!((items[0].kind(), items[0].record), (Some(UndoKind::Recreate), Some(30)));
    assert_eq!(write_back(&items[1]).depends_on, [(0, Some(String::from("location_id")))]);
}

#[test]
fn what_a_restored_record_refers_to_again_stays() {
    let restored = |now: i64| {
        Story::default()
            .created("locations", json!({"name": "Ulm"}), Some(json!({})))
            .did("assets", WriteKind::Update(5), json!({"location_id": 1}), Some(json!({"location_id": 3})), None)
            .holds("locations", json!({"id": 1, "name": "Ulm"}))
            .holds("assets", json!({"id": 5, "asset_id": "T", "location_id": now}))
            .undone()
    };
    let items = restored(1);
    assert_eq!(items[0].kind(), Some(UndoKind::Delete), "the asset goes back to its place first: {items:?}");
    assert!(items[1].order > items[0].order || items[1].entity.name == "assets");
    let kept = Story::default()
        .created("locations", json!({"name": "Ulm"}), Some(json!({})))
        .did("assets", WriteKind::Update(5), json!({"location_id": 4}), Some(json!({"location_id": 1})), None)
        .holds("locations", json!({"id": 1, "name": "Ulm"}))
        .holds("assets", json!({"id": 5, "asset_id": "T", "location_id": 4}))
        .undone();
    assert_eq!(*left(&kept[0]), SkipReason::StillReferenced(String::from("asset T")));
}

#[test]
fn whoever_holds_an_asset_of_somebody_else_stays() {
    let items = Story::default()
        .created("employees", json!({"name": "Ada", "email": "ada@example.com"}), Some(json!({})))
        .created("locations", json!({"name": "Ulm"}), Some(json!({})))
        .holds("employees", json!({"id": 1, "name": "Ada", "email": "ada@example.com"}))
        .holds("locations", json!({"id": 2, "name": "Ulm"}))
        .holds("assets", json!({"id": 9, "asset_id": "X", "deployed_to": [{"employee_id": 1}, {"location_id": 2}]}))
        .undone();
    let by = SkipReason::StillReferenced(String::from("asset X"));
    assert_eq!((left(&items[0]), left(&items[1])), (&by, &by));
}

#[test]
fn what_is_unknown_is_told_with_the_record_that_it_is_about() {
    let told = |name: &str, write, body: Json| {
        let story = Story::default().did(name, write, body, None, None).ends(StepResult::Unknown);
        let item = story.undone().remove(0);
        assert_eq!(*left(&item), SkipReason::OutcomeUnknown);
        (item.record, item.title.clone(), item.order)
    };
    let locations = entity("locations");
    assert_eq!(
        told("locations", WriteKind::Create, json!({"name": "Ulm"})),
        (Some(1), String::from("Ulm"), UndoOrder::delete(locations))
    );
    assert_eq!(
        told("locations", WriteKind::Update(7), json!({})),
        (Some(7), String::from("#7"), UndoOrder::delete(locations))
    );
    assert_eq!(told("locations", WriteKind::Delete(8), json!({})).0, Some(8));
    let out = told("checkout_asset", WriteKind::Create, json!({"asset_id": "T"}));
    assert_eq!((out.0, out.2), (None, UndoOrder::move_back(0)));
}

#[test]
fn what_others_had_done_already_is_left_alone() {
    let story = Story::default().created("locations", json!({"name": "Ulm"}), None).ends(StepResult::AlreadyApplied);
    assert!(story.holds("locations", json!({"id": 1, "name": "Ulm"})).undone().is_empty());
}

#[test]
fn every_kind_has_a_verb_and_some_deletes_are_for_good() {
    let kinds = [
        (UndoKind::CheckIn, "check in"),
        (UndoKind::CheckOut, "check out"),
        (UndoKind::Delete, "delete"),
        (UndoKind::DeletePermanently, "delete"),
        (UndoKind::Restore, "restore"),
        (UndoKind::Recreate, "create again"),
    ];
    assert!(kinds.iter().all(|(kind, verb)| kind.verb() == *verb));
    let kind = |name: &str, write| {
        let decision = UndoDecision::undo(write, Body::new());
        let (row, order) = (RowId { sheet: 0, row: 2 }, UndoOrder::move_back(0));
        UndoItem { row, entity: entity(name), record: None, title: String::new(), order, decision }.kind()
    };
    assert_eq!(kind("checkin_asset", WriteKind::Create), Some(UndoKind::CheckIn));
    assert_eq!(kind("checkout_asset", WriteKind::Create), Some(UndoKind::CheckOut));
    assert_eq!(kind("assets", WriteKind::Create), Some(UndoKind::Recreate));
    assert_eq!(kind("assets", WriteKind::Update(1)), Some(UndoKind::Restore));
    assert_eq!(kind("assets", WriteKind::Delete(1)), Some(UndoKind::Delete));
    assert_eq!(kind("categories", WriteKind::Delete(1)), Some(UndoKind::DeletePermanently));
    assert_eq!(item_collection(entity("checkout_license")).name, "licenses");
    assert_eq!(item_collection(entity("licenses")).name, "licenses");
}

#[test]
fn batches_go_from_moves_to_what_is_restored_last() {
    let item = |name: &str, order: UndoOrder, decision| UndoItem {
        row: RowId { sheet: 0, row: 2 },
        entity: entity(name),
        record: None,
        title: String::new(),
        order,
        decision,
    };
    let does = || UndoDecision::undo(WriteKind::Update(1), Body::new());
    let leaves = || UndoDecision::Skip(SkipReason::NoId);
    let (assets, locations) = (entity("assets"), entity("locations"));
    let items = [
        item("checkin_asset", UndoOrder::move_back(1).last(), does()),
        item("assets", UndoOrder::restore(assets).last(), does()),
        item("assets", UndoOrder::recreate(assets), does()),
        item("locations", UndoOrder::recreate(locations).last(), leaves()),
        item("locations", UndoOrder::restore(locations), does()),
        item("locations", UndoOrder::delete(locations), does()),
        item("assets", UndoOrder::restore(assets), leaves()),
        item("assets", UndoOrder::delete(assets), does()),
        item("assets", UndoOrder::restore_item(1), does()),
        item("checkin_asset", UndoOrder::move_back(1), does()),
        item("assets", UndoOrder::prepare(1), does()),
        item("checkout_asset", UndoOrder::move_back(0), does()),
        item("assets", UndoOrder::delete(assets), leaves()),
    ];
    let batches: Vec<(String, Vec<usize>)> =
        batches(&items).into_iter().map(|batch| (batch.label, batch.items)).collect();
    let told: Vec<(&str, &[usize])> = batches.iter().map(|(label, items)| (label.as_str(), items.as_slice())).collect();
    assert_eq!(
        told,
        [
            ("checkout_asset", &[11][..]),
            ("assets (moved)", &[10]),
            ("checkin_asset", &[9]),
            ("assets (moved)", &[8]),
            ("assets", &[7, 12]),
            ("assets", &[6]),
            ("locations", &[5]),
            ("locations (restored)", &[4]),
            ("locations", &[3]),
            ("assets (created)", &[2]),
            ("assets (restored)", &[1]),
            ("checkin_asset", &[0]),
        ]
    );
}
