//! What was exported comes in again: unedited it changes nothing, edited cells become updates of just those fields.

mod edits;
mod exported;
mod filled;
mod odd;

use serde_json::{Value, json};

use crate::rehearsal::Rehearsal;
use exported::{Export, FORMS, Form};
use tallyport::schema::{COLLECTIONS, Field, Kind, TextForm, Wire};

fn export(account: &Rehearsal) -> Export {
    Export::of(&|collection| account.records(collection))
}

/// Everything the account holds.
fn everything(account: &Rehearsal) -> Vec<(&'static str, Vec<Value>)> {
    COLLECTIONS.iter().map(|entity| (entity.name, account.records(entity.name))).collect()
}

/// Imports the files with more words after them.
fn import(account: &Rehearsal, files: &[String], more: &[&str]) -> (i32, Value) {
    let words: Vec<&str> = ["import"].into_iter().chain(files.iter().map(String::as_str)).collect();
    account.json(&[&words[..], more].concat())
}

/// The words of a summary for a test that fails.
fn why(account: &Rehearsal, summary: &Value) -> String {
    format!("{}\n{}", summary["counts"], serde_json::to_string_pretty(&summary["problems"]).unwrap_or_default())
        + &account.folder().display().to_string()
}

#[test]
fn unedited_sheets_of_every_collection_change_nothing() {
    let account = filled::account();
    let before = everything(&account);
    let export = export(&account);
    assert_eq!(export.sheets.len(), COLLECTIONS.len());
    let rows = COLLECTIONS.len() * filled::RECORDS;
    for form in FORMS {
        let files = export.write(account.folder(), form);
        for more in [&[][..], &["--blank", "clear"], &["--mode", "update"], &["--create-missing"]] {
            let (code, summary) = import(&account, &files, more);
            assert_eq!(code, 0, "{form:?} {more:?}: {}", why(&account, &summary));
            assert_eq!(summary["counts"]["unchanged"], rows, "{form:?} {more:?}: {}", why(&account, &summary));
            let kinds = summary["requests"]["by_kind"].as_object().unwrap();
            assert!(kinds.keys().all(|kind| kind.starts_with("GET ")), "{kinds:?}");
        }
    }
    assert!(everything(&account) == before);
}

/// The files of a real export, given the form.
fn exported(account: &Rehearsal, form: Form, more: &[&str]) -> Vec<String> {
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
fn what_export_writes_comes_back_as_it_is() {
    let account = filled::account();
    let before = everything(&account);
    let rows = COLLECTIONS.len() * filled::RECORDS;
    for form in FORMS {
        for ids in ["both", "names", "only"] {
            let files = exported(&account, form, &["--ids", ids]);
            let (code, summary) = import(&account, &files, &["--blank", "clear"]);
            assert_eq!(code, 0, "{form:?} {ids}: {}", why(&account, &summary));
            assert_eq!(summary["counts"]["unchanged"], rows, "{form:?} {ids}: {}", why(&account, &summary));
        }
    }
    assert!(everything(&account) == before);
}

/// What a person types for a value.
fn typing(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn each_field_of_every_collection_is_updated_alone() {
    for form in FORMS {
        let account = filled::account();
        let before = everything(&account);
        let mut export = export(&account);
        let mut edits = Vec::new();
        for (at, entity) in COLLECTIONS.iter().enumerate() {
            let fields = entity.updated_fields().filter(|field| field.kind != Kind::CustomFields);
            // A category keeps its type while it is used.
            let fields = fields.filter(|field| (entity.name, field.name) != ("categories", "type"));
            for (row, field) in fields.enumerate() {
                let held = &before[at].1[row][field.name];
                let sample = |number| match field.kind {
                    // A key that no other record has: which one is meant would be a question.
                    Kind::Text(TextForm::Plain) if field.is_required() => json!(format!("=edited {number}")),
                    Kind::Text(TextForm::Email) => json!(format!("edited.{number}@example.com")),
                    _ => filled::sample(&account, entity, (row, field), number),
                };
                let means_nothing =
                    |value: &Value| ["<clear>", "n/a", "-", "?", "tbd"].contains(&typing(value).as_str());
                let value = (row + 1..).map(sample).find(|value| value != held && !means_nothing(value)).unwrap();
                let header = match field.kind {
                    // By its id in one row, by its name in the next.
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
            // Whatever names an asset by its tag follows it.
            let is_tag = |field: &Field| field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag);
            for field in entity.updated_fields().filter(|field| field.name != edited.name && !is_tag(field)) {
                assert_eq!(after[field.name], before[field.name], "{form:?} {} {}", entity.name, field.name);
            }
        }
        // Again: everything is as the sheets say, but an id that was edited has an old name beside it.
        let (_, summary) = import(&account, &files, &[]);
        let conflicts = summary["problems"].as_array().unwrap().iter();
        let is_old_name = |problem: &Value| {
            problem["code"] == "record.conflict" && problem["column"].as_str().unwrap().ends_with("_name")
        };
        assert!(conflicts.clone().all(is_old_name), "{}", why(&account, &summary));
        let conflicts: u64 = conflicts.map(|problem| problem["count"].as_u64().unwrap()).sum();
        assert_eq!(summary["counts"]["failed"], conflicts, "{}", why(&account, &summary));
        assert_eq!(summary["counts"]["updated"], 0, "{}", why(&account, &summary));
    }
}
