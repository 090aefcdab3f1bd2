//! Which sheets of a workbook are read, and what is said of the others.

use rust_xlsxwriter::Workbook as Xlsx;

use super::*;

/// A workbook of sheets: their names, whether they are hidden, and their rows.
fn workbook(path: &Path, sheets: &[(&str, bool, &[&[&str]])]) {
    let mut book = Xlsx::new();
    for (name, is_hidden, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        sheet.set_hidden(*is_hidden);
        for (row, cells) in rows.iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *text).unwrap();
            }
        }
    }
    book.save(path).unwrap();
}

fn opened(
    sheets: &[(&str, bool, &[&[&str]])],
    filter: SheetFilter,
    change: impl FnOnce(&mut InputOptions),
) -> Result<InputSet> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.xlsx");
    workbook(&path, sheets);
    let mut options = InputOptions { files: vec![path], ..InputOptions::default() };
    change(&mut options);
    InputSet::open(&options, filter, &mut NoObserver)
}

/// The sheets that are read, as what; and why the others are not.
fn read(sheets: &[(&str, bool, &[&[&str]])], change: impl FnOnce(&mut InputOptions)) -> (Vec<String>, Vec<String>) {
    let input = opened(sheets, SheetFilter::Any, change).unwrap();
    let read =
        input.sheets.iter().map(|sheet| format!("{} {}", sheet.name.as_deref().unwrap(), sheet.mapping.entity.name));
    let skipped = input.skipped.iter().map(|(place, reason)| {
        let sheet = place.rsplit_once("sheet ").map_or(place.as_str(), |(_, sheet)| sheet);
        format!("{sheet} {reason}")
    });
    (read.collect(), skipped.collect())
}

const PLACES: &[&[&str]] = &[&["Name", "City", "Country"], &["HQ", "Bonn", "DE"]];
const ASSETS: &[&[&str]] = &[&["Asset Tag", "Serial", "Model", "Status"], &["A-1", "S1", "X1", "Ready"]];
const FIRMS: &[&[&str]] = &[&["Name", "Url", "Contact Name"], &["Acme", "https://acme.example", "Ada"]];

#[test]
fn sheets_with_names_of_ours_that_hold_records_are_read() {
    for name in ["Summary", "Instructions", "Lists", crate::run::input::LOOK_ALIKES_SHEET] {
        let (sheets_read, skipped) = read(&[("Suppliers", false, FIRMS), (name, false, ASSETS)], |_| {});
        assert_eq!(sheets_read, ["Suppliers suppliers".to_owned(), format!("{name} assets")]);
        assert_eq!(skipped, [""; 0]);
        let (sheets_read, skipped) = read(&[("Suppliers", false, FIRMS), (name, true, ASSETS)], |_| {});
        assert_eq!(sheets_read, ["Suppliers suppliers"]);
        assert_eq!(skipped, [format!("`{name}` it is hidden; --sheet '{name}' reads it")]);
        // Under a title of the user's own.
        let titled: &[&[&str]] = &[&["Import of laptops"], ASSETS[0], ASSETS[1]];
        let (sheets_read, skipped) = read(&[("Notes", false, &[&["just a line"]]), (name, false, titled)], |_| {});
        assert_eq!(sheets_read, [format!("{name} assets")]);
        assert!(skipped.len() == 1 && skipped[0].starts_with("`Notes` "), "{skipped:?}");
        // Totals of the user's own are named.
        let totals: &[&[&str]] = &[&["Site", "Total"], &["Bonn", "7"]];
        let (sheets_read, skipped) = read(&[("Sheet1", false, ASSETS), (name, false, totals)], |_| {});
        assert_eq!(sheets_read.len(), 1, "{sheets_read:?}");
        assert!(skipped.len() == 1 && skipped[0].starts_with(&format!("`{name}` ")), "{skipped:?}");
    }
}

#[test]
fn visible_sheets_are_read_and_the_others_named() {
    let sheets: &[(&str, bool, &[&[&str]])] = &[
        ("Suppliers", false, FIRMS),
        ("Locations", false, PLACES),
        ("Summary", false, &[&["Import of places.csv"], &["All 3 rows succeeded"]]),
        ("Lists", true, &[&["currencies", "categories:asset"], &["EUR", "Laptops"]]),
        ("Instructions", false, &[&["Sheets to fill in for BlueTally"]]),
        ("Old", true, &[&["Name", "Email", "Location"], &["Ada", "ada@example.com", "HQ"]]),
        ("Notes", false, &[&["Something", "else"], &["a", "b"]]),
        ("Empty", false, &[]),
    ];
    let (sheets_read, skipped) = read(sheets, |_| {});
    assert_eq!(sheets_read, ["Suppliers suppliers", "Locations locations"]);
    assert_eq!(skipped[0], "`Old` it is hidden; --sheet 'Old' reads it");
    assert!(skipped[1].starts_with("`Notes` "), "{skipped:?}");
    assert_eq!(skipped.len(), 3, "{skipped:?}");
    let (named, skipped) =
        read(sheets, |options| options.sheets = vec!["old".into(), "Suppliers".into(), "Old".into()]);
    assert_eq!((named.len(), skipped.len()), (2, 0), "{named:?} {skipped:?}");
    assert_eq!(named, ["Suppliers suppliers", "Old employees"]);
    let missing = opened(sheets, SheetFilter::Any, |options| options.sheets.push("Newest".into()));
    let (message, hint) = refusal(missing);
    assert!(message.ends_with("has no sheet `Newest`"), "{message}");
    assert_eq!(hint, "its sheets are: Suppliers, Locations, Summary, Lists, Instructions, Old, Notes, Empty");
}

#[test]
fn a_result_names_its_run_and_that_of_a_dry_run_the_one_before() {
    let run = |facts: &[&[&str]]| {
        let summary: Vec<&[&str]> =
            [["Import of places.csv"].as_slice(), &["All rows succeeded"], &[]].iter().chain(facts).copied().collect();
        let sheets: &[(&str, bool, &[&[&str]])] = &[("Summary", false, &summary), ("Locations", false, PLACES)];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.xlsx");
        workbook(&path, sheets);
        let options = InputOptions { files: vec![path], ..InputOptions::default() };
        InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap().run_of(0).unwrap()
    };
    let (mode, own): (&[&str], &[&str]) = (&["Mode", "upsert"], &["Run", " 20261201-r "]);
    assert_eq!(run(&[mode, own]).as_deref(), Some("20261201-r"));
    assert_eq!(run(&[mode, own, &["Earlier run", "20261130-e"]]).as_deref(), Some("20261130-e"));
    assert_eq!(run(&[mode]), None);
}

#[test]
fn an_exact_name_of_a_sheet_goes_before_a_similar_one() {
    let sheets: &[(&str, bool, &[&[&str]])] = &[("My Sheet", false, PLACES), ("my_sheet", false, FIRMS)];
    let chosen = |name: &str| {
        read(sheets, |options| {
            options.sheets.push(name.into());
            options.entity = Some("suppliers".into());
        })
    };
    assert_eq!(chosen("my_sheet").0, ["my_sheet suppliers"]);
    assert_eq!(chosen("My Sheet").0, ["My Sheet suppliers"]);
    assert_eq!(chosen("MY SHEET").0, ["My Sheet suppliers"]);
}

#[test]
fn with_strict_a_sheet_of_which_nothing_says_what_it_holds_is_an_error() {
    let sheets: &[(&str, bool, &[&[&str]])] =
        &[("Suppliers", false, FIRMS), ("Stuff", false, &[&["Something", "else"], &["a", "b"]])];
    let strict = opened(sheets, SheetFilter::Any, |options| options.mapping.strict = true);
    let (message, _) = refusal(strict);
    assert!(message.contains("sheet `Stuff`: cannot tell from its name or headers what it contains"), "{message}");
    let (read, skipped) = read(sheets, |_| {});
    assert_eq!((read, skipped.len()), (vec![String::from("Suppliers suppliers")], 1));
}

#[test]
fn a_sheet_that_is_something_else_is_skipped_where_another_is_read() {
    let other: &[&[&str]] = &[&["City", "Country"], &["Bonn", "DE"]];
    let sheets: &[(&str, bool, &[&[&str]])] = &[("Locations", false, PLACES), ("Sheet2", false, other)];
    let (sheets_read, skipped) = read(sheets, |options| options.entity = Some("locations".into()));
    assert_eq!(sheets_read, ["Locations locations"]);
    assert_eq!(skipped, ["`Sheet2` it has no column `name`; --sheet NAME reads it all the same"]);
    let alone: &[(&str, bool, &[&[&str]])] = &[("Sheet1", false, other), ("Sheet2", false, other)];
    let (message, _) = refusal(opened(alone, SheetFilter::Any, |options| options.entity = Some("locations".into())));
    assert!(
        message.starts_with("the headers do not fit\n") && message.matches("sheet `Sheet").count() == 2,
        "{message}"
    );
    // By its name it is another collection, and one of the right name is there.
    let sheets: &[(&str, bool, &[&[&str]])] = &[("Locations", false, PLACES), ("Suppliers", false, PLACES)];
    let (sheets_read, skipped) = read(sheets, |options| options.entity = Some("locations".into()));
    assert_eq!(sheets_read, ["Locations locations"]);
    assert_eq!(skipped, ["`Suppliers` by its name it holds suppliers; --sheet NAME reads it all the same"]);
    let sheets: &[(&str, bool, &[&[&str]])] = &[("Stores", false, PLACES), ("Suppliers", false, PLACES)];
    let (sheets_read, skipped) = read(sheets, |options| options.entity = Some("locations".into()));
    assert_eq!((sheets_read.len(), skipped.len()), (2, 0), "{skipped:?}");
}

#[test]
fn a_delete_reads_the_sheets_of_its_collection() {
    let sheets: &[(&str, bool, &[&[&str]])] = &[("Suppliers", false, FIRMS), ("Locations", false, PLACES)];
    let only = |name: &str, sheet: Option<&str>| {
        let filter = SheetFilter::Only(crate::schema::collection(name).unwrap());
        opened(sheets, filter, |options| options.sheets.extend(sheet.map(str::to_owned)))
    };
    let input = only("locations", None).unwrap();
    let read: Vec<&str> = input.sheets.iter().filter_map(|sheet| sheet.name.as_deref()).collect();
    assert_eq!((read, input.skipped.len()), (vec!["Locations"], 0));
    assert_eq!(only("locations", Some("Suppliers")).unwrap().sheets[0].mapping.entity.name, "locations");
    let (message, hint) = refusal(only("departments", None));
    assert!(message.ends_with("says by its name or headers that it holds departments"), "{message}");
    assert_eq!(hint, "name the sheet with --sheet");
}

#[test]
fn a_workbook_of_nothing_to_read_says_so() {
    let sheets: &[(&str, bool, &[&[&str]])] = &[("One", false, &[&["a"]]), ("Two", false, &[&["b"]])];
    let (message, hint) = refusal(opened(sheets, SheetFilter::Any, |_| {}));
    assert!(message.ends_with("can be read as a collection or an action"), "{message}");
    assert!(hint.starts_with("say what it holds with --entity"), "{hint}");
}

#[test]
fn the_order_of_a_workbook_is_kept_for_people() {
    let sheets: &[(&str, bool, &[&[&str]])] = &[
        ("Staff", false, &[&["Name", "Email", "Location"], &["Ada", "ada@example.com", "HQ"]]),
        ("Locations", false, PLACES),
    ];
    let input = opened(sheets, SheetFilter::Any, |options| options.mapping.map.push("Nothing=".into()));
    assert!(refusal(input).0.contains("Nothing"));
    let input = opened(sheets, SheetFilter::Any, |_| {}).unwrap();
    let sent: Vec<String> = (0..2).map(|index| input.label(index)).collect();
    assert_eq!(sent, ["Locations", "Staff"]);
    let shown: Vec<String> = input.mappings().into_iter().map(|mapping| mapping.sheet).collect();
    assert_eq!(shown, ["Staff", "Locations"]);
    let headers = input.sheet_headers();
    let places: Vec<(u32, &str)> = headers.iter().map(|header| (header.place, header.label.as_str())).collect();
    assert_eq!(places, [(1, "Locations"), (0, "Staff")]);
    assert_eq!(input.extra_cells(0), ExtraCells::Ignored);
    let text = open(&[LOCATIONS], |_| {}).unwrap();
    assert_eq!(text.extra_cells(0), ExtraCells::Problem);
    assert_eq!((input.paths().count(), input.sources().len(), input.file_names().len()), (1, 0, 1));
}

#[test]
fn text_that_is_called_a_workbook_is_told() {
    let input = open(&[("locations.xlsx", LOCATIONS.1)], |_| {}).unwrap();
    let decoding = input.decoding(0).unwrap();
    assert!(decoding.ends_with(" (a text file, whatever its name says)"), "{decoding}");
    assert!(!open(&[LOCATIONS], |_| {}).unwrap().decoding(0).unwrap().contains("whatever"));
    let lines = "{\"name\": \"HQ\", \"city\": \"Bonn\"}\n";
    let wrong = open(&[("locations.xls", "{\"nothing\": 1}\n")], |options| options.mapping.strict = true);
    assert!(refusal(wrong).0.contains("(a JSON file, whatever its name says)"));
    assert!(
        open(&[("locations.jsonl", lines)], |_| {})
            .unwrap()
            .decoding(0)
            .is_none_or(|text| !text.contains("JSON file, whatever"))
    );
}

#[test]
fn letters_that_may_be_others_are_known() {
    use crate::plan::EncodingConfidence;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locations.csv");
    std::fs::write(&path, b"Name,City\n\xcc\xee\xf1\xea\xe2\xe0,\xcc\xee\xf1\xea\xe2\xe0\n").unwrap();
    let options = InputOptions { files: vec![path], ..InputOptions::default() };
    let guessed = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    let certain = open(&[LOCATIONS], |_| {}).unwrap();
    assert_eq!(guessed.encoding_confidence(0), EncodingConfidence::Guessed);
    assert_eq!(certain.encoding_confidence(0), EncodingConfidence::Certain);
}

#[test]
fn columns_that_are_not_used_are_told_but_not_those_that_an_export_need_not_have() {
    let input = open(&[LOCATIONS], |_| {}).unwrap();
    assert_eq!(input.ignored(0).len(), 1);
    assert!(input.ignored(0)[0].name.contains("Colour"), "{:?}", input.ignored(0));
    let export = "id,name,created_at,updated_at,shade\n\
                  1,Ada,2026-01-01T08:00:00.000Z,2026-01-01T08:00:00.000Z,red\n";
    let input = open(&[("locations.csv", export)], |_| {}).unwrap();
    assert_eq!(input.ignored(0).len(), 1, "{:?}", input.ignored(0));
}

#[test]
fn what_told_what_a_sheet_is_is_remarked() {
    let rows = "JSS Computer ID,Computer Name,Managed,Serial Number,Model,Asset Tag\n1,Mac,Managed,S1,MacBook,A-1\n";
    let input = open(&[("jamf.csv", rows)], |options| options.mapping.defaults.push("status=Ready".into())).unwrap();
    let remarks: Vec<String> = input.remarks().into_iter().map(|remark| remark.message).collect();
    assert!(
        remarks.iter().any(|text| text.starts_with("jamf: recognized: Jamf Pro computers, ")
            && text.ends_with("(preset jamf-computers)")),
        "{remarks:?}"
    );
    assert_eq!(input.mappings()[0].preset.as_deref(), Some("jamf-computers"));
    // It is said to be something else.
    let other = open(&[("jamf.csv", rows)], |options| {
        options.entity = Some("locations".into());
        options.mapping.map.push("Computer Name=name".into());
    });
    assert!(other.unwrap().remarks().is_empty());
    let asked = open(&[("jamf.csv", rows)], |options| {
        options.mapping.preset = Some("jamf-computers".into());
        options.mapping.defaults.push("status=Ready".into());
    });
    assert_eq!(asked.unwrap().mappings()[0].preset.as_deref(), Some("jamf-computers"));
    let none = open(&[("assets.csv", rows)], |options| {
        options.mapping.preset = Some("none".into());
        options.mapping.defaults.push("status=Ready".into());
    });
    assert_eq!(none.unwrap().mappings()[0].preset, None);

    let overruled = open(&[("departments.csv", "Asset Tag,Serial,Model,Status\nA-1,S1,X1,Ready\n")], |_| {}).unwrap();
    let remarks: Vec<String> = overruled.remarks().into_iter().map(|remark| remark.message).collect();
    assert_eq!(
        remarks[0],
        "departments: read as assets: its headers say so, though its name says departments; --entity says otherwise"
    );
}

#[test]
fn a_column_that_only_its_whole_tells_is_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "Asset Tag,Model,Status,Purchase Date\nA-1,X1,Ready,03/02/2024\nA-2,X1,Ready,13/02/2024\n";
    let options = options_in(folder.path(), &[("assets.csv", rows)]);
    let mut input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    let (sheets, rules) = (input.sheet_rules(), RowRules::new(input.rules.clone()));
    let mut checkers = input.checkers(&sheets, &rules);
    let mut seen = Vec::new();
    let mut see = |sheet: usize, row: InputRow<'_>, checked: &mut CheckedRow| {
        seen.push((sheet, row.typed.number, checked.problems.len()));
    };
    assert_eq!(input.survey(0, &mut checkers, &mut see).unwrap(), 2, "each row counts once");
    assert_eq!(seen, [(0, 2, 1), (0, 3, 0), (0, 2, 0), (0, 3, 0)]);
    let mut sure = Vec::new();
    let mut checkers = input.checkers(&sheets, &rules);
    checkers[0].infer_formats();
    let count = input.each_checked(0, &mut checkers[0], &mut |row, _| sure.push(row.typed.number)).unwrap();
    assert_eq!((count, sure), (2, vec![2, 3]));
}

#[test]
fn rows_that_are_checked_side_by_side_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "Name,City,Shade\nBonn,Bonn,\nbonn,Ulm,\nKiel,Kiel,\n";
    let options = options_in(folder.path(), &[("locations.csv", rows)]);
    let mut input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    let (sheets, rules) = (input.sheet_rules(), RowRules::new(input.rules.clone()));
    let mut checkers = input.checkers(&sheets, &rules);
    let (mut names, mut clean, mut flagged) = (crate::plan::NameTally::default(), 0, Vec::new());
    let mut take = |rows: CheckedRows<'_>| match rows {
        CheckedRows::Clean(count) => clean += count,
        CheckedRows::Flagged(row, checked) if checked.problems.is_empty() => clean += u64::from(row.number > 0),
        CheckedRows::Flagged(row, _) => flagged.push(row.number),
    };
    input.each_checked_in_parallel(0, &mut checkers[0], &mut names, &mut take).unwrap();
    assert_eq!((clean, flagged), (2, vec![3]));
}

#[test]
fn an_empty_file_of_json_lines_is_skipped_where_another_is_read() {
    let set = open(&[("accessories.jsonl", ""), ("suppliers.jsonl", "{\"name\": \"Acme\"}\n")], |_| {}).unwrap();
    let read: Vec<&str> = set.sheets.iter().map(|sheet| sheet.mapping.entity.name).collect();
    assert_eq!(read, ["suppliers"]);
    for files in [&[("accessories.jsonl", "")][..], &[("a.csv", ""), ("suppliers.jsonl", "{\"name\": \"Acme\"}\n")]] {
        let (message, _) = refusal(open(files, |_| {}));
        assert!(message.ends_with("the file is empty"), "{message}");
    }
}
