#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::civil::date;
use rust_decimal::Decimal;

use super::super::content::{RegisterOptions, RegisterTarget};
use super::super::currency::Currency;
use super::super::depreciation::DepreciationSchedule;
use super::super::item::{Disposal, ItemKind, MissingFigure, RegisterItem, UnusableValue};
use super::super::manifest::RegisterAccount;
use super::super::samples;
use super::super::write::write;
use crate::error::Diagnostic;
use crate::table::{Input, ReadOptions, Value, Workbook};

fn options(target: RegisterTarget) -> RegisterOptions {
    RegisterOptions {
        as_of: date(2025, 1, 31),
        rates: None,
        previous: None,
        target,
        account: RegisterAccount::new("https://api.example.com/api/v1", Some("12".into())),
        generated_at: "2025-01-31T06:00:00Z".parse().unwrap(),
        losses: Vec::new(),
        list: None,
    }
}

/// Some of everything.
fn items() -> Vec<RegisterItem> {
    let license = RegisterItem {
        kind: ItemKind::License,
        category: "Software".into(),
        location: String::new(),
        status: String::new(),
        expires_on: Some(date(2025, 3, 1)),
        ..samples::item(1)
    };
    let schedule = DepreciationSchedule { name: "S".into(), months: 7, minimum: Decimal::from(100) };
    vec![
        samples::item(1),
        RegisterItem { currency: Currency::of("JPY"), schedule: Ok(schedule), ..samples::item(2) },
        RegisterItem { cost: Err(MissingFigure::CostMissing), ..samples::item(3) },
        RegisterItem { category: "*".into(), department: ">1".into(), ..samples::item(4) },
        RegisterItem { disposal: Disposal::Archived, ..samples::item(5) },
        RegisterItem { purchase_date: Ok(date(2025, 2, 1)), ..samples::item(6) },
        RegisterItem { currency: Currency::of(""), category: String::new(), ..samples::item(7) },
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
    insta::assert_snapshot!(rows(path.clone(), "Summary").join("\n"), @r#"
    Fixed-asset register
    Cost, straight-line depreciation and book value
    As of the end of|2025-01-31
    Account|https://api.example.com/api/v1, tenant 12
    Written|2025-01-31 06:00 UTC
    Items
    In the books (held)|6||Held and fully depreciated|||1
    Disposed of|1||Held without a book value (see Exceptions)|||1
    Not yet bought on that day|1||Assets|||7
    All lines of the register|8||Licenses|||1
    Totals of what is held, by currency
    Currency|Items|Without book value|Cost|Cost without book value|Accumulated depreciation|Book value
    EUR|4|1|3000|0|999.99|2000.01
    JPY|1|0|1000|0|900|100
    unstated|1|0|1000|0|333.33|666.67
    Disposed of, as if still held: in no other total
    Currency|Items|Without book value|Cost|Cost without book value|Accumulated depreciation|Book value
    EUR|1|0|1000|0|333.33|666.67
    To look at
    1 item without a book value; the register gives the reasons
    1 item without a currency, totalled separately as `unstated`
    In this workbook
    By category|totals by category and currency
    By department|totals by department and currency
    By location|totals by location and currency
    By status|totals by status and currency
    Charts|book value by category, spend by month, what runs out
    Running out|warranties and licenses that end in the next twelve months
    Register|a line per item: what every formula here counts
    Exceptions|what could not be computed, and why
    Method|how the figures come about
    "#);
    insta::assert_snapshot!(rows(path.clone(), "By category").join("\n"), @r#"
    Book value by category
    What is held at the end of 2025-01-31, each currency by itself.
    Category|Currency|Items|Without book value|Cost|Cost without book value|Accumulated depreciation|Book value|Depreciated
    *|EUR|1|0|1000|0|333.33|666.67|0.33333
    Laptops|EUR|2|1|1000|0|333.33|666.67|0.33333
    Software|EUR|1|0|1000|0|333.33|666.67|0.33333
    Total EUR|EUR|4|1|3000|0|999.99|2000.01|0.33333
    Laptops|JPY|1|0|1000|0|900|100|0.9
    Total JPY|JPY|1|0|1000|0|900|100|0.9
    (none)|unstated|1|0|1000|0|333.33|666.67|0.33333
    Total unstated|unstated|1|0|1000|0|333.33|666.67|0.33333
    "#);
    insta::assert_snapshot!(rows(path.clone(), "Exceptions").join("\n"), @r#"
    Exceptions
    Items without a book value, with every reason; and notes on items that have one. None of it is zero.
    What|Kind|Id|Tag|Name|Category|Standing|Currency|Why|What to do
    no book value|asset|3|LAP-0003|MacBook Pro 14|Laptops|held|EUR|no purchase cost|enter its purchase cost
    no book value|asset|6|LAP-0006|MacBook Pro 14|Laptops|not yet bought|EUR|bought on 2025-02-01, after the as-of date|nothing, or correct the purchase date
    note|asset|7|LAP-0007|MacBook Pro 14||held|unstated|neither it nor its location has a currency: totalled separately as `unstated`|enter its currency or the currency of its location
    "#);
    insta::assert_snapshot!(rows(path, "Running out").join("\n"), @r#"
    Warranties and licenses running out
    Of what is held: ends from 2025-01-31 to 2026-01-31.
    Ends on|Days left|What|Tag|Name|Category|Department|Location|Supplier
    2025-03-01|29|license|LAP-0001|MacBook Pro 14|Software|Finance||CDW
    "#);
}

#[test]
fn an_item_that_may_be_gone_is_held_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.xlsx");
    let unusable = vec![UnusableValue::Termination("31/12/2024".into())];
    let item = RegisterItem { kind: ItemKind::License, unusable, ..samples::item(1) };
    let summary = write(vec![item, samples::item(2)], &options(RegisterTarget::Xlsx(path.clone()))).unwrap();
    let warnings: Vec<_> = summary.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "1 item counted as held, with an invalid termination date or a status that does not exist; the sheet Exceptions \
          of the workbook gives the details"
        ]
    );
    let exceptions = rows(path, "Exceptions");
    assert_eq!(
        exceptions.last().unwrap(),
        "note|license|1|LAP-0001|MacBook Pro 14|Laptops|held|EUR|termination date `31/12/2024` is not a date: counted as \
         held|enter its termination date"
    );
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
            "1 item without a book value; the register gives the reasons",
            "1 item without a currency, totalled separately as `unstated`",
            "no exchange rate for unstated: its totals are not converted",
        ]
    );
    let totals: Vec<_> = rows(path.clone(), "Summary")
        .into_iter()
        .filter(|row| row.contains("|0.006|") || row.starts_with("Total in"))
        .collect();
    insta::assert_snapshot!(totals.join("\n"), @r#"
    JPY|1|0|1000|0|900|100|0.006|6|5.4|0.6
    Total in EUR, without unstated||||||||3006|1005.39|2000.61
    Total in EUR||||||||1000|333.33|666.67
    "#);
    insta::assert_snapshot!(rows(path, "Rates").join("\n"), @r#"
    Rates of exchange
    What one unit of a currency costs in EUR, as given. Converted totals follow a change here.
    Currency|Rate|In words
    EUR|1|1 EUR = 1 EUR
    JPY|0.006|1 JPY = 0.006 EUR
    "#);
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
            insta::assert_snapshot!(roll.replace('\r', ""), @r#"
    currency,category,measure,opening,additions,disposals,adjustments,depreciation,closing,opening_date,closing_date
    EUR,*,cost,1000.00,0.00,0.00,0.00,0.00,1000.00,2025-01-31,2025-02-28
    EUR,*,accumulated_depreciation,333.33,0.00,0.00,0.00,27.78,361.11,2025-01-31,2025-02-28
    EUR,*,book_value,666.67,0.00,0.00,0.00,-27.78,638.89,2025-01-31,2025-02-28
    EUR,Laptops,cost,1000.00,1000.00,0.00,0.00,0.00,2000.00,2025-01-31,2025-02-28
    EUR,Laptops,accumulated_depreciation,333.33,0.00,0.00,0.00,27.78,361.11,2025-01-31,2025-02-28
    EUR,Laptops,book_value,666.67,1000.00,0.00,0.00,-27.78,1638.89,2025-01-31,2025-02-28
    EUR,Software,cost,1000.00,0.00,0.00,0.00,0.00,1000.00,2025-01-31,2025-02-28
    EUR,Software,accumulated_depreciation,333.33,0.00,0.00,0.00,27.78,361.11,2025-01-31,2025-02-28
    EUR,Software,book_value,666.67,0.00,0.00,0.00,-27.78,638.89,2025-01-31,2025-02-28
    JPY,Laptops,cost,1000,0,0,0,0,1000,2025-01-31,2025-02-28
    JPY,Laptops,accumulated_depreciation,900,0,0,0,0,900,2025-01-31,2025-02-28
    JPY,Laptops,book_value,100,0,0,0,0,100,2025-01-31,2025-02-28
    unstated,(none),cost,1000.00,0.00,0.00,0.00,0.00,1000.00,2025-01-31,2025-02-28
    unstated,(none),accumulated_depreciation,333.33,0.00,0.00,0.00,27.78,361.11,2025-01-31,2025-02-28
    unstated,(none),book_value,666.67,0.00,0.00,0.00,-27.78,638.89,2025-01-31,2025-02-28
    "#);
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
    assert_eq!(error.to_string(), "duplicate asset 1");
    let missing = options(RegisterTarget::Csv(folder.path().join("no/register.csv")));
    assert!(write(items(), &missing).unwrap_err().hint().unwrap().contains("create the folder"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
