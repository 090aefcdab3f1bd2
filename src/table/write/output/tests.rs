#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use calamine::{Data, Reader, Xlsx, open_workbook};
use jiff::civil::{DateTime, date};
use proptest::prelude::*;

use super::output_files::OutputFiles;
use super::table_writer::WrittenFile;
use super::*;
use crate::fuzz::cases;
use crate::table::write::xlsx::LONGEST_TEXT;
use crate::table::{CellRef, Row, Value};

const EUR: &str = "[$EUR] #,##0.00";

fn column(header: &str, column_type: ColumnType) -> OutputColumn {
    OutputColumn { header: header.to_owned(), column_type }
}

/// A column of every kind.
fn columns() -> Vec<OutputColumn> {
    [
        ("tag", ColumnType::Text),
        ("quantity", ColumnType::Integer),
        ("salvage", ColumnType::Money),
        ("cost", ColumnType::Money),
        ("bought", ColumnType::Date),
        ("updated_at", ColumnType::Timestamp),
        ("archived", ColumnType::Boolean),
        ("custom", ColumnType::Json),
    ]
    .map(|(header, column_type)| column(header, column_type))
    .to_vec()
}

fn moment() -> DateTime {
    date(2024, 5, 1).at(12, 34, 56, 789_000_000)
}

/// What each column holds.
fn full_row() -> Row {
    let mut row = Row::default();
    row.restart(row.number, &Arc::from([EUR.to_owned()]));
    row.push_text("=cmd|'/c calc'!A1");
    row.push("12", Value::Number(12.0));
    row.push("0.25", Value::Number(0.25));
    row.push_formatted("1299.5", Value::Number(1299.5), 1);
    row.push("2024-05-01", Value::Date(date(2024, 5, 1).at(0, 0, 0, 0)));
    row.push("2024-05-01T12:34:56.789Z", Value::Date(moment()));
    row.push("TRUE", Value::Boolean(true));
    row.push_text(
        r#"[{"name":"Rack",
"value":"B4"}]"#,
    );
    row
}

fn odd_row() -> Row {
    let mut row = Row::default();
    row.push("7", Value::Number(7.0));
    row.push_text("many");
    row.push_text("-heavy");
    row.push_text("{not json");
    row.push("2024-05-01T12:34:56.789Z", Value::Date(moment()));
    row.push_text("yesterday");
    row.push_text("perhaps");
    row.push_text("{not json");
    row
}

fn written(target: &OutputTarget, format: FileFormat, tables: &[(&str, &[Row])]) -> OutputReport {
    let mut output = open(target, format, &OutputOptions::default()).unwrap();
    for (table, rows) in tables {
        output.begin(table, &columns()).unwrap();
        rows.iter().for_each(|row| output.row(row).unwrap());
    }
    output.finish().unwrap()
}

/// The files of a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sheet(path: &Path, name: &str) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    let range = workbook.worksheet_range(name).unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

fn text(text: &str) -> Data {
    Data::String(text.to_owned())
}

#[test]
fn a_csv_file_is_safe_and_exact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assets.csv");
    let finished = written(
        &OutputTarget::File(path.clone()),
        FileFormat::Csv,
        &[("assets", &[full_row(), Row::default(), odd_row()])],
    );
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "tag,quantity,salvage,cost,bought,updated_at,archived,custom\r\n\
         '=cmd|'/c calc'!A1,12,0.25,1299.5,2024-05-01,2024-05-01T12:34:56.789Z,TRUE,\
         \"[{\"\"name\"\":\"\"Rack\"\",\n\"\"value\"\":\"\"B4\"\"}]\"\r\n\
         ,,,,,,,\r\n\
         7,many,'-heavy,{not json,2024-05-01T12:34:56.789Z,yesterday,perhaps,{not json\r\n"
    );
    assert_eq!(finished.files, [WrittenFile { path: Some(path), tables: vec![(String::from("assets"), 3)] }]);
}

#[test]
fn csv_is_written_in_the_style_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assets.csv");
    let csv = CsvOptions {
        byte_order_mark: ByteOrderMark::With,
        delimiter: Some(b';'),
        formula_escaping: FormulaEscaping::Off,
    };
    let style = OutputOptions { csv, ..OutputOptions::default() };
    let mut output = open(&OutputTarget::File(path.clone()), FileFormat::Csv, &style).unwrap();
    output.begin("assets", &[column("=tag", ColumnType::Text), column("notes", ColumnType::Text)]).unwrap();
    let mut row = Row::default();
    row.push_text("=1");
    row.push_text("a;b,c");
    output.row(&row).unwrap();
    output.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "\u{feff}=tag;notes\r\n=1;\"a;b,c\"\r\n");
}

#[test]
fn a_line_of_json_has_every_key_and_real_types() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assets.jsonl");
    written(
        &OutputTarget::File(path.clone()),
        FileFormat::Jsonl,
        &[("assets", &[full_row(), Row::default(), odd_row()])],
    );
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(
        written.lines().collect::<Vec<_>>(),
        [
            r#"{"tag":"=cmd|'/c calc'!A1","quantity":12,"salvage":0.25,"cost":1299.5,"bought":"2024-05-01","updated_at":"2024-05-01T12:34:56.789Z","archived":true,"custom":[{"name":"Rack", "value":"B4"}]}"#,
            r#"{"tag":null,"quantity":null,"salvage":null,"cost":null,"bought":null,"updated_at":null,"archived":null,"custom":null}"#,
            r#"{"tag":7,"quantity":"many","salvage":"-heavy","cost":"{not json","bought":"2024-05-01T12:34:56.789Z","updated_at":"yesterday","archived":"perhaps","custom":"{not json"}"#,
        ]
    );
}

#[test]
fn headers_that_come_again_are_keys_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assets.jsonl");
    let mut output = open(&OutputTarget::File(path.clone()), FileFormat::Jsonl, &OutputOptions::default()).unwrap();
    output.begin("assets", &["a", "a", "a (2)"].map(|header| column(header, ColumnType::Text))).unwrap();
    output.row(&Row::default()).unwrap();
    output.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":null,\"a (2)\":null,\"a (2) (2)\":null}\n");
}

#[test]
fn a_workbook_has_a_sheet_a_table_and_real_types() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.xlsx");
    let tables: [(&str, &[Row]); 2] = [("assets", &[full_row(), Row::default(), odd_row()]), ("a/b", &[])];
    let finished = written(&OutputTarget::File(path.clone()), FileFormat::Xlsx, &tables);
    assert_eq!(finished.files[0].tables, [(String::from("assets"), 3), (String::from("a/b"), 0)]);
    let rows = sheet(&path, "assets");
    assert_eq!(rows[0], columns().iter().map(|column| text(&column.header)).collect::<Vec<_>>());
    assert_eq!(rows[1][..4], [text("=cmd|'/c calc'!A1"), Data::Float(12.0), Data::Float(0.25), Data::Float(1299.5)]);
    let Data::DateTime(day) = &rows[1][4] else { panic!("{:?}", rows[1][4]) };
    assert_eq!(day.to_string(), "45413");
    let Data::DateTime(exact) = &rows[1][5] else { panic!("{:?}", rows[1][5]) };
    let milliseconds = (exact.as_f64().fract() * 86_400_000.0).round();
    assert_eq!(milliseconds, f64::from(12 * 3_600_000 + 34 * 60_000 + 56_789));
    assert_eq!(rows[1][6], Data::Bool(true));
    assert!(rows[2].iter().all(|cell| *cell == Data::Empty));
    assert_eq!(rows[3][..4], [Data::Float(7.0), text("many"), text("-heavy"), text("{not json")]);
    assert_eq!(sheet(&path, "a_b").len(), 1);
}

#[test]
fn a_workbook_looks_as_ours_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.xlsx");
    written(&OutputTarget::File(path.clone()), FileFormat::Xlsx, &[("assets", &[full_row()])]);
    let part = |name: &str| {
        let mut archive = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
        io::read_to_string(archive.by_name(name).unwrap()).unwrap()
    };
    let xml = part("xl/worksheets/sheet1.xml");
    for expected in [
        r#"<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>"#,
        r#"<autoFilter ref="A1:H2"/>"#,
        r#"<ignoredError sqref="A1:H2" numberStoredAsText="1"/>"#,
        r#"orientation="landscape""#,
        r#"fitToHeight="0""#,
        // EUR 1,299.50 fits.
        r#"<col min="4" max="4" width="14."#,
    ] {
        assert!(xml.contains(expected), "{expected} in {xml}");
    }
    assert!(part("xl/styles.xml").contains(r#"formatCode="[$EUR]\ #,##0.00""#) || part("xl/styles.xml").contains(EUR));
    assert!(part("xl/styles.xml").contains(r#"formatCode="&quot;TRUE&quot;;&quot;TRUE&quot;;&quot;FALSE&quot;""#));
    assert!(part("xl/workbook.xml").contains("assets!$1:$1"));
}

#[test]
fn rows_beyond_a_sheet_go_on_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.xlsx");
    let files = OutputFiles::open(&OutputTarget::File(path.clone()), "xlsx").unwrap();
    let mut output = Box::new(workbook::Workbooks::new(files, "").with_rows_per_sheet(3));
    output.begin("assets", &[column("tag", ColumnType::Text)]).unwrap();
    for tag in ["A-1", "A-2", "A-3", "A-4", "A-5"] {
        let mut row = Row::default();
        row.push_text(tag);
        output.row(&row).unwrap();
    }
    output.begin("products", &[]).unwrap();
    let finished = output.finish().unwrap();
    let column = |name: &str| sheet(&path, name).into_iter().flatten().map(|cell| cell.to_string()).collect::<Vec<_>>();
    assert_eq!(column("assets"), ["tag", "A-1", "A-2"]);
    assert_eq!(column("assets (2)"), ["tag", "A-3", "A-4"]);
    assert_eq!(column("assets (3)"), ["tag", "A-5"]);
    assert_eq!(finished.files[0].tables, [(String::from("assets"), 5), (String::from("products"), 0)]);
}

#[test]
fn a_text_that_no_cell_holds_is_cut_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.xlsx");
    let mut row = Row::default();
    row.push_text("A-1");
    row.pad(7);
    row.push_text(&"é".repeat(LONGEST_TEXT + 5));
    let rows = vec![row; 101];
    let finished = written(&OutputTarget::File(path.clone()), FileFormat::Xlsx, &[("assets", &rows)]);
    let first = TruncatedText {
        sheet: String::from("assets"),
        at: CellRef { row: 2, column: 7 },
        characters: LONGEST_TEXT + 5,
    };
    assert_eq!((&finished.truncated[0], finished.truncated.len(), finished.truncated_cells), (&first, 100, 101));
    assert_eq!(sheet(&path, "assets")[1][7], text(&"é".repeat(LONGEST_TEXT)));
}

#[test]
fn more_columns_than_a_sheet_holds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.xlsx");
    let mut output = open(&OutputTarget::File(path.clone()), FileFormat::Xlsx, &OutputOptions::default()).unwrap();
    let refused = output.begin("assets", &vec![column("a", ColumnType::Text); 16_385]).unwrap_err();
    assert!(refused.to_string().ends_with("table `assets` has 16385 columns, and a sheet holds 16384"), "{refused}");
    drop(output);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_folder_is_made_and_has_a_file_a_table() {
    let folder = tempfile::tempdir().unwrap();
    for format in [FileFormat::Xlsx, FileFormat::Csv, FileFormat::Jsonl] {
        let path = folder.path().join("exports").join(format.extension());
        let tables: [(&str, &[Row]); 3] = [("assets", &[full_row()]), ("Assets", &[]), ("a/b", &[])];
        let finished = written(&OutputTarget::Folder(path.clone()), format, &tables);
        let expected = ["assets", "Assets (2)", "a_b"].map(|name| path.join(format!("{name}.{}", format.extension())));
        let files: Vec<PathBuf> = finished.files.into_iter().filter_map(|file| file.path).collect();
        assert_eq!(files, expected);
        assert_eq!(names(&path).len(), 3);
    }
}

#[test]
fn a_file_of_one_table_takes_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assets.csv");
    fs::write(&path, "yesterday's").unwrap();
    for format in [FileFormat::Csv, FileFormat::Jsonl] {
        let mut output = open(&OutputTarget::File(path.clone()), format, &OutputOptions::default()).unwrap();
        output.begin("assets", &columns()).unwrap();
        let refused = output.begin("products", &columns()).unwrap_err();
        let place = path.display();
        assert_eq!(
            refused.to_string(),
            format!("cannot write the tables `assets` and `products` to `{place}`: it takes one table")
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "yesterday's");
    assert_eq!(names(folder.path()), ["assets.csv"]);
}

#[test]
fn listed_files_take_a_table_each_and_appear_together() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["assets.csv", "assets.changes.csv"].map(|name| folder.path().join(name)).to_vec();
    let target = OutputTarget::Files(paths.clone());
    let report = written(&target, FileFormat::Csv, &[("assets", &[full_row()]), ("Changes", &[])]);
    let locations: Vec<_> = report.files.into_iter().filter_map(|file| file.path).collect();
    assert_eq!(locations, paths);
    fs::write(&paths[0], "yesterday's").unwrap();
    let mut output = open(&target, FileFormat::Csv, &OutputOptions::default()).unwrap();
    for table in ["assets", "Changes"] {
        output.begin(table, &columns()).unwrap();
    }
    let refused = output.begin("more", &columns()).unwrap_err();
    assert!(matches!(refused, WriteError::TablesInOne { .. }), "{refused}");
    fs::remove_file(&paths[1]).unwrap();
    fs::create_dir(&paths[1]).unwrap();
    output.finish().unwrap_err();
    assert_eq!(fs::read_to_string(&paths[0]).unwrap(), "yesterday's");
}

#[test]
fn an_output_that_is_dropped_leaves_nothing() {
    let parquet = cfg!(feature = "parquet").then_some(FileFormat::Parquet);
    for format in [FileFormat::Xlsx, FileFormat::Csv, FileFormat::Jsonl].into_iter().chain(parquet) {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new").join("exports");
        let mut output = open(&OutputTarget::Folder(inner.clone()), format, &OutputOptions::default()).unwrap();
        for table in ["assets", "products"] {
            output.begin(table, &columns()).unwrap();
            output.row(&full_row()).unwrap();
        }
        assert!(inner.is_dir());
        drop(output);
        assert!(names(folder.path()).is_empty(), "{format:?}: {:?}", names(folder.path()));
    }
}

#[test]
fn one_place_that_is_taken_leaves_every_old_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("assets.csv"), "yesterday's").unwrap();
    let mut output =
        open(&OutputTarget::Folder(folder.path().to_owned()), FileFormat::Csv, &OutputOptions::default()).unwrap();
    for table in ["assets", "products"] {
        output.begin(table, &columns()).unwrap();
    }
    fs::create_dir(folder.path().join("products.csv")).unwrap();
    let refused = output.finish().unwrap_err();
    assert!(matches!(refused, WriteError::IsFolder { .. }), "{refused}");
    assert_eq!(fs::read_to_string(folder.path().join("assets.csv")).unwrap(), "yesterday's");
    assert_eq!(names(folder.path()), ["assets.csv", "products.csv"]);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_format_that_was_not_built_in_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let target = OutputTarget::Folder(folder.path().join("exports"));
    let refused = open(&target, FileFormat::Parquet, &OutputOptions::default()).err().unwrap();
    assert_eq!(refused.to_string(), "this build cannot write Parquet: the feature `parquet` is missing");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_day_replaces_its_own_snapshot_and_leaves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    for (day, rows) in [(23, 1), (24, 1), (24, 2)] {
        let target = OutputTarget::Partitioned { folder: lake.clone(), day: date(2026, 11, day) };
        let rows: Vec<Row> = (0..rows).map(|_| full_row()).collect();
        written(&target, FileFormat::Jsonl, &[("assets", &rows), ("Changes", &[])]);
    }
    assert_eq!(names(&lake), ["collection=assets", "collection=changes"]);
    let assets = lake.join("collection=assets");
    assert_eq!(names(&assets), ["snapshot=2026-11-23", "snapshot=2026-11-24"]);
    for (day, rows) in [("2026-11-23", 1), ("2026-11-24", 2)] {
        let file = assets.join(format!("snapshot={day}")).join("part-0.jsonl");
        assert_eq!(fs::read_to_string(file).unwrap().lines().count(), rows);
    }
}

#[test]
fn a_snapshot_that_fails_leaves_no_folders() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let target = OutputTarget::Partitioned { folder: lake.clone(), day: date(2026, 11, 24) };
    let mut output = open(&target, FileFormat::Csv, &OutputOptions::default()).unwrap();
    output.begin("assets", &columns()).unwrap();
    output.row(&full_row()).unwrap();
    output.begin("licenses", &columns()).unwrap();
    drop(output);
    assert!(!lake.exists());
}

#[test]
fn where_a_folder_is_to_be_there_is_no_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused =
        open(&OutputTarget::Folder(file.path().to_owned()), FileFormat::Csv, &OutputOptions::default()).err().unwrap();
    assert!(matches!(refused, WriteError::NotFolder { .. }), "{refused}");
}

/// A stream that can be looked at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream whose reader went away.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn outputs(stream: impl Fn() -> Box<dyn Write + Send>) -> Vec<Box<dyn TableWriter>> {
    vec![
        Box::new(workbook::Workbooks::new(OutputFiles::to(stream()), "")),
        Box::new(FilePerTable::<csv::CsvTable>::new(OutputFiles::to(stream()), CsvOptions::EXPORT)),
        Box::new(FilePerTable::<jsonl::JsonlTable>::new(OutputFiles::to(stream()), ())),
        #[cfg(feature = "parquet")]
        Box::new(FilePerTable::<parquet::ParquetTable>::new(OutputFiles::to(stream()), ())),
    ]
}

#[test]
fn a_stream_gets_what_a_file_would() {
    let shared = Shared::default();
    for (mut output, beginning) in
        outputs(|| Box::new(shared.clone())).into_iter().zip(["PK", "tag,", "{\"tag\"", "PAR1"])
    {
        output.begin("assets", &columns()).unwrap();
        output.row(&full_row()).unwrap();
        let finished = output.finish().unwrap();
        assert_eq!(finished.files, [WrittenFile { path: None, tables: vec![(String::from("assets"), 1)] }]);
        let bytes = std::mem::take(&mut *shared.0.lock().unwrap());
        assert!(bytes.starts_with(beginning.as_bytes()), "{beginning}");
    }
}

#[test]
fn a_reader_that_went_away_is_told_as_that() {
    for mut output in outputs(|| Box::new(Closed)) {
        let begun = output.begin("assets", &columns());
        let refused = begun.and_then(|()| output.finish().map(drop)).unwrap_err();
        let WriteError::Stdout { source } = &refused else { panic!("{refused:?}") };
        assert_eq!(source.kind(), io::ErrorKind::BrokenPipe);
    }
}

/// A cell as it goes in.
#[derive(Debug, Clone)]
enum Given {
    Text(String),
    Number(f64),
    Date(DateTime),
    Truth(bool),
}

fn given() -> impl Strategy<Value = Given> {
    let midnights = (1901_i16..9999, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, day)| date(year, month, day));
    let moments = (midnights, 0_i8..24, 0_i8..60, 0_i8..60, 0_i32..1000)
        .prop_map(|(day, hour, minute, second, millisecond)| day.at(hour, minute, second, millisecond * 1_000_000));
    prop_oneof![
        "(?s).{0,12}|['=+@\\t\\r\\n\", ;-]{0,5}|[{\\[].{0,5}".prop_map(Given::Text),
        prop_oneof![(-1_000_000_000_i64..1_000_000_000).prop_map(|whole| whole as f64), -1e12..1e12]
            .prop_map(Given::Number),
        moments.prop_map(Given::Date),
        any::<bool>().prop_map(Given::Truth),
    ]
}

fn column_type() -> impl Strategy<Value = ColumnType> {
    use ColumnType::*;
    prop::sample::select(vec![Text, Integer, Money, Date, Timestamp, Boolean, Json])
}

fn push(given: &Given, row: &mut Row) {
    match given {
        Given::Text(text) => row.push_text(text),
        Given::Number(number) => row.push(&serde_json::json!(number).to_string(), Value::Number(*number)),
        Given::Date(moment) => row.push(&moment.to_string(), Value::Date(*moment)),
        Given::Truth(truth) => row.push(if *truth { "TRUE" } else { "FALSE" }, Value::Boolean(*truth)),
    }
}

/// Rows of one column, through a file of that format.
fn through(format: FileFormat, column_type: ColumnType, cells: &[Given], read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    let mut output = open(&OutputTarget::File(path.clone()), format, &OutputOptions::default()).unwrap();
    // The second column keeps rows from being empty, which readers of spreadsheets skip at the end.
    output.begin("table", &[column("value", column_type), column("end", ColumnType::Text)]).unwrap();
    for cell in cells {
        let mut row = Row::default();
        push(cell, &mut row);
        row.push_text("end");
        output.row(&row).unwrap();
    }
    output.finish().unwrap();
    read(&path);
}

fn is_spelled(spelled: &str, moment: DateTime) -> bool {
    spelled.trim_end_matches('Z').parse().is_ok_and(|back: DateTime| back == moment)
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn cells_come_back_from_csv(cells in prop::collection::vec(given(), 1..12), column_type in column_type()) {
        through(FileFormat::Csv, column_type, &cells, |path| {
            let mut reader = ::csv::Reader::from_path(path).unwrap();
            let back: Vec<_> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
            assert_eq!(back.len(), cells.len());
            for (back, given) in back.iter().zip(&cells) {
                let mut row = Row::default();
                row.push_csv(back);
                match given {
                    Given::Text(text) => {
                        assert_eq!(row.cell(0).text, text);
                        assert!(!back.starts_with(['=', '+', '-', '@', '\t', '\r']), "{back:?} is run");
                    }
                    Given::Number(number) => assert_eq!(back.parse(), Ok(*number)),
                    Given::Date(moment) => assert!(is_spelled(back, *moment), "{back:?}"),
                    Given::Truth(truth) => assert_eq!(back, if *truth { "TRUE" } else { "FALSE" }),
                }
            }
        });
    }

    #[test]
    fn cells_come_back_from_jsonl(cells in prop::collection::vec(given(), 1..12), column_type in column_type()) {
        use serde_json::Value as Json;
        through(FileFormat::Jsonl, column_type, &cells, |path| {
            let written = fs::read_to_string(path).unwrap();
            let lines: Vec<_> = written.split_terminator('\n').collect();
            assert_eq!(lines.len(), cells.len());
            for (line, given) in lines.iter().zip(&cells) {
                let back = serde_json::from_str::<Json>(line).unwrap()["value"].take();
                // `serde_json` reads numbers a last digit wrong.
                let spelled = line.split([':', ',']).nth(1).unwrap();
                match (given, back) {
                    (Given::Text(text), Json::Null) => assert_eq!(text, ""),
                    (Given::Text(text), Json::String(back)) => assert_eq!(*text, back),
                    (Given::Text(text), back) => assert_eq!(serde_json::from_str::<Json>(text).unwrap(), back),
                    (Given::Number(number), Json::Number(_)) => assert_eq!(spelled.parse(), Ok(*number)),
                    (Given::Date(moment), Json::String(back)) => assert!(is_spelled(&back, *moment), "{back:?}"),
                    (Given::Truth(truth), back) => assert_eq!(back.as_bool(), Some(*truth)),
                    (given, back) => panic!("{given:?} became {back:?}"),
                }
            }
        });
    }

    #[test]
    fn cells_come_back_from_a_workbook(cells in prop::collection::vec(given(), 1..12), column_type in column_type()) {
        through(FileFormat::Xlsx, column_type, &cells, |path| {
            let rows = sheet(path, "table");
            assert_eq!(rows.len(), cells.len() + 1);
            for (back, given) in rows[1..].iter().map(|row| &row[0]).zip(&cells) {
                match (given, back) {
                    (Given::Text(text), Data::Empty) => assert_eq!(text, ""),
                    (Given::Text(text), Data::String(back)) => assert_eq!(text, back),
                    (Given::Number(number), Data::Float(back)) => assert_eq!(number, back),
                    (Given::Date(moment), Data::DateTime(back)) => {
                        let since = moment.duration_since(date(1899, 12, 30).at(0, 0, 0, 0)).as_millis() as f64;
                        assert_eq!((back.as_f64() * 86_400_000.0).round(), since);
                    }
                    (Given::Truth(truth), Data::Bool(back)) => assert_eq!(truth, back),
                    (given, back) => panic!("{given:?} became {back:?}"),
                }
            }
        });
    }
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;
    use ::parquet::schema::printer::print_schema;

    use super::*;

    fn rows(path: &Path) -> Vec<Vec<Field>> {
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        let rows = reader.get_row_iter(None).unwrap().map(|row| {
            let row = row.unwrap();
            row.get_column_iter().map(|(_, field)| field.clone()).collect()
        });
        rows.collect()
    }

    #[test]
    fn types_are_real() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("assets.parquet");
        let all = [full_row(), Row::default()];
        let finished = written(&OutputTarget::File(path.clone()), FileFormat::Parquet, &[("assets", &all)]);
        assert_eq!((finished.files[0].tables[0].1, finished.mismatched_cells), (2, 0));
        let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
        let mut schema = Vec::new();
        print_schema(&mut schema, reader.metadata().file_metadata().schema());
        assert_eq!(
            String::from_utf8(schema).unwrap(),
            "message table {\n  \
             OPTIONAL BYTE_ARRAY tag (STRING);\n  \
             OPTIONAL INT64 quantity;\n  \
             OPTIONAL INT64 salvage (DECIMAL(18,4));\n  \
             OPTIONAL INT64 cost (DECIMAL(18,4));\n  \
             OPTIONAL INT32 bought (DATE);\n  \
             OPTIONAL INT64 updated_at (TIMESTAMP(MILLIS,true));\n  \
             OPTIONAL BOOLEAN archived;\n  \
             OPTIONAL BYTE_ARRAY custom (STRING);\n\
             }\n"
        );
        let read = rows(&path);
        let texts: Vec<_> = read[0].iter().map(ToString::to_string).collect();
        assert_eq!(texts[..5], ["\"=cmd|'/c calc'!A1\"", "12", "0.2500", "1299.5000", "2024-05-01"]);
        assert_eq!(read[0][5], Field::TimestampMillis(1_714_566_896_789));
        assert_eq!(read[0][6], Field::Bool(true));
        assert!(read[1].iter().all(|field| *field == Field::Null), "{:?}", read[1]);
    }

    #[test]
    fn what_a_column_cannot_hold_is_empty_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("assets.parquet");
        let finished = written(
            &OutputTarget::File(path.clone()),
            FileFormat::Parquet,
            &[("assets", &[Row::default(), odd_row()])],
        );
        let told: Vec<_> = finished.mismatched.iter().map(|emptied| (emptied.header.as_str(), emptied.row)).collect();
        let expected = ["quantity", "salvage", "cost", "bought", "updated_at", "archived"].map(|header| (header, 2));
        assert_eq!((told, finished.mismatched_cells), (expected.to_vec(), 6));
        assert_eq!((finished.mismatched[0].table.as_str(), finished.mismatched[0].found.as_str()), ("assets", "many"));
        let read = rows(&path);
        assert_eq!(read[1].iter().filter(|field| **field == Field::Null).count(), 6);
        assert_eq!(read[1][0].to_string(), "\"7\"");
    }

    #[test]
    fn amounts_and_whole_numbers_are_exact_or_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("assets.parquet");
        let columns = [column("cost", ColumnType::Money), column("id", ColumnType::Integer)];
        let mut output =
            open(&OutputTarget::File(path.clone()), FileFormat::Parquet, &OutputOptions::default()).unwrap();
        output.begin("assets", &columns).unwrap();
        let numbers = [
            ("0.1", "9007199254740993"),
            ("-12345678901234.5678", "-3"),
            ("1.5e3", "4.0"),
            ("0.12345", "4.5"),
            ("1e15", "1e300"),
        ];
        for (cost, id) in numbers {
            let mut row = Row::default();
            row.push(cost, Value::Number(cost.parse().unwrap()));
            row.push(id, Value::Number(id.parse().unwrap()));
            output.row(&row).unwrap();
        }
        let mut long = Row::default();
        long.pad(1);
        long.push_text("9007199254740995");
        output.row(&long).unwrap();
        let finished = output.finish().unwrap();
        let texts: Vec<Vec<_>> = rows(&path).iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(
            texts,
            [
                ["0.1000", "9007199254740993"],
                ["-12345678901234.5678", "-3"],
                ["1500.0000", "4"],
                ["null", "null"],
                ["null", "null"],
                ["null", "9007199254740995"],
            ]
        );
        assert_eq!(finished.mismatched_cells, 4);
    }

    #[test]
    fn many_rows_are_several_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("assets.parquet");
        let mut output =
            open(&OutputTarget::File(path.clone()), FileFormat::Parquet, &OutputOptions::default()).unwrap();
        output.begin("assets", &[column("tag", ColumnType::Text), column("notes", ColumnType::Text)]).unwrap();
        let notes = "x".repeat(1 << 20);
        for number in 0..70 {
            let mut row = Row::default();
            row.push_text(&format!("A-{number}"));
            row.push_text(if number % 2 == 0 { &notes } else { "" });
            output.row(&row).unwrap();
        }
        output.finish().unwrap();
        let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let tags: Vec<_> = rows(&path).iter().map(|row| row[0].to_string()).collect();
        assert_eq!(tags, (0..70).map(|number| format!("\"A-{number}\"")).collect::<Vec<_>>());
    }
}
