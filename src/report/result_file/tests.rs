#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::Read;
use std::sync::Arc;

use calamine::{Data, Reader, Xlsx, open_workbook};

use super::*;
use crate::api::RequestCounts;
use crate::check::{Code, Problem, ValueError};
use crate::error::Diagnostic;
use crate::mapping::IgnoredColumn;
use crate::plan::{RowCounts, RowStatus};
use crate::report::change_tally::ChangeTally;
use crate::report::{ProblemTally, RunCommand, SheetSummary};
use crate::run::input::own_sheets::SUMMARY_SHEET;
use crate::table::Value;
use crate::table::write::Access;

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

fn outcome(status: RowStatus, id: Option<i64>, problems: Vec<Problem>) -> RowOutcome {
    RowOutcome { status, id, message: "".into(), problems, changes: Vec::new() }
}

fn bad_date(column: Option<u32>, found: &str) -> Problem {
    ValueError::new(
        Code::DateInvalid,
        "invalid date; expected a date such as `2026-01-31`",
        "write the date as `YYYY-MM-DD`",
    )
    .at(column, found)
}

fn summary() -> RunSummary {
    RunSummary {
        plan: None,
        run_id: "20261124-0703-k3f9".into(),
        command: RunCommand::Import,
        dry_run: false,
        files: vec!["assets.csv".into()],
        sheets: Vec::new(),
        skipped_sheets: Vec::new(),
        approval: Vec::new(),
        options: Vec::new(),
        requests: RequestCounts::default(),
        planned: None,
        seconds: 1.5,
        problems: ProblemTally::default(),
        changes: ChangeTally::default(),
        result: None,
        next: Vec::new(),
        remarks: Vec::new(),
        earlier_run: None,
        mapping: Vec::new(),
        look_alikes: crate::plan::LookAlikes::default(),
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
    let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    book.start_sheet("assets", "assets", &texts(1, &["Tag", "Bought", "Cost"]), "assets").unwrap();
    let mut row = Row::default();
    row.restart(row.number, &Arc::from([String::from("00000")]));
    row.clear(2);
    row.push_text("007");
    row.push("01.02.24", Value::Date(jiff::civil::date(2024, 2, 1).at(0, 0, 0, 0)));
    row.push_formatted("01299", Value::Number(1299.0), 1);
    book.row(&row, &outcome(RowStatus::Created, Some(4711), Vec::new())).unwrap();
    book.row(&texts(3, &["=A1", "31/02/24"]), &outcome(RowStatus::Failed, None, vec![bad_date(Some(1), "31/02/24")]))
        .unwrap();
    book.row(&texts(4, &["+1"]), &outcome(RowStatus::Failed, None, vec![bad_date(None, ""), bad_date(Some(2), "")]))
        .unwrap();
    assert!(!path.exists());
    assert_eq!(book.finish(&summary()).unwrap().0, path);
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
            "`Bought`: invalid date; expected a date such as `2026-01-31`, found `31/02/24` (date.invalid); hint: write the date as `YYYY-MM-DD`",
            "=A1",
            "31/02/24"
        ]
        .map(text)
    );
    assert_eq!(rows[3][3], text("+1"));

    let notes = part(&path, "xl/comments1.xml");
    assert_eq!(notes.matches("<comment ").count(), 2);
    assert!(notes.contains(r#"ref="E3""#) && notes.contains(r#"ref="F4""#), "{notes}");
    assert!(notes.contains("Invalid date; expected a date such as `2026-01-31`\nHint: write the date"), "{notes}");
    let sheet = part(&path, "xl/worksheets/sheet2.xml");
    assert!(sheet.contains(r#"<autoFilter ref="A1:F4"/>"#));
    assert!(sheet.contains(r#"<pane xSplit="3" ySplit="1" topLeftCell="D2""#));
    assert!(sheet.contains(r#"<ignoredError sqref="A1:F4" numberStoredAsText="1"/>"#), "{sheet}");
}

#[test]
fn wrong_cells_are_filled_and_a_problem_of_the_row_marks_the_message() {
    let desk = Desk::new();
    let path = desk.path("r.xlsx");
    let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    book.start_sheet("assets", "assets", &texts(1, &["Tag", "Bought"]), "assets").unwrap();
    book.row(&texts(2, &["A", "x"]), &outcome(RowStatus::Failed, None, vec![bad_date(Some(1), "x")])).unwrap();
    book.row(&texts(3, &["B"]), &outcome(RowStatus::Failed, None, vec![bad_date(None, "")])).unwrap();
    book.row(&texts(4, &["C", "y"]), &outcome(RowStatus::Created, Some(1), vec![])).unwrap();
    book.finish(&summary()).unwrap();
    let filled: Vec<_> = ["A2", "C2", "D2", "E2", "C3", "D3", "A4", "E4"].map(|cell| (cell, fill(&path, cell))).into();
    let red = Some(String::from("FFFFC7CE"));
    let green = Some(String::from("FFC6EFCE"));
    assert_eq!(
        filled,
        [
            ("A2", red.clone()),
            ("C2", None),
            ("D2", None),
            ("E2", red.clone()),
            ("C3", red),
            ("D3", None),
            ("A4", green),
            ("E4", None)
        ]
    );
}

/// The fill of a cell of the first sheet of rows, as the parts of the workbook have it.
fn fill(path: &Path, cell: &str) -> Option<String> {
    let (sheet, styles) = (part(path, "xl/worksheets/sheet2.xml"), part(path, "xl/styles.xml"));
    let style: usize = between(&sheet, &format!(r#"<c r="{cell}" s=""#), "\"")?.parse().unwrap();
    let formats = between(&styles, "<cellXfs", "</cellXfs>").unwrap();
    let format = formats.split("<xf ").nth(style + 1).unwrap();
    let fill: usize = between(format, "fillId=\"", "\"").unwrap().parse().unwrap();
    let fills = between(&styles, "<fills", "</fills>").unwrap();
    between(fills.split("<fill>").nth(fill + 1).unwrap(), "<fgColor rgb=\"", "\"").map(str::to_owned)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

#[test]
fn the_result_of_a_result_does_not_grow() {
    let desk = Desk::new();
    for name in ["r.xlsx", "r.csv"] {
        let path = desk.path(name);
        let mut book = ResultFile::create(&path, ReportMode::DryRun, Access::default()).unwrap();
        book.start_sheet("assets", "assets", &texts(1, &["_Status", "_id", "Tag", "_message"]), "assets").unwrap();
        let problem = ValueError::without_hint(Code::RequiredMissing, "missing tag").at(Some(2), "");
        book.row(&texts(2, &["failed", "7", "", "old"]), &outcome(RowStatus::Failed, Some(7), vec![problem])).unwrap();
        book.finish(&summary()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(desk.path("r.csv")).unwrap(),
        "_status,_id,_message,Tag\r\nwould fail,7,`Tag`: missing tag (required.missing),\r\n"
    );
    let rows = cells(&desk.path("r.xlsx"), "assets");
    assert_eq!(rows[0], ["_status", "_id", "_message", "Tag"].map(text));
    assert_eq!(rows[1][..2], [text("would fail"), Data::Float(7.0)]);
    assert!(part(&desk.path("r.xlsx"), "xl/comments1.xml").contains(r#"ref="D2""#));
}

#[test]
fn a_csv_file_holds_one_sheet_and_others_are_refused_by_name() {
    let desk = Desk::new();
    let mut book = ResultFile::create(&desk.path("r.CSV"), ReportMode::Done, Access::default()).unwrap();
    book.start_sheet("Locations", "Locations", &texts(1, &["Name"]), "locations").unwrap();
    let refused = book.start_sheet("Assets", "Assets", &texts(1, &["Tag"]), "assets").unwrap_err();
    assert!(refused.to_string().starts_with("cannot write the sheets `Locations` and `Assets` to"), "{refused}");
    assert!(refused.hint().unwrap().ends_with("r.xlsx`"));
    drop(book);
    assert!(desk.names().is_empty());

    let refused = ResultFile::create(&desk.path("r.xls"), ReportMode::Done, Access::default()).err().unwrap();
    assert!(refused.to_string().ends_with("a result is an .xlsx or .csv file"), "{refused}");
}

#[test]
fn a_row_without_a_sheet_is_an_error_and_a_dropped_book_leaves_nothing() {
    let desk = Desk::new();
    for name in ["r.xlsx", "r.csv"] {
        let mut book = ResultFile::create(&desk.path(name), ReportMode::Done, Access::default()).unwrap();
        let refused = book.row(&texts(2, &["A"]), &outcome(RowStatus::Created, None, vec![])).unwrap_err();
        assert!(matches!(refused, WriteError::NoSheet { .. }));
    }
    assert!(desk.names().is_empty());
}

#[test]
fn sheets_are_named_apart_and_a_full_one_goes_on() {
    let desk = Desk::new();
    let path = desk.path("r.xlsx");
    let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    match &mut book.kind {
        ResultFormat::Xlsx(book) => book.workbook.limits.rows = 3,
        ResultFormat::Csv(_) => unreachable!(),
    }
    for name in ["Summary", "a/b", ""] {
        book.start_sheet(name, name, &texts(1, &["Tag"]), "assets").unwrap();
        for number in 2..5 {
            book.row(&texts(number, &[&number.to_string()]), &outcome(RowStatus::Created, None, vec![])).unwrap();
        }
    }
    book.finish(&summary()).unwrap();
    let workbook: Xlsx<_> = open_workbook(&path).unwrap();
    assert_eq!(
        workbook.sheet_names(),
        ["Summary", "Summary (2)", "Summary (3)", "a_b", "a_b (2)", "assets", "assets (2)"]
    );
    assert_eq!(
        cells(&path, "a_b (2)"),
        [["_status", "_id", "_message", "Tag"].map(text), ["created", "", "", "4"].map(text)]
    );
}

#[test]
fn a_sheet_that_grows_too_large_goes_on_as_well() {
    let desk = Desk::new();
    let path = desk.path("r.xlsx");
    let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    match &mut book.kind {
        ResultFormat::Xlsx(book) => book.workbook.limits.size = 1 << 20,
        ResultFormat::Csv(_) => unreachable!(),
    }
    book.start_sheet("a", "a", &texts(1, &["Notes"]), "assets").unwrap();
    for number in 2..50 {
        let row = texts(number, &[&"x".repeat(32_000)]);
        book.row(&row, &outcome(RowStatus::Created, None, vec![])).unwrap();
    }
    book.finish(&summary()).unwrap();
    assert_eq!(cells(&path, "a").len() + cells(&path, "a (2)").len(), 2 + 48);
    let remark = text("sheet `a` continues in `a (2)` (limit: 1 MiB of cells per sheet)");
    assert!(cells(&path, SUMMARY_SHEET).iter().flatten().any(|cell| *cell == remark));
}

#[test]
fn dates_are_never_shown_as_hashes_and_empty_sheets_are_fine() {
    let desk = Desk::new();
    let path = desk.path("r.xlsx");
    let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    book.start_sheet("empty", "empty", &Row::default(), "assets").unwrap();
    book.start_sheet("assets", "assets", &texts(1, &["On"]), "assets").unwrap();
    let mut row = Row::default();
    row.push("5/1", Value::Date(jiff::civil::date(2024, 1, 5).at(8, 30, 0, 0)));
    book.row(&row, &outcome(RowStatus::Created, None, vec![])).unwrap();
    book.finish(&summary()).unwrap();
    assert_eq!(cells(&path, "empty"), [["_status", "_id", "_message"].map(text)]);
    let sheet = part(&path, "xl/worksheets/sheet3.xml");
    let width = between(&sheet, r#"<col min="4" max="4" width=""#, ".").unwrap();
    assert!(width.parse::<u32>().unwrap() >= 19, "{width}");
}

#[test]
fn a_text_too_long_is_kept_as_far_as_it_goes_and_said_so() {
    let desk = Desk::new();
    let path = desk.path("r.xlsx");
    let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    book.start_sheet("assets", "assets", &texts(1, &["Notes"]), "assets").unwrap();
    book.row(&texts(2, &[&"x".repeat(40_000)]), &outcome(RowStatus::Created, None, vec![])).unwrap();
    book.finish(&summary()).unwrap();
    assert_eq!(cells(&path, "assets")[1][3], text(&"x".repeat(32_767)));
    assert!(part(&path, "xl/comments1.xml").contains("Only the first 32,767 characters are kept"));
    assert_eq!(fill(&path, "D2").as_deref(), Some("FFFFC7CE"));
}

#[test]
fn a_secret_does_not_come_back() {
    let desk = Desk::new();
    for name in ["r.xlsx", "r.csv"] {
        let path = desk.path(name);
        let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
        book.start_sheet("employees", "employees", &texts(1, &["Name", "Password"]), "employees").unwrap();
        let problem = ValueError::new(Code::CellSecret, "the column looks like a password", "remove the column")
            .at(Some(1), "hunter2");
        book.row(&texts(2, &["Ada", "hunter2"]), &outcome(RowStatus::Failed, None, vec![problem])).unwrap();
        book.finish(&summary()).unwrap();
    }
    assert!(!fs::read_to_string(desk.path("r.csv")).unwrap().contains("hunter2"));
    assert_eq!(cells(&desk.path("r.xlsx"), "employees")[1].get(4), Some(&Data::Empty));
}

#[test]
fn the_summary_comes_first_and_links_to_the_first_wrong_cell() {
    let desk = Desk::new();
    let path = desk.path("r.xlsx");
    let mut book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    let (mut counts, mut tally) = (RowCounts::default(), ProblemTally::default());
    book.start_sheet("Ada's assets", "Ada's assets", &texts(3, &["Tag", "Bought"]), "assets").unwrap();
    for number in 4..8 {
        let problems = if number == 5 { vec![bad_date(Some(1), "soon")] } else { vec![] };
        let status = if number == 5 { RowStatus::Failed } else { RowStatus::Created };
        problems.iter().for_each(|problem| tally.add("Ada's assets", Some("Bought"), number, problem));
        counts.add(status);
        book.row(&texts(number, &["A", "soon"]), &outcome(status, None, problems)).unwrap();
    }
    let sheet = SheetSummary {
        file: "assets.xlsx".into(),
        sheet: Some("Ada's assets".into()),
        entity: "assets",
        rows: 4,
        counts,
        decoding: None,
        ignored: vec![IgnoredColumn { name: "Rack".into(), reason: Some("read-only: never sent".into()) }],
    };
    let next = vec!["tallyport import r.xlsx --only-failed".into()];
    book.finish(&RunSummary { sheets: vec![sheet], problems: tally, next, ..summary() }).unwrap();

    let workbook: Xlsx<_> = open_workbook(&path).unwrap();
    assert_eq!(workbook.sheet_names()[0], SUMMARY_SHEET);
    let said: Vec<String> = cells(&path, SUMMARY_SHEET)
        .iter()
        .map(|row| row.iter().map(ToString::to_string).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" | "))
        .filter(|line| !line.is_empty() && !line.starts_with("Date"))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    Import of assets.csv
    1 of 4 rows failed
    What to do next
    1.  Filter _status for “failed”. Red cells are wrong: point at one to read why and how to fix it.
    2.  Fix them in this file and save it. The columns _status, _id and _message stay as they are.
    3.  Then run | tallyport import r.xlsx --only-failed
    The run
    Run | 20261124-0703-k3f9
    File | assets.csv
    Took | 1.5 s
    Rows
    Sheet | Rows | Created | Failed
    Ada's assets | 4 | 3 | 1
    1 problem in 1 row
    Sheet | Count | Column | Problem | First at | Found | Message | Hint
    Ada's assets | 1 | Bought | Not a date | E3 | soon | invalid date; expected a date such as `2026-01-31` | write the date as `YYYY-MM-DD`
    Columns that were ignored
    Ada's assets | `Rack`: read-only: never sent
    ");
    let result_columns = part(&path, "xl/worksheets/sheet1.xml");
    assert!(result_columns.contains(r#"location="'Ada''s assets'!E3""#), "{result_columns}");
    assert!(part(&path, "xl/charts/chart1.xml").contains("<c:barChart>"));
}

#[test]
fn the_summary_sheet_of_a_run_cut_short_says_to_go_on_first() {
    let desk = Desk::new();
    let path = desk.path("r.xlsx");
    let book = ResultFile::create(&path, ReportMode::Done, Access::default()).unwrap();
    let next = vec!["tallyport resume 20261124-0703-k3f9".into()];
    book.finish(&RunSummary { stopped: Some("interrupted".into()), next, ..summary() }).unwrap();

    let said: Vec<String> =
        cells(&path, SUMMARY_SHEET).iter().map(|row| row.iter().map(ToString::to_string).collect::<String>()).collect();
    let said = said.join("\n");
    assert!(said.contains("1.  This run is incomplete. Resume it first"), "{said}");
    assert!(said.contains("tallyport resume 20261124-0703-k3f9"), "{said}");
    assert!(!said.contains("Red cells"), "{said}");
}

#[test]
fn a_blank_cell_that_is_a_problem_stays_one_in_the_result() {
    let desk = Desk::new();
    let problem = |code, column| ValueError::without_hint(code, "no value").at(Some(column), "");
    let failed = |problems| outcome(RowStatus::Failed, None, problems);
    let write = |name: &str| {
        let mut book = ResultFile::create(&desk.path(name), ReportMode::Done, Access::default()).unwrap();
        book.start_sheet("assets", "assets", &texts(1, &["Tag", "Bought", "Notes"]), "assets").unwrap();
        book.row(&texts(2, &["A-1"]), &failed(vec![problem(Code::CellUnevaluated, 1), problem(Code::CellMerged, 2)]))
            .unwrap();
        book.row(&texts(3, &["A-2", "x"]), &failed(vec![problem(Code::CellUnevaluated, 1)])).unwrap();
        book.row(&texts(4, &["A-3"]), &failed(vec![problem(Code::RequiredMissing, 1)])).unwrap();
        book.finish(&summary()).unwrap();
    };
    write("r.xlsx");
    let rows = cells(&desk.path("r.xlsx"), "assets");
    assert_eq!(rows[1][3..], ["A-1", "#FORMULA!", "#MERGED!"].map(text));
    assert_eq!((&rows[2][4], &rows[3][4]), (&text("x"), &text("")));
    for word in ["#FORMULA!", "#MERGED!"] {
        assert!(crate::check::text::is_error_word(word), "an import takes {word} for an error");
    }
    write("r.csv");
    assert!(std::fs::read_to_string(desk.path("r.csv")).unwrap().contains(",A-1,#FORMULA!,#MERGED!"));
}
