#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::*;
use crate::catalog::Catalog;
use crate::mapping::Ids as GivenIds;
use crate::schema::{COLLECTIONS, collection};

fn record(value: Json) -> Record {
    value.as_object().unwrap().clone()
}

fn names() -> ReferenceNames {
    let mut catalog = Catalog::default();
    let mut add = |name: &str, value: Json| {
        let id = value["id"].as_i64().unwrap();
        catalog.insert_known(collection(name).unwrap(), id, record(value));
    };
    add("categories", json!({"id": 5, "name": "Notebooks", "type": "asset"}));
    add("products", json!({"id": 2, "name": "MacBook", "category_id": 5}));
    add("employees", json!({"id": 3, "name": "Ada", "email": "ada@example.com"}));
    for (id, name) in [(1, "Bonn"), (2, "Berlin"), (3, "BERLIN"), (4, "n/a"), (5, "berlin")] {
        add("locations", json!({"id": id, "name": name}));
    }
    ReferenceNames::new(catalog)
}

/// The cells of a record by header.
fn cells(columns: &ExportColumns, value: &Json) -> Vec<(String, String)> {
    let text = value.to_string();
    let mut row = Row::default();
    row.restart(1, value::formats());
    columns.fill(&RawFields::of(&text).unwrap(), &names(), &mut row);
    columns.headers().map(str::to_owned).zip(row.cells().map(|cell| cell.text.to_owned())).collect()
}

#[test]
fn every_header_is_read_as_what_it_is_written_for() {
    for entity in COLLECTIONS.iter().copied() {
        let words = HeaderAliases::of(entity);
        for columns in [
            ExportColumns::of(entity, &ObservedFields::default(), IdColumns::Both),
            ExportColumns::backup(entity, std::iter::empty()),
        ] {
            for column in &columns.columns {
                let read = words.get(&column.header);
                let field = match &column.source {
                    CellSource::Field(field) | CellSource::Name(field, _) if field.is_written() => field,
                    _ => {
                        let is_told = matches!(
                            read,
                            Some(
                                ColumnTarget::Ignored(_)
                                    | ColumnTarget::Id(_)
                                    | ColumnTarget::Timestamp(_)
                                    | ColumnTarget::Related { .. }
                            )
                        );
                        assert!(is_told, "{}.{}: {read:?}", entity.name, column.header);
                        continue;
                    }
                };
                let index = entity.field_index(field.name).unwrap();
                let Some(ColumnTarget::Field { field: fed, ids }) = read else { panic!("{}: {read:?}", column.header) };
                assert_eq!(fed, index, "{}.{}", entity.name, column.header);
                let is_name = matches!(&column.source, CellSource::Name(_, reference) if reference.wire == Wire::Id);
                assert!(!is_name || ids == GivenIds::Marked, "{}", column.header);
            }
        }
    }
}

#[test]
fn a_record_is_shown_whole() {
    let mut shape = ObservedFields::default();
    let asset = json!({
        "id": 7, "asset_id": "A-1", "product_id": 2, "category_id": 99, "location_id": 3, "purchase_cost": 12.5,
        "deployed_to": [{"employee_id": 3, "checkout_date": "2024-05-01"}, {"location_id": 1}], "shelf": {"row": 4},
        "custom_fields": "[{\"name\":\"Rack\",\"value\":\"B4\"}]", "created_at": "2024-05-01T00:00:00.000Z",
    });
    shape.observe_json(&asset.to_string());
    let shown = cells(&ExportColumns::of(collection("assets").unwrap(), &shape, IdColumns::Both), &asset);
    let cell = |header: &str| shown.iter().find(|(known, _)| known == header).map(|(_, text)| text.as_str()).unwrap();
    assert_eq!([cell("id"), cell("asset_id"), cell("purchase_cost")], ["7", "A-1", "12.5"]);
    assert_eq!([cell("product_id"), cell("product_name")], ["2", "MacBook"]);
    assert_eq!([cell("category_id"), cell("category_name")], ["5", "Notebooks"], "the product's, not what it once was");
    assert_eq!([cell("location_id"), cell("location_name")], ["3", "BERLIN"]);
    assert_eq!([cell("deployed_to_name"), cell("custom:Rack"), cell("shelf")], ["Ada; Bonn", "B4", "{\"row\":4}"]);
    assert_eq!(cell("created_at"), "2024-05-01T00:00:00.000Z");
    let headers: Vec<&String> = shown.iter().map(|(header, _)| header).collect();
    assert_eq!(headers.iter().collect::<std::collections::BTreeSet<_>>().len(), headers.len(), "no header twice");
}

#[test]
fn a_name_stands_where_it_finds_the_record_again() {
    let columns = ExportColumns::of(collection("assets").unwrap(), &ObservedFields::default(), IdColumns::NamesOnly);
    for (id, name) in [(1, "Bonn"), (2, "Berlin"), (4, "#4"), (9, "#9")] {
        let shown = cells(&columns, &json!({"id": 1, "location_id": id}));
        assert_eq!(shown.iter().find(|(header, _)| header == "location_name").unwrap().1, name);
    }
}

#[test]
fn values_are_cells_of_their_kind() {
    let accessory = json!({
        "id": 7, "name": "0042", "purchase_cost": 29, "purchase_date": "2024-05-01T00:00:00.000Z", "qr_code": 1,
        "quantity": 3, "available": 2, "category_id": 5, "notes": null, "custom_fields": [{"name": "Rack", "value": "B4"}],
    });
    let held = record(accessory.clone());
    let columns = ExportColumns::backup(collection("accessories").unwrap(), [&held].into_iter());
    let text = accessory.to_string();
    let mut row = Row::default();
    columns.fill(&RawFields::of(&text).unwrap(), &names(), &mut row);
    let cell = |header: &str| row.cell(columns.headers().position(|known| known == header).unwrap());
    assert_eq!((cell("_deleted_id").value, cell("available").value), (Value::Number(7.0), Value::Number(2.0)));
    assert_eq!((cell("name").text, cell("name").value), ("0042", Value::Text));
    assert_eq!(cell("purchase_cost").value, Value::Number(29.0));
    assert_eq!(cell("purchase_date").value, Value::Date(jiff::civil::date(2024, 5, 1).at(0, 0, 0, 0)));
    assert_eq!(cell("qr_code").value, Value::Boolean(true));
    assert_eq!((cell("custom:Rack").text, cell("notes").value), ("B4", Value::Blank));
}
