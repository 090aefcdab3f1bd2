//! Reads the workbooks back, and compares those in the repository with what the schema makes now.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::io::Cursor;

use calamine::{Data, DataType, Reader, Xlsx, open_workbook_from_rs};

use super::*;
use crate::schema::{self, Kind};

fn entities(names: &[&str]) -> Vec<&'static Entity> {
    names.iter().map(|name| schema::find(name).unwrap()).collect()
}

fn opened(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    open_workbook_from_rs(Cursor::new(bytes)).unwrap()
}

/// The cells of a column below its header.
fn column(workbook: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str, column: u32) -> Vec<String> {
    let range = workbook.worksheet_range(sheet).unwrap();
    let cell = |row| range.get_value((row, column)).unwrap_or(&Data::Empty);
    (1..=range.end().unwrap().0).map(cell).filter(|cell| !cell.is_empty()).map(ToString::to_string).collect()
}

/// A part of the file as XML.
fn part(bytes: Vec<u8>, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

#[test]
fn the_templates_of_the_repository_are_in_step_with_the_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut expected = BTreeSet::new();
    for (name, entities) in all() {
        let file_name = format!("{name}.xlsx");
        let made = build(&entities, None, &file_name).unwrap();
        let kept = fs::read(folder.join(&file_name)).unwrap_or_default();
        let stale = "delete the files in `templates` and run `tallyport template -o templates`";
        assert!(made == kept, "`{file_name}` is stale: {stale}");
        expected.insert(file_name);
    }
    let found = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_sheet_has_the_headers_and_nothing_to_import() {
    let (_, everything) = all().last().unwrap();
    let mut workbook = opened(build(&everything, None, "onboarding.xlsx").unwrap());
    let mut sheets = vec![INSTRUCTIONS_SHEET];
    sheets.extend(everything.iter().map(|entity| entity.name));
    sheets.push(LISTS_SHEET);
    assert_eq!(workbook.sheet_names(), sheets);
    for entity in everything {
        let range = workbook.worksheet_range(entity.name).unwrap();
        let headers: Vec<String> = range.rows().next().unwrap().iter().map(ToString::to_string).collect();
        let fields = entity.created_fields().filter(|field| field.kind != Kind::CustomFields);
        assert_eq!(headers, fields.map(|field| field.name).collect::<Vec<_>>(), "{}", entity.name);
        assert_eq!(range.height(), 1, "{}", entity.name);
    }
}

#[test]
fn every_header_carries_a_note() {
    let bytes = build(&entities(&["maintenances"]), None, "maintenances.xlsx").unwrap();
    let notes = part(bytes, "xl/comments1.xml");
    assert_eq!(notes.matches("<comment ").count(), 8);
    assert!(notes.contains("type (one of the options, required)"), "{notes}");
    assert!(notes.contains("hardware support, software support"), "{notes}");
}

#[test]
fn columns_hold_what_their_kind_needs() {
    let bytes = build(&entities(&["maintenances"]), None, "maintenances.xlsx").unwrap();
    let sheet = part(bytes, "xl/worksheets/sheet2.xml");
    let list =
        r#"<formula1>"maintenance,repair,upgrade,test,calibration,hardware support,software support"</formula1>"#;
    assert!(sheet.contains(list), "{sheet}");
    assert_eq!(sheet.matches(r#"<dataValidation type="date" errorStyle="warning""#).count(), 2, "{sheet}");
    assert_eq!(sheet.matches(r#"<dataValidation type="decimal""#).count(), 1, "{sheet}");
    assert!(sheet.contains(r#"state="frozen""#), "{sheet}");
}

#[test]
fn currencies_are_those_in_use() {
    let mut workbook = opened(build(&entities(&["assets"]), None, "assets.xlsx").unwrap());
    let codes = column(&mut workbook, LISTS_SHEET, 0);
    for code in ["CHF", "EUR", "USD", "VES", "XCG", "XOF"] {
        assert!(codes.iter().any(|listed| listed == code), "{code} is missing");
    }
    for code in ["HRK", "ZWL", "XTS", "XXX", "XAU", "BOV", "SLL"] {
        assert!(codes.iter().all(|listed| listed != code), "{code} is listed");
    }
    assert!(codes.is_sorted());
}

#[test]
fn a_reference_offers_the_accounts_own_names() {
    let live = LiveNames::from([
        ("categories".to_owned(), vec!["Laptops".to_owned(), "Mice".to_owned()]),
        ("categories:accessory".to_owned(), vec!["Mice".to_owned()]),
    ]);
    let bytes = build(&entities(&["accessories", "products"]), Some(&live), "two.xlsx").unwrap();
    let mut workbook = opened(bytes.clone());
    assert_eq!(column(&mut workbook, LISTS_SHEET, 1), ["Mice"]);
    assert_eq!(column(&mut workbook, LISTS_SHEET, 2), ["Laptops", "Mice"]);
    assert!(part(bytes.clone(), "xl/worksheets/sheet2.xml").contains("<formula1>Lists!$B$2</formula1>"));
    assert!(part(bytes, "xl/worksheets/sheet3.xml").contains("<formula1>Lists!$C$2:$C$3</formula1>"));
}

#[test]
fn a_reference_offers_the_names_of_the_sheet_beside_it() {
    let bytes = build(&entities(&["employees", "assets", "checkout_asset"]), None, "three.xlsx").unwrap();
    let checkout = part(bytes, "xl/worksheets/sheet4.xml");
    let assets = "OFFSET(assets!$A$2,0,0,MAX(1,COUNTA(assets!$A$2:$A$10001)),1)";
    assert!(checkout.contains(assets), "{checkout}");
    assert!(checkout.contains("OFFSET(employees!$A$2"), "{checkout}");
}

#[test]
fn a_file_that_may_be_filled_in_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assets.xlsx");
    write(&entities(&["assets"]), None, &path).unwrap();
    write(&entities(&["assets"]), None, &path).expect("the same template again is no change");
    fs::write(&path, "filled in").unwrap();
    let error = write(&entities(&["assets"]), None, &path).unwrap_err();
    assert!(matches!(error, TemplateError::FilledIn { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"filled in");
}
