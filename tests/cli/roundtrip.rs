//! What was exported comes in again: unedited it changes nothing, edited cells become updates of just those fields.

mod exported;
mod filled;

use serde_json::Value;

use crate::rehearsal::Rehearsal;
use exported::{Export, FORMS, Form};
use tallyport::schema::COLLECTIONS;

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
