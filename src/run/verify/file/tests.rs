//! What rows come to, and what is counted of them.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::check::ValueError;
use crate::mapping::MappingOverrides;
use crate::plan::ReadOnlyState;

fn row(number: u64, cells: &[&str]) -> Row {
    let mut row = Row::default();
    row.clear(number);
    cells.iter().for_each(|cell| row.push_text(cell));
    row
}

#[test]
fn cells_that_cannot_be_parsed_are_counted_once_and_their_amounts_are_unknown() {
    let assets = schema::collection("assets").unwrap();
    let headers = ["asset_id", "purchase_cost", "custom:Rack", "_action", "notes"];
    let mapping = Mapping::new(assets, &row(1, &headers), &MappingOverrides::default()).unwrap();
    let problem = |column: u32| ValueError::new(Code::CellError, "", "").at(Some(column), "");
    let stated = |columns: &[u32]| {
        let problems = columns.iter().map(|column| problem(*column)).collect();
        let owner = RowId { sheet: 0, row: 2 };
        let statement = Statement::of(&mapping, owner, &CheckedRow { problems, ..CheckedRow::default() });
        (statement.cells, statement.amounts.len())
    };
    assert_eq!(stated(&[]), (0, 0));
    assert_eq!(stated(&[2]), (1, 0));
    assert_eq!(stated(&[3]), (0, 0), "an action is no value");
    assert_eq!(stated(&[1, 2, 2, 4]), (3, 1));
}

#[test]
fn a_value_that_the_service_sets_differs_in_its_own_cell() {
    let assets = schema::collection("assets").unwrap();
    let mut catalog = Catalog::default();
    let mut add = |collection: &str, id: i64, record: Json| {
        catalog.insert_known(schema::collection(collection).unwrap(), id, record.as_object().cloned().unwrap());
    };
    add("assets", 7, json!({"id": 7, "asset_id": "A-7"}));
    add("employees", 1, json!({"id": 1, "name": "Ada"}));
    let header = SheetHeader { header: row(1, &["id", "deployed_to_name"]), ..SheetHeader::without_columns(assets) };
    let shown = |is_explained: bool| {
        let held = json!([{"employee_id": 1}]);
        let state = ReadOnlyState::Different { shown: String::from("Bob"), held, is_explained };
        let cells = vec![ReadOnlyCell { column: 1, field: assets.field("deployed_to"), state }];
        let statement = Statement { row: 3, cells: 2, ..Statement::default() };
        let read_only = ReadOnlyFindings::of(&header, cells);
        let row = ComparedRow { statement, record: Some(7), finding: RowFinding::Equal, read_only };
        let mut findings = Findings::default();
        Comparison { sink: ComparisonSink::default(), catalog: &catalog }.add_row(&mut findings, &header, &row);
        assert_eq!((findings.counts.equal, findings.counts.different), (2, 1));
        findings.differences.remove(0)
    };
    let expected = Difference {
        kind: DifferenceKind::Different,
        collection: "assets",
        id: Some(7),
        record: String::from("A-7"),
        field: Some(ASSIGNED_TO.to_owned()),
        expected: String::from("Bob"),
        found: String::from("Ada"),
        source: String::from("a B3"),
        is_explained: true,
        changed_by: None,
        changed_at: None,
    };
    assert_eq!(shown(true), expected);
    assert_eq!(shown(false), Difference { is_explained: false, ..expected });
}
