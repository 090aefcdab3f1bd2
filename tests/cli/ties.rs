//! Records that a bulk import created at the same time, which the service lists in another order in each page: a record
//! at a page end is on no page, and is neither created again nor lost.

use std::collections::BTreeSet;

use serde_json::json;

use crate::reference_server::Shapes;
use crate::shapes::ShapeTest;

const PLACES: usize = 450;

/// An account of places whose pages of 100 leave some out.
fn account() -> ShapeTest {
    let test = ShapeTest::new(Shapes::Data);
    test.server.holds_unordered("locations", (0..PLACES).map(|number| json!({"name": format!("Place {number}")})));
    test
}

#[test]
fn an_import_creates_no_record_again() {
    let test = account();
    let names: String = (0..=PLACES).map(|number| format!("Place {number}\n")).collect();
    std::fs::write(test.path("locations.csv"), format!("name\n{names}")).unwrap();
    let ran = test.run(&["import", "locations.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let records = test.server.records("locations");
    assert_eq!(records.len(), PLACES + 1, "only the new place was created");
}

#[test]
fn an_export_has_every_record() {
    let test = account();
    let ran = test.run(&["export", "locations", "-o", "-", "--columns", "name"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let names: BTreeSet<&str> = ran.stdout.lines().skip(1).collect();
    assert_eq!((names.len(), ran.stdout.lines().count()), (PLACES, PLACES + 1), "{}", ran.stderr);
}
