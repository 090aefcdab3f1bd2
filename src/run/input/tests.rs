//! What options make of the files of a run.

mod aliases;
mod options;
mod remember;
mod rules;
mod workbooks;

use super::*;
use crate::check::{CheckedRow, RowAction};
use crate::observer::NoObserver;
use crate::run::journal::RunKind;
use crate::schema::Entity;
use crate::table::ReadOptions;

/// What options are refused for: a change of them, the message, and the hint.
type Refusal<'r, T> = (&'r dyn Fn(&mut T), &'r str, &'r str);

/// Options that name files with these contents in a folder; a `.toml` is the mapping file.
fn options_in(folder: &Path, files: &[(&str, &str)]) -> InputOptions {
    let mut options = InputOptions::default();
    for (name, content) in files {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        if !name.ends_with(".toml") {
            options.files.push(path);
        } else {
            options.mapping.file = Some(path);
        }
    }
    options
}

/// Opens files with these contents.
fn open(files: &[(&str, &str)], change: impl FnOnce(&mut InputOptions)) -> Result<InputSet> {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options_in(folder.path(), files);
    change(&mut options);
    InputSet::open(&options, SheetFilter::Any, &mut NoObserver)
}

/// The message and hint of a refusal, without the folder of its files.
fn refusal(opened: Result<InputSet>) -> (String, String) {
    let error = opened.map(drop).unwrap_err();
    let plain = |text: String| match (text.find("/tmp"), text.rfind('/')) {
        (Some(start), Some(end)) if !text[start..end].contains(' ') => {
            format!("{}{}", &text[..start], &text[end + 1..])
        }
        _ => text,
    };
    (plain(error.to_string()), plain(error.hint().unwrap_or_default()))
}

/// What becomes of the rows of a sheet: their typed and their filled cells, and their problems.
fn rows(input: &mut InputSet, sheet: usize) -> Vec<String> {
    let (sheets, rules) = (input.sheet_rules(), RowRules::new(input.rules.clone()));
    let mut checkers = input.checkers(&sheets, &rules);
    let mut seen = Vec::new();
    input
        .each_record(sheet, &mut checkers, &mut |index, row, checked| {
            let cells: Vec<&str> = row.filled.cells().map(|cell| cell.text).collect();
            let problems: Vec<&str> = checked.problems.iter().map(|problem| problem.code().as_str()).collect();
            let own = if index == sheet { String::new() } else { format!("{}: ", sheets[index].0.entity.name) };
            let problems = if problems.is_empty() { String::new() } else { format!(" {}", problems.join(" ")) };
            seen.push(format!("{own}{} {}{problems}", row.typed.number, cells.join("|")));
        })
        .unwrap();
    seen
}

const LOCATIONS: (&str, &str) = ("locations.csv", "Name,City,Colour\nBerlin,Berlin,red\n");
const SUPPLIERS: (&str, &str) = ("suppliers.csv", "Name,Url,Shade\nCDW,https://cdw.example,blue\n");

#[test]
fn lock_files_among_several_files_are_left_out() {
    let lock = ("~$locations.xlsx", "Ada");
    let input = open(&[lock, LOCATIONS, ("~$suppliers.csv", "Ada")], |_| {}).unwrap();
    assert_eq!(input.files.len(), 1);
    let message = "`~$locations.xlsx`: a lock file that Excel keeps beside an open workbook, not a workbook";
    for files in [&[lock][..], &[lock, ("~$suppliers.csv", "Ada")]] {
        assert_eq!(refusal(open(files, |_| {})).0, message);
    }
}

#[test]
fn sheets_stand_in_the_order_of_the_files() {
    let input = open(&[LOCATIONS, SUPPLIERS], |_| {}).unwrap();
    let mut sheets: Vec<(u32, String)> =
        (0..2).map(|index| input.sheet_header(index)).map(|header| (header.place, header.label)).collect();
    sheets.sort();
    assert_eq!(sheets, [(0, String::from("locations")), (1, String::from("suppliers"))]);
}

#[test]
fn sheets_of_one_name_are_told_apart_by_their_files() {
    let lines = ("Locations.jsonl", r#"{"name": "Ulm", "city": "Ulm"}"#);
    let input = open(&[LOCATIONS, SUPPLIERS, lines], |_| {}).unwrap();
    let headers = input.sheet_headers();
    let mut labels: Vec<(String, String)> =
        headers.iter().map(|header| (header.label.clone(), header.result_name())).collect();
    labels.sort();
    let expected = [("Locations.jsonl", "Locations"), ("locations.csv", "locations"), ("suppliers", "suppliers")];
    assert_eq!(labels, expected.map(|(label, name)| (String::from(label), String::from(name))));
}

#[test]
fn a_header_of_an_option_stands_in_one_of_the_files() {
    let ignored = |header: &str| {
        let header = header.to_owned();
        open(&[LOCATIONS, SUPPLIERS], |options| options.mapping.ignore.push(header)).map(drop)
    };
    ignored("Colour").unwrap();
    ignored("Shade").unwrap();
    assert!(ignored("Weight").unwrap_err().to_string().contains("Weight"));
}

#[test]
fn records_are_found_by_their_key_or_by_the_fields_of_the_option() {
    let assets = ("assets.csv", "Asset Tag,Serial,Model,Status\nA-1,S1,X1,Ready\n");
    let checkouts = ("checkout_asset.csv", "Asset,Employee,Checkout Date\nA-1,ada@example.com,2026-01-02\n");
    let match_on = |files: &[(&str, &str)], fields: &[&str]| {
        let fields = fields.iter().map(ToString::to_string).collect();
        let input = open(files, |options| options.match_on = fields).unwrap();
        input.sheet_rules().into_iter().map(|(mapping, match_on)| (mapping.entity, match_on)).collect::<Vec<_>>()
    };
    let of_asset = |found: &[(&Entity, Vec<&'static str>)]| found[0].1.clone();
    assert_eq!(of_asset(&match_on(&[assets], &[])), ["asset_id"]);
    assert_eq!(of_asset(&match_on(&[assets], &["asset_serial"])), ["asset_serial"]);
    let (action, keys) = match_on(&[checkouts], &[]).remove(0);
    assert_eq!(keys, action.key);
}

#[test]
fn a_value_of_a_rule_is_named_where_the_place_does_not_tell_it() {
    let file = ("m.toml", "[fields.currency]\ncolumn = \"Colour\"\nvalues = { red = \"QQQ\", blue = \"EUR\" }\n");
    let said = open(&[LOCATIONS, file], |_| {}).map(drop).unwrap_err().to_string();
    assert!(said.contains("`QQQ` for currency"), "{said}");
    let flag = open(&[LOCATIONS], |options| options.mapping.defaults.push(String::from("currency=QQQ")));
    let said = flag.map(drop).unwrap_err().to_string();
    assert!(said.contains("currency=QQQ") && !said.contains("`QQQ` for"), "{said}");
}

#[test]
fn files_that_tallyport_writes_and_that_hold_no_records_are_refused_with_what_to_give_instead() {
    let said = |error: Error| (error.to_string(), error.hint().unwrap_or_default());
    let pair = |message: &str, hint: &str| (message.to_owned(), hint.to_owned());
    let (file, stdin) = (Input::Path("p.xlsx".into()), Input::Stdin);
    assert_eq!(
        said(error::register_as_input("`r.csv`")),
        pair(
            "`r.csv` is a fixed-asset register: it holds figures, and no records to read back",
            "name an export of the records, such as that of `tallyport export assets`"
        )
    );
    let applied = pair("`p.xlsx` is a plan", "`tallyport apply p.xlsx` sends what is approved in it");
    assert_eq!(said(error::plan_as_input(&file)), applied);
    let saved = "save it as a file: `tallyport apply FILE` sends what is approved in it";
    assert_eq!(said(error::plan_as_input(&stdin)).1, saved);
    let listed = |kind: RunKind| said(error::listing_as_input(&file, kind));
    assert_eq!(
        listed(RunKind::Undo),
        pair(
            "`p.xlsx` is the result of `tallyport undo`: it lists what the run did",
            "give the spreadsheet or the result of the run that was undone"
        )
    );
    assert_eq!(listed(RunKind::Apply).1, "give the spreadsheet that the plan was made from");
}

#[test]
fn columns_of_our_own_count_as_known_in_an_export_of_another_tool() {
    let known = |header: &str| {
        let input = open(&[("devices.csv", &format!("{header}\n"))], |_| {}).unwrap();
        let message = input.sheets[0].recognition().unwrap().message;
        message.split_once(", ").unwrap().1.to_owned()
    };
    let headers = "Device ID,Enrollment date,Primary user UPN,Serial number,Model";
    assert_eq!(known(headers), "5 of 5 columns known (preset intune-devices)");
    assert_eq!(known(&format!("{headers},Shoe size")), "5 of 6 columns known (preset intune-devices)");
    assert_eq!(known(&format!("{headers},_action")), "6 of 6 columns known (preset intune-devices)");
}
