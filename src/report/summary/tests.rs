#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use super::sentences::sentence;
use super::*;
use crate::api::{Method, RequestCounts, RequestKind};
use crate::check::{Code, Remark, RemarkCode, ValueError};
use crate::mapping::IgnoredColumn;
use crate::plan::RunEstimate;
use crate::plan::{ReportMode, RowCounts};
use crate::report::change_tally::ChangeTally;
use crate::report::{ProblemTally, RunCommand, RunSummary, SheetSummary};

fn sheet(name: Option<&str>, entity: &'static str, rows: u64, counts: RowCounts) -> SheetSummary {
    SheetSummary {
        file: "in/inventory.csv".into(),
        sheet: name.map(str::to_owned),
        entity,
        rows,
        counts,
        decoding: None,
        ignored: Vec::new(),
    }
}

fn run(sheets: Vec<SheetSummary>) -> RunSummary {
    RunSummary {
        plan: None,
        run_id: "20261124-0703-k3f9".into(),
        command: RunCommand::Import,
        dry_run: false,
        files: vec!["in/inventory.csv".into()],
        sheets,
        skipped_sheets: Vec::new(),
        approval: Vec::new(),
        options: Vec::new(),
        requests: RequestCounts::from(BTreeMap::from([
            (RequestKind { method: Method::Post, path: "assets" }, 1_100),
            (RequestKind { method: Method::Get, path: "assets" }, 30),
        ])),
        planned: None,
        seconds: 125.4,
        problems: ProblemTally::default(),
        changes: ChangeTally::default(),
        result: Some("in/inventory.result.xlsx".into()),
        next: Vec::new(),
        remarks: Vec::new(),
        earlier_run: None,
        mapping: Vec::new(),
        look_alikes: crate::plan::LookAlikes::default(),
        stopped: None,
    }
}

fn problems() -> ProblemTally {
    let mut tally = ProblemTally::default();
    for (row, found, hint) in [(7, "Berln", "write `Berlin`"), (19, "Muenchen", "write `München`")] {
        let error = ValueError::new(Code::NameNotFound, format!("`{found}` not found in locations"), hint);
        tally.add("inventory", Some("Site"), row, &error.at(Some(3), found));
    }
    for row in 40..44 {
        let error = ValueError::new(Code::RequiredMissing, "missing value for `asset_id`", "fill in the tag");
        tally.add("inventory", Some("Tag"), row, &error.at(Some(0), ""));
    }
    tally.add("inventory", None, 50, &ValueError::without_hint(Code::DuplicateKey, "duplicate of row 12").at(None, ""));
    tally
}

fn plain(summary: &RunSummary) -> String {
    crate::terminal::unstyled(&text(summary, 100))
}

#[test]
fn an_import_with_failures_says_what_to_fix_and_what_to_run() {
    let counts = RowCounts { created: 1_100, unchanged: 97, failed: 7, ..RowCounts::default() };
    let mut one = sheet(None, "assets", 1_204, counts);
    one.decoding = Some("UTF-8, semicolon".into());
    let ignored = |name: &str, reason: Option<&str>| IgnoredColumn {
        name: name.to_owned(),
        reason: reason.map(ToOwned::to_owned),
    };
    let holder = "says who has it; pass --map 'Handed to=assigned_to' to check it out to them";
    one.ignored = vec![ignored("Rack", None), ignored("Handed to", Some(holder)), ignored("Colour", None)];
    let next = vec!["tallyport import in/inventory.result.xlsx --only-failed".into()];
    let summary = RunSummary { problems: problems(), next, ..run(vec![one]) };
    insta::assert_snapshot!(plain(&summary), @r#"
    Import of inventory.csv: 7 of 1,204 rows failed, in 2 min 5 s (run 20261124-0703-k3f9)
      1,204 rows: 1,100 created, 97 unchanged, 7 failed (assets)

    7 problems in 7 rows
           4 × a required value is missing in `Tag` (required.missing)
               A40, A41, A42, …
               missing value for `asset_id`
               hint: fill in the tag
           2 × no record of that name in `Site` (name.not_found)
               D7 `Berln`, D19 `Muenchen`
               D7: `Berln` not found in locations
               hint for D7: write `Berlin`
           1 × the same record is there twice (duplicate.key)
               row 50
               duplicate of row 12

      read      inventory.csv as UTF-8, semicolon
      ignored   columns `Rack`, `Colour`
      ignored   `Handed to`: says who has it
                pass --map 'Handed to=assigned_to' to check it out to them
      requests  1,130: 30 to look up, 1,100 to create or move
      result    in/inventory.result.xlsx
      next      correct the red cells in the result, then run
                tallyport import in/inventory.result.xlsx --only-failed
    "#);
}

#[test]
fn a_run_cut_short_is_resumed_before_anything_is_fixed() {
    let counts = RowCounts { created: 96, failed: 3_904, ..RowCounts::default() };
    let next = vec!["tallyport resume 20261124-0703-k3f9".into()];
    let cut =
        RunSummary { stopped: Some("interrupted".into()), next, ..run(vec![sheet(None, "assets", 4_000, counts)]) };
    let said = plain(&cut);
    assert!(said.ends_with("  next      tallyport resume 20261124-0703-k3f9\n"), "{said}");
    assert!(!said.contains("correct the"), "{said}");
}

#[test]
fn unknown_rows_are_looked_into_and_not_corrected() {
    let counts = RowCounts { created: 9, unknown: 1, ..RowCounts::default() };
    let next = vec!["tallyport import r.xlsx --only-failed".into()];
    let said = plain(&RunSummary { next, ..run(vec![sheet(None, "assets", 10, counts)]) });
    assert!(said.contains("  next      review the rows with status `unknown`, then run\n"), "{said}");
}

#[test]
fn a_dry_run_says_what_it_would_take() {
    let counts = RowCounts { created: 14_000, updated: 200, ..RowCounts::default() };
    let planned = RunEstimate { requests: 14_230, seconds: 4_000, emails: 204, people: 180, quota: Some(10_000) };
    let next = vec!["tallyport import in/inventory.csv".into()];
    let mut summary =
        RunSummary { dry_run: true, planned: Some(planned), next, ..run(vec![sheet(None, "assets", 14_200, counts)]) };
    summary.result = None;
    insta::assert_snapshot!(plain(&summary), @r#"
    Dry run of inventory.csv: all 14,200 rows would succeed, in 2 min 5 s
      14,200 rows: 14,000 to create, 200 to update (assets)
      plan      14,230 requests, about 1 h 7 min at 10,000 an hour; the service would send 204 e-mails to 180 people
      next      tallyport import in/inventory.csv
    "#);
}

#[test]
fn several_sheets_are_a_table_with_a_total() {
    let good = RowCounts { created: 12, ..RowCounts::default() };
    let mixed = RowCounts { created: 1_000, failed: 3, unknown: 1, ..RowCounts::default() };
    let sheets = vec![sheet(Some("Sites"), "locations", 12, good), sheet(Some("Assets"), "assets", 1_204, mixed)];
    let mut summary = RunSummary { stopped: Some("3 rows failed (`--max-errors 3`)".into()), ..run(sheets) };
    summary.skipped_sheets = vec![("Read me".into(), "no header row was found".into())];
    summary.remarks = vec![Remark::new(RemarkCode::Note, "the currency was taken from the number format")];
    insta::assert_snapshot!(plain(&summary), @r#"
    Import of inventory.csv: stopped after 2 min 5 s: 3 rows failed (`--max-errors 3`) (run 20261124-0703-k3f9)
      sheet   holds       rows  created  failed  unknown
      Sites   locations     12       12       -        -
      Assets  assets     1,204    1,000       3        1
      total              1,216    1,012       3        1
      200 rows not reached
      not read  Read me: no header row was found
      requests  1,130: 30 to look up, 1,100 to create or move
      note      the currency was taken from the number format
      result    in/inventory.result.xlsx
    "#);
}

#[test]
fn a_check_knows_only_good_and_failed() {
    let counts = RowCounts { unchanged: 9, failed: 1, ..RowCounts::default() };
    let mut summary = RunSummary { command: RunCommand::Check, ..run(vec![sheet(None, "assets", 10, counts)]) };
    (summary.requests, summary.result) = (RequestCounts::default(), None);
    insta::assert_snapshot!(plain(&summary), @r#"
    Check of inventory.csv: 1 of 10 rows failed, in 2 min 5 s
      10 rows: 9 good, 1 failed (assets)
    "#);
}

#[test]
fn counts_add_up_to_the_rows_whatever_they_are() {
    let counts =
        RowCounts { created: 1, updated: 2, unchanged: 3, failed: 4, skipped: 5, unknown: 6, deleted: 7, not_sent: 8 };
    for mode in [ReportMode::Done, ReportMode::DryRun, ReportMode::Check] {
        let sentence = sentence(40, counts, mode);
        let (rows, parts) = sentence.split_once(": ").unwrap();
        let number = |text: &str| text.split(' ').next().unwrap().parse::<u64>().unwrap();
        assert_eq!(parts.split(", ").map(number).sum::<u64>(), number(rows), "{sentence}");
    }
}

#[test]
fn json_of_one_sheet_is_the_contract() {
    let counts = RowCounts { created: 1_100, unchanged: 97, failed: 7, ..RowCounts::default() };
    let summary = RunSummary { problems: problems(), ..run(vec![sheet(None, "assets", 1_204, counts)]) };
    insta::assert_snapshot!(format!("{:#}", json(&summary)), @r#"
    {
      "run_id": "20261124-0703-k3f9",
      "entity": "assets",
      "dry_run": false,
      "counts": {
        "created": 1100,
        "updated": 0,
        "unchanged": 97,
        "failed": 7,
        "skipped": 0,
        "unknown": 0,
        "not_sent": 0
      },
      "requests": {
        "total": 1130,
        "by_kind": {
          "GET assets": 30,
          "POST assets": 1100
        }
      },
      "seconds": 125.4,
      "result": "in/inventory.result.xlsx",
      "command": "import",
      "rows": 1204,
      "files": [
        "in/inventory.csv"
      ],
      "problems": [
        {
          "sheet": "inventory",
          "code": "required.missing",
          "title": "a required value is missing",
          "column": "Tag",
          "count": 4,
          "examples": [
            {
              "cell": "A40",
              "row": 40,
              "found": "",
              "message": "missing value for `asset_id`",
              "hint": "fill in the tag"
            },
            {
              "cell": "A41",
              "row": 41,
              "found": "",
              "message": "missing value for `asset_id`",
              "hint": "fill in the tag"
            },
            {
              "cell": "A42",
              "row": 42,
              "found": "",
              "message": "missing value for `asset_id`",
              "hint": "fill in the tag"
            }
          ]
        },
        {
          "sheet": "inventory",
          "code": "name.not_found",
          "title": "no record of that name",
          "column": "Site",
          "count": 2,
          "examples": [
            {
              "cell": "D7",
              "row": 7,
              "found": "Berln",
              "message": "`Berln` not found in locations",
              "hint": "write `Berlin`"
            },
            {
              "cell": "D19",
              "row": 19,
              "found": "Muenchen",
              "message": "`Muenchen` not found in locations",
              "hint": "write `München`"
            }
          ]
        },
        {
          "sheet": "inventory",
          "code": "duplicate.key",
          "title": "the same record is there twice",
          "column": null,
          "count": 1,
          "examples": [
            {
              "cell": "row 50",
              "row": 50,
              "found": "",
              "message": "duplicate of row 12",
              "hint": null
            }
          ]
        }
      ],
      "ignored_columns": [],
      "skipped_sheets": [],
      "mapping": [],
      "remarks": [],
      "look_alikes": [],
      "stopped": null,
      "next": []
    }
    "#);
}

#[test]
fn json_of_several_sheets_names_each() {
    let counts = RowCounts { created: 2, deleted: 1, ..RowCounts::default() };
    let sheets =
        vec![sheet(Some("Sites"), "locations", 3, counts), sheet(Some("Assets"), "assets", 0, RowCounts::default())];
    let document = json(&run(sheets));
    let keys: Vec<_> = document.as_object().unwrap().keys().take(7).collect();
    assert_eq!(keys, ["run_id", "sheets", "dry_run", "counts", "requests", "seconds", "result"]);
    insta::assert_snapshot!(document["sheets"].to_string(), @r#"[{"file":"in/inventory.csv","sheet":"Sites","entity":"locations","rows":3,"counts":{"created":2,"updated":0,"unchanged":0,"failed":0,"skipped":0,"unknown":0,"not_sent":0,"deleted":1},"ignored_columns":[]},{"file":"in/inventory.csv","sheet":"Assets","entity":"assets","rows":0,"counts":{"created":0,"updated":0,"unchanged":0,"failed":0,"skipped":0,"unknown":0,"not_sent":0},"ignored_columns":[]}]"#);
}
