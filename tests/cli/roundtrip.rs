//! Exports are imported again: unedited they change nothing, and edited cells become updates of just those fields.

mod edits;
mod exported;
pub mod filled;
mod odd;

use serde_json::{Value, json};

use crate::harness::{CliTest, some_of};
use exported::{Export, FORMS, Form};
use tallyport::schema::{COLLECTIONS, Field, Kind, TextForm, Wire};

fn export(account: &CliTest) -> Export {
    Export::of(&|collection| account.records(collection))
}

/// Everything the account holds.
fn everything(account: &CliTest) -> Vec<(&'static str, Vec<Value>)> {
    COLLECTIONS.iter().map(|entity| (entity.name, account.records(entity.name))).collect()
}

/// Imports the files with further arguments.
fn import(account: &CliTest, files: &[String], more: &[&str]) -> (i32, Value) {
    let words: Vec<&str> = ["import"].into_iter().chain(files.iter().map(String::as_str)).collect();
    account.json(&[&words[..], more].concat())
}

/// The summary as text, for failing tests.
fn why(account: &CliTest, summary: &Value) -> String {
    format!("{}\n{}", summary["counts"], serde_json::to_string_pretty(&summary["problems"]).unwrap_or_default())
        + &account.folder().display().to_string()
}

#[test]
fn unedited_exports_change_nothing() {
    let account = filled::account();
    let before = everything(&account);
    let export = export(&account);
    assert_eq!(export.sheets.len(), COLLECTIONS.len());
    let rows = COLLECTIONS.len() * filled::RECORDS;
    // Every form as it is and with one of the options: what the options do is the same whatever was read.
    let options = [["--blank", "clear"].as_slice(), &["--mode", "update"], &["--create-missing"]];
    for (form, option) in some_of(FORMS.into_iter().zip(options), 1) {
        let files = export.write(account.folder(), form);
        for more in [&[][..], option] {
            let (code, summary) = import(&account, &files, more);
            assert_eq!(code, 0, "{form:?} {more:?}: {}", why(&account, &summary));
            assert_eq!(summary["counts"]["unchanged"], rows, "{form:?} {more:?}: {}", why(&account, &summary));
            let kinds = summary["requests"]["by_kind"].as_object().unwrap();
            assert!(kinds.keys().all(|kind| kind.starts_with("GET ")), "{kinds:?}");
        }
    }
    assert!(everything(&account) == before);
}

/// Writes a real export in this format and returns its files.
fn exported(account: &CliTest, form: Form, more: &[&str]) -> Vec<String> {
    let (output, kind) = match form {
        Form::Xlsx => ("all.xlsx", "xlsx"),
        Form::Csv => ("csv/", "csv"),
        Form::Jsonl => ("jsonl/", "jsonl"),
    };
    let words = ["export", "--all", "-o", output, "--format", kind];
    let (code, summary) = account.json(&[&words[..], more].concat());
    assert_eq!(code, 0, "{summary}");
    let files = summary["files"].as_array().unwrap().iter();
    files.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_export_imports_unchanged() {
    let account = filled::account();
    let before = everything(&account);
    let rows = COLLECTIONS.len() * filled::RECORDS;
    // Every form with two of the three: what is written of a reference is the same text in each.
    for (skipped, form) in some_of(FORMS.into_iter().enumerate(), 1) {
        let kinds = ["both", "names", "only"].into_iter().enumerate().filter(|(kind, _)| *kind != skipped);
        for (_, ids) in kinds {
            let files = exported(&account, form, &["--ids", ids]);
            let (code, summary) = import(&account, &files, &["--blank", "clear"]);
            assert_eq!(code, 0, "{form:?} {ids}: {}", why(&account, &summary));
            assert_eq!(summary["counts"]["unchanged"], rows, "{form:?} {ids}: {}", why(&account, &summary));
        }
    }
    assert!(everything(&account) == before);
}

/// A value as a person would type it.
fn typing(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn an_edited_cell_updates_only_its_field() {
    for form in some_of(FORMS, 1) {
        let account = filled::account();
        let before = everything(&account);
        let mut export = export(&account);
        let mut edits = Vec::new();
        for (at, entity) in COLLECTIONS.iter().enumerate() {
            let fields = entity.updated_fields().filter(|field| field.kind != Kind::CustomFields);
            // The type of a category that is in use cannot change.
            let fields = fields.filter(|field| (entity.name, field.name) != ("categories", "type"));
            for (row, field) in fields.enumerate() {
                let held = &before[at].1[row][field.name];
                let sample = |number| match field.kind {
                    // A unique key; otherwise the row would be ambiguous.
                    Kind::Text(TextForm::Plain) if field.is_required() => json!(format!("=edited {number}")),
                    Kind::Text(TextForm::Email) => json!(format!("edited.{number}@example.com")),
                    _ => filled::sample(&account, entity, (row, field), number),
                };
                let means_nothing =
                    |value: &Value| ["<clear>", "n/a", "-", "?", "tbd"].contains(&typing(value).as_str());
                let value = (row + 1..).map(sample).find(|value| value != held && !means_nothing(value)).unwrap();
                let header = match field.kind {
                    // Alternate between id and name.
                    Kind::Reference(reference) if reference.wire == Wire::Id && row % 2 == 0 => {
                        field.name.replace("_id", "_name")
                    }
                    _ => field.name.to_owned(),
                };
                let mark = if header.ends_with("_name") && header != field.name { "#" } else { "" };
                export.sheet(entity.name).edit(row, &header, &format!("{mark}{}", typing(&value)));
                edits.push((at, row, field, value));
            }
        }
        let files = export.write(account.folder(), form);
        let (code, summary) = import(&account, &files, &[]);
        assert_eq!(code, 0, "{form:?}: {}", why(&account, &summary));
        assert_eq!(summary["counts"]["updated"], edits.len(), "{form:?}: {}", why(&account, &summary));
        let after = everything(&account);
        for (at, row, edited, value) in edits {
            let entity = COLLECTIONS[at];
            let (before, after) = (&before[at].1[row], &after[at].1[row]);
            assert_eq!(typing(&after[edited.name]), typing(&value).trim(), "{form:?} {} {}", entity.name, edited.name);
            // Rows that refer to the asset by its tag must follow.
            let is_tag = |field: &Field| field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag);
            for field in entity.updated_fields().filter(|field| field.name != edited.name && !is_tag(field)) {
                assert_eq!(after[field.name], before[field.name], "{form:?} {} {}", entity.name, field.name);
            }
        }
        // The second import finds everything as in the sheets; only edited ids still have the old name next to them.
        let (_, summary) = import(&account, &files, &[]);
        let conflicts = summary["problems"].as_array().unwrap().iter();
        // An old name that looks damaged is told as such.
        let is_old_name = |problem: &Value| {
            let is_told = ["record.conflict", "cell.damaged"].contains(&problem["code"].as_str().unwrap());
            is_told && problem["column"].as_str().unwrap().ends_with("_name")
        };
        assert!(conflicts.clone().all(is_old_name), "{}", why(&account, &summary));
        let conflicts: u64 = conflicts.map(|problem| problem["count"].as_u64().unwrap()).sum();
        assert_eq!(summary["counts"]["failed"], conflicts, "{}", why(&account, &summary));
        assert_eq!(summary["counts"]["updated"], 0, "{}", why(&account, &summary));
    }
}
