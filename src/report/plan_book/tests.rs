#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::io::Read as _;

use serde_json::json;

use super::stored::StoredStep;
use super::write::write_in_sheets;
use super::*;
use crate::account::AccountIdentity;
use crate::catalog::Catalog;
use crate::plan::{RowId, Step, StepRole, StepSink as _, WriteKind};
use crate::run::journal::{AccountSnapshot, JournalBuilder, JournalLocation, RunDetails, RunHeader, RunKind};
use crate::schema;
use crate::table::write::Access;

fn head() -> PlanHead {
    PlanHead {
        format: FORMAT,
        id: String::from("20261129-080000-abcd"),
        tallyport: String::from("0.1.0"),
        made: String::from("2026-11-29T08:00:00Z"),
        began: None,
        account: PlannedAccount { kind: String::from("memory"), place: String::new(), tenant: None },
        files: Vec::new(),
        options: Vec::new(),
        snapshot: AccountSnapshot::default(),
        creates_only: false,
        groups: Vec::new(),
        groups_at: 0,
    }
}

/// A plan of so many new places with a name and a city, which makes two lines each.
fn places(count: u32) -> JournalBuilder {
    let header = RunHeader {
        id: head().id,
        kind: RunKind::Import,
        account: AccountIdentity::SandboxMemory,
        undoes: None,
        details: RunDetails::default(),
    };
    let mut journal = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
    let entity = schema::collection("locations").unwrap();
    for number in 0..count {
        let row = RowId { sheet: 0, row: u64::from(number) + 2 };
        let mut step = Step::new(number, row, StepRole::Row, entity, WriteKind::Create);
        step.body.insert("name".into(), json!(format!("Place {number}")));
        step.body.insert("city".into(), json!("Ulm"));
        journal.push(&step).unwrap();
    }
    journal
}

#[test]
fn what_does_not_fit_into_a_sheet_goes_on_in_the_next_and_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.xlsx");
    let (journal, catalog) = (places(10), Catalog::default());
    let source = PlanSource {
        list: None,
        head: head(),
        journal: journal.journal().unwrap(),
        sheets: &[],
        catalog: &catalog,
        match_on: Vec::new(),
        notifying: &HashSet::new(),
        page: PageText::default(),
    };
    // The header and three lines, of which the lines of one record fit.
    write_in_sheets(&path, Access::default(), source, 4).unwrap();
    let book = PlanBook::read(&path).unwrap();
    assert_eq!(book.sheets.len(), 10);
    assert!(book.sheets.iter().all(|sheet| sheet.starts_with("locations")), "{:?}", book.sheets);
    let steps: Vec<StoredStep> = book.steps.iter().map(|step| step.parse().unwrap()).collect();
    assert!(steps.iter().all(|step| step.line == 1 && book.is_approved(step)));
    let names: Vec<&str> = steps.iter().map(|step| step.sheet.as_str()).collect();
    assert_eq!(names, book.sheets);
    assert_eq!((book.head.groups.len(), book.head.groups[0].records), (1, 10));
}

#[test]
fn only_the_first_line_of_a_record_has_a_drop_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.xlsx");
    let (journal, catalog) = (places(2), Catalog::default());
    let source = PlanSource {
        list: None,
        head: head(),
        journal: journal.journal().unwrap(),
        sheets: &[],
        catalog: &catalog,
        match_on: Vec::new(),
        notifying: &HashSet::new(),
        page: PageText::default(),
    };
    write_plan_book(&path, Access::default(), source).unwrap();
    let mut parts = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut sheet = String::new();
    // After the first sheet and the hidden one.
    parts.by_name("xl/worksheets/sheet3.xml").unwrap().read_to_string(&mut sheet).unwrap();
    let lists = sheet.split("<dataValidation ").skip(1);
    let asked: Vec<&str> = lists.filter_map(|list| list.split("sqref=\"").nth(1)?.split('"').next()).collect();
    assert_eq!(asked, ["A2", "A4"]);
}
