#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::civil::date;
use rust_decimal::Decimal;

use super::super::depreciation::Schedule;
use super::super::item::{Disposal, Gap, Item};
use super::super::{Account, Currency, Kind, RegisterOptions, RegisterTarget, samples, write};
use crate::table::{Input, ReadOptions, Value, Workbook};

fn options(target: RegisterTarget) -> RegisterOptions {
    RegisterOptions {
        as_of: date(2025, 1, 31),
        rates: None,
        previous: None,
        target,
        account: Account::new("https://api.example.com/api/v1", Some("12".into())),
        generated_at: "2025-01-31T06:00:00Z".parse().unwrap(),
    }
}

/// Some of everything.
fn items() -> Vec<Item> {
    let license = Item {
        kind: Kind::License,
        category: "Software".into(),
        location: String::new(),
        status: String::new(),
        runs_out: Some(date(2025, 3, 1)),
        ..samples::item(1)
    };
    let schedule = Schedule { name: "S".into(), months: 7, minimum: Decimal::from(100) };
    vec![
        samples::item(1),
        Item { currency: Currency::of("JPY"), schedule: Ok(schedule), ..samples::item(2) },
        Item { cost: Err(Gap::CostMissing), ..samples::item(3) },
        Item { category: "*".into(), department: ">1".into(), ..samples::item(4) },
        Item { disposal: Disposal::Archived, ..samples::item(5) },
        Item { purchased: Ok(date(2025, 2, 1)), ..samples::item(6) },
        Item { currency: Currency::of(""), category: String::new(), ..samples::item(7) },
        license,
    ]
}

/// The rows of a sheet, as texts; numbers as stored.
fn rows(path: PathBuf, sheet: &str) -> Vec<String> {
    let mut book = Workbook::open(&Input::Path(path), &ReadOptions::default()).unwrap();
    let at = book.sheets().iter().position(|own| own.name.as_deref() == Some(sheet)).unwrap();
    let mut rows = Vec::new();
    book.each_row(at, &mut |row| {
        let cells = row.cells().map(|cell| match cell.value {
            Value::Number(number) => number.to_string(),
            _ => cell.text.to_owned(),
        });
        rows.push(cells.collect::<Vec<_>>().join("|").trim_end_matches('|').to_owned());
        ControlFlow::Continue(())
    })
    .unwrap();
    rows
}

#[test]
fn the_sheets_hold_their_results_and_currencies_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.xlsx");
    write(items(), &options(RegisterTarget::Xlsx(path.clone()))).unwrap();
    insta::assert_snapshot!(rows(path.clone(), "Summary").join("\n"), @"");
    insta::assert_snapshot!(rows(path.clone(), "By category").join("\n"), @"");
    insta::assert_snapshot!(rows(path.clone(), "Exceptions").join("\n"), @"");
    insta::assert_snapshot!(rows(path, "Running out").join("\n"), @"");
}

#[test]
fn rates_convert_beside_the_originals() {
    let folder = tempfile::tempdir().unwrap();
    let (path, rates) = (folder.path().join("register.xlsx"), folder.path().join("rates.csv"));
    std::fs::write(&rates, "currency,rate\nEUR,1\nJPY,0.006\n").unwrap();
    let wanted = RegisterOptions { rates: Some(rates), ..options(RegisterTarget::Xlsx(path.clone())) };
    let summary = write(items(), &wanted).unwrap();
    let warnings: Vec<_> = summary.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "1 item without a book value; the register says why for each",
            "1 item without a currency, counted apart as `unstated`",
            "no rate for unstated: its totals are not converted",
        ]
    );
    let totals: Vec<_> = rows(path.clone(), "Summary")
        .into_iter()
        .filter(|row| row.contains("|0.006|") || row.starts_with("Total in"))
        .collect();
    insta::assert_snapshot!(totals.join("\n"), @"");
    insta::assert_snapshot!(rows(path, "Rates").join("\n"), @"");
}

#[test]
fn a_folder_has_all_files_with_their_digests_and_rolls_forward_from_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("2025-01");
    let summary = write(items(), &options(RegisterTarget::Folder(first.clone()))).unwrap();
    let names: Vec<_> = summary.files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["register.xlsx", "register.csv", "manifest.json"]);
    for previous in ["register.xlsx", "register.csv"] {
        let next = folder.path().join(format!("after {previous}"));
        let wanted = RegisterOptions {
            as_of: date(2025, 2, 28),
            previous: Some(first.join(previous)),
            ..options(RegisterTarget::Folder(next.clone()))
        };
        let summary = write(items(), &wanted).unwrap();
        assert_eq!(summary.rolled_forward_from.as_deref(), Some("2025-01-31"));
        assert_eq!(summary.files.len(), 4);
        let roll = std::fs::read_to_string(next.join("roll-forward.csv")).unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(roll.replace('\r', ""), @"");
        }
        let moved = rows(next.join("register.xlsx"), "Movements");
        assert!(moved.last().unwrap().starts_with("added|asset|6|LAP-0006|"), "{moved:?}");
    }
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(first.join("manifest.json")).unwrap()).unwrap();
    for file in manifest["files"].as_array().unwrap() {
        let bytes = std::fs::read(first.join(file["name"].as_str().unwrap())).unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((file["sha256"].as_str(), file["bytes"].as_u64()), (Some(&*digest), Some(bytes.len() as u64)));
    }
    assert_eq!(manifest["account"]["tenant"], "12");
    assert_eq!(manifest["totals"][0]["book_value"], "2000.01");
}

#[test]
fn the_same_register_is_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str| {
        let path = folder.path().join(name);
        write(items(), &options(RegisterTarget::Xlsx(path.clone()))).unwrap();
        std::fs::read(path).unwrap()
    };
    assert!(written("one.xlsx") == written("two.xlsx"));
}

#[test]
fn an_empty_account_has_a_register() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.xlsx");
    let summary = write(Vec::new(), &options(RegisterTarget::Xlsx(path.clone()))).unwrap();
    assert_eq!((summary.counts.items, summary.totals.len()), (0, 0));
    assert_eq!(rows(path.clone(), "Register").len(), 1);
    let next = RegisterOptions { previous: Some(path.clone()), ..options(RegisterTarget::Xlsx(path)) };
    let summary = write(vec![samples::item(1)], &next).unwrap();
    assert_eq!(summary.rolled_forward_from, None, "an empty register has no day");
}

#[test]
fn an_item_that_is_there_twice_and_a_failure_leave_the_old_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.csv");
    std::fs::write(&path, "old").unwrap();
    let twice = vec![samples::item(1), samples::item(1)];
    let error = write(twice, &options(RegisterTarget::Csv(path.clone()))).unwrap_err();
    assert_eq!(error.to_string(), "asset 1 is there twice");
    let missing = options(RegisterTarget::Csv(folder.path().join("no/register.csv")));
    assert!(write(items(), &missing).unwrap_err().mend().unwrap().contains("create the folder"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
