#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::Read;
use std::sync::Arc;

use calamine::{Data, Reader, Xlsx, open_workbook};

use super::*;
use crate::check::{Code, Flaw, Problem};
use crate::report::{Counts, ProblemTally, Requests, SheetSummary, Status};
use crate::table::Value;

/// A folder for one test's files.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

fn texts(number: u64, texts: &[&str]) -> Row {
    let mut row = Row::default();
    row.clear(number);
    texts.iter().for_each(|text| row.push_text(text));
    row
}

fn outcome(status: Status, id: Option<i64>, problems: Vec<Problem>) -> Outcome {
    Outcome { status, id, message: "".into(), problems }
}

fn bad_date(column: Option<u32>, found: &str) -> Problem {
    Flaw::new(Code::DateInvalid, "a date such as `2026-01-31`", "write the day as it is in the calendar")
        .at(column, found)
}

fn summary() -> RunSummary {
    RunSummary {
        run_id: "20261124-0703-k3f9".into(),
        command: "import",
        dry_run: false,
        files: vec!["assets.csv".into()],
        sheets: Vec::new(),
        skipped_sheets: Vec::new(),
        options: Vec::new(),
        requests: Requests::default(),
        planned: None,
        seconds: 1.5,
        problems: ProblemTally::default(),
        result: None,
        next: Vec::new(),
        remarks: Vec::new(),
        stopped: None,
    }
}

/// A part of the workbook, as text.
fn part(path: &Path, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn cells(path: &Path, sheet: &str) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    workbook.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
}

fn text(text: &str) -> Data {
    if text.is_empty() { Data::Empty } else { Data::String(text.to_owned()) }
}

#[test]
fn the_users_rows_come_back_with_three_columns_in_front() {
    let desk = Desk::new();
    let path = desk.path("assets.result.xlsx");
    let mut book = ResultBook::create(&path, Tense::Done).unwrap();
    book.start_sheet("assets", &texts(1, &["Tag", "Bought", "Cost"]), "assets").unwrap();
    let mut row = Row::default();
    row.set_formats(Arc::from([String::from("00000")]));
    row.clear(2);
    row.push_text("007");
    row.push("01.02.24", Value::Date(jiff::civil::date(2024, 2, 1).at(0, 0, 0, 0)));
    row.push_formatted("01299", Value::Number(1299.0), 1);
    book.row(&row, &outcome(Status::Created, Some(4711), Vec::new())).unwrap();
    book.row(&texts(3, &["=A1", "31/02/24"]), &outcome(Status::Failed, None, vec![bad_date(Some(1), "31/02/24")]))
        .unwrap();
    book.row(&texts(4, &["+1"]), &outcome(Status::Failed, None, vec![bad_date(None, ""), bad_date(Some(2), "")]))
        .unwrap();
    assert!(!path.exists());
    assert_eq!(book.finish(&summary()).unwrap(), path);
    assert_eq!(desk.names(), ["assets.result.xlsx"]);

    let rows = cells(&path, "assets");
    assert_eq!(rows[0], ["_status", "_id", "_message", "Tag", "Bought", "Cost"].map(text));
    assert_eq!(rows[1][..4], [text("created"), Data::Float(4711.0), text(""), text("007")]);
    assert!(matches!(&rows[1][4], Data::DateTime(day) if day.as_f64() == 45_323.0), "{:?}", rows[1][4]);
    assert_eq!(rows[1][5], Data::Float(1299.0));
    assert_eq!(
        rows[2][..5],
        [
            "failed",
            "",
            "`Bought`: not a date, found `31/02/24`, expected a date such as `2026-01-31`; to mend it: write the day as it is in the calendar",
            "=A1",
            "31/02/24"
        ]
        .map(text)
    );
    assert_eq!(rows[3][3], text("+1"));

    let notes = part(&path, "xl/comments1.xml");
    assert_eq!(notes.matches("<comment ").count(), 2);
    assert!(notes.contains(r#"ref="E3""#) && notes.contains(r#"ref="F4""#), "{notes}");
    assert!(notes.contains("Not a date\nExpected: a date such as `2026-01-31`\nTo mend it: write the day"), "{notes}");
    let sheet = part(&path, "xl/worksheets/sheet2.xml");
    assert!(sheet.contains(r#"<autoFilter ref="A1:F4"/>"#));
    assert!(sheet.contains(r#"<pane xSplit="3" ySplit="1" topLeftCell="D2""#));
    assert!(sheet.contains(r#"<ignoredError sqref="A1:F4" numberStoredAsText="1"/>"#), "{sheet}");
}
