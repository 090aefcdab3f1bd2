//! What a run did, and what has to be fetched to undo it.

use super::*;

fn ids(history: &RunHistory, collection: &str) -> Vec<i64> {
    let mut ids: Vec<i64> = history.fetch_plan().ids.get(collection).into_iter().flatten().copied().collect();
    ids.sort_unstable();
    ids
}

fn tags(history: &RunHistory) -> Vec<&str> {
    let mut tags: Vec<&str> = history.fetch_plan().tags.iter().map(String::as_str).collect();
    tags.sort_unstable();
    tags
}

fn recent(history: &RunHistory) -> Vec<&'static str> {
    history.fetch_plan().recent.iter().copied().collect()
}

#[test]
fn what_a_run_wrote_to_is_fetched_with_what_may_refer_to_what_it_created() {
    let history = Story::default()
        .created("suppliers", json!({"name": "Acme"}), None)
        .did("locations", WriteKind::Update(7), json!({"city": "x"}), Some(json!({"city": "y"})), None)
        .did("statuses", WriteKind::Delete(9), json!({}), Some(json!({"id": 9})), None)
        .did("assets", WriteKind::Update(5), json!({"notes": "x"}), None, None)
        .ends(StepResult::Failed)
        .created("manufacturers", json!({"name": "Lost"}), None)
        .without_id()
        .history();
    assert_eq!(
        (ids(&history, "suppliers"), ids(&history, "locations"), ids(&history, "statuses")),
        (vec![1], vec![7], vec![9])
    );
    assert_eq!((ids(&history, "assets"), ids(&history, "manufacturers")), (Vec::new(), Vec::new()), "nothing was done");
    assert_eq!(
        recent(&history),
        ["accessories", "assets", "components", "consumables", "licenses", "maintenances", "statuses"]
    );
    assert!(history.is_created(("suppliers", 1)) && !history.is_created(("locations", 7)));
    assert!(history.is_deleted(("statuses", 9)) && !history.is_deleted(("suppliers", 1)));
    assert!(history.is_touched(("locations", 7)) && !history.is_touched(("suppliers", 1)));
    assert_eq!(history.written(("locations", 7)).unwrap()["city"], "x");
    assert!(history.fetch_plan().logs.is_empty());
}

#[test]
fn ids_that_the_run_created_are_filled_in() {
    let story = Story::default()
        .created("locations", json!({"name": "Ulm"}), None)
        .did("assets", WriteKind::Update(5), json!({"notes": "x"}), None, None)
        .awaits(0, "location_id")
        .awaits(7, "status_id");
    let history = story.history();
    assert_eq!(Json::from(history.written(("assets", 5)).unwrap().clone()), json!({"notes": "x", "location_id": 1}));
}

#[test]
fn assets_that_are_named_by_tag_are_fetched_unless_the_run_created_them() {
    let work = |tag: &str| json!({"asset_id": tag, "name": "Fan", "type": "repair"});
    let history = Story::default()
        .created("maintenances", work("T-0"), None)
        .created("assets", json!({"asset_id": "T-1"}), None)
        .created("maintenances", work(" T-1 "), None)
        .created("maintenances", work("T-2"), None)
        .did("maintenances", WriteKind::Update(9), json!({"asset_id": "T-3"}), Some(json!({"asset_id": 33})), None)
        .did("maintenances", WriteKind::Delete(8), json!({}), Some(json!({"id": 8, "asset_id": "T-4"})), None)
        .history();
    assert_eq!(tags(&history), ["33", "T-0", "T-2", "T-3", "T-4"], "a number may be a tag of digits");
    assert_eq!(ids(&history, "assets"), [2, 33]);
    let later = Story::default()
        .created("maintenances", work("T-1"), None)
        .created("assets", json!({"asset_id": "T-1"}), None)
        .history();
    assert_eq!(tags(&later), [""; 0], "it is known by now");
}

#[test]
fn what_was_moved_is_fetched_with_its_holder_or_the_log_where_records_do_not_tell() {
    let history = Story::default()
        .created("assets", json!({"asset_id": "N-1"}), None)
        .did(
            "checkout_asset",
            WriteKind::Create,
            json!({"asset_id": "N-1", "employee_id": 2, "asset_location_id": 4}),
            None,
            None,
        )
        .did("checkout_asset", WriteKind::Create, json!({"asset_id": "T-5", "location_id": 3}), None, None)
        .did("checkin_asset", WriteKind::Create, json!({"asset_id": 6, "status_id": 1}), Some(json!({"id": 6})), None)
        .did("checkout_accessory", WriteKind::Create, json!({"accessory_id": 1, "employee_id": 7}), None, None)
        .did("checkin_accessory", WriteKind::Create, json!({"accessory_id": 1, "employee_id": 8}), None, None)
        .did("checkout_accessory", WriteKind::Create, json!({"accessory_id": 1, "location_id": 9}), None, None)
        .did("checkout_component", WriteKind::Create, json!({"component_id": 2, "asset_id": "T-6"}), None, None)
        .did("checkout_consumable", WriteKind::Create, json!({"consumable_id": 3, "employee_id": 7}), None, None)
        .history();
    assert_eq!((ids(&history, "assets"), tags(&history)), (vec![1, 6], vec!["T-5", "T-6"]));
    assert_eq!((ids(&history, "employees"), ids(&history, "locations")), (vec![2, 7, 8], vec![3, 9]));
    assert_eq!(
        (ids(&history, "accessories"), ids(&history, "components"), ids(&history, "consumables")),
        (vec![1], vec![2], vec![3])
    );
    let logs: Vec<(&str, Vec<i64>, u64)> = history
        .fetch_plan()
        .logs
        .iter()
        .map(|(name, holders)| (*name, holders.people.iter().copied().collect(), holders.others))
        .collect();
    assert_eq!(logs, [("accessories", vec![7, 8], 1), ("components", Vec::new(), 1)], "consumables have no way back");
    assert_eq!(history.written(("assets", 1)).unwrap()["location_id"], 4, "what a check-out sets");
    assert_eq!(history.written(("assets", 6)).unwrap()["status_id"], 1);
    assert!(history.is_touched(("assets", 6)) && history.is_touched(("accessories", 1)));
}
