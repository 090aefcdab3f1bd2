//! The summary of a run for scripts.

use crate::plan::RunEstimate;
use serde_json::{Map, Value, json};

use super::super::change_tally::{ChangeExample, ChangeGroup};
use super::super::run_summary::{RunSummary, SheetSummary};
use super::super::tally::ProblemGroup;
use crate::plan::RowCounts;

/// The summary for scripts. Its keys are a contract; those of every run come first.
pub(crate) fn json(summary: &RunSummary) -> Value {
    let mut document = Map::new();
    document.insert("run_id".into(), json!(summary.run_id));
    match summary.sheets.as_slice() {
        [sheet] => document.insert("entity".into(), json!(sheet.entity)),
        sheets => document.insert("sheets".into(), sheets.iter().map(sheet_json).collect()),
    };
    document.insert("dry_run".into(), json!(summary.dry_run));
    document.insert("counts".into(), counts_json(summary.counts()));
    document.insert("requests".into(), json!({ "total": summary.requests.total, "by_kind": summary.requests.by_kind }));
    document.insert("seconds".into(), json!((summary.seconds * 1000.0).round() / 1000.0));
    document.insert("result".into(), json!(summary.result.as_ref().map(|path| path.to_string_lossy())));
    push_extras(&mut document, summary);
    Value::Object(document)
}

fn push_extras(document: &mut Map<String, Value>, summary: &RunSummary) {
    document.insert("command".into(), json!(summary.command.as_str()));
    document.insert("rows".into(), json!(summary.rows()));
    document.insert("files".into(), json!(summary.files));
    if let Some(planned) = &summary.planned {
        document.insert("plan".into(), plan_json(planned));
    }
    document.insert("problems".into(), summary.problems.groups().into_iter().map(group_json).collect());
    if summary.dry_run || !summary.changes.groups().is_empty() {
        document.insert("changes".into(), summary.changes.groups().iter().map(changes_json).collect());
    }
    if let [sheet] = summary.sheets.as_slice() {
        document.insert("ignored_columns".into(), ignored_json(sheet));
    }
    document.insert(
        "skipped_sheets".into(),
        summary.skipped_sheets.iter().map(|(sheet, reason)| json!({ "sheet": sheet, "reason": reason })).collect(),
    );
    document.insert("mapping".into(), json!(summary.mapping));
    document.insert("remarks".into(), json!(summary.remarks));
    document.insert("look_alikes".into(), json!(summary.look_alikes.groups));
    document.insert("stopped".into(), json!(summary.stopped));
    document.insert("next".into(), json!(summary.next));
}

fn sheet_json(sheet: &SheetSummary) -> Value {
    json!({
        "file": sheet.file,
        "sheet": sheet.sheet,
        "entity": sheet.entity,
        "rows": sheet.rows,
        "counts": counts_json(sheet.counts),
        "ignored_columns": ignored_json(sheet),
    })
}

/// The names alone: `mapping` has the reasons.
fn ignored_json(sheet: &SheetSummary) -> Value {
    sheet.ignored.iter().map(|column| json!(column.name)).collect()
}

/// The counts of rows; `deleted` only where there are some.
pub(crate) fn counts_json(counts: RowCounts) -> Value {
    let mut value = json!({
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "unknown": counts.unknown,
        "not_sent": counts.not_sent,
    });
    if counts.deleted > 0 {
        value["deleted"] = json!(counts.deleted);
    }
    value
}

fn plan_json(planned: &RunEstimate) -> Value {
    json!({
        "requests": planned.requests,
        "seconds": planned.seconds,
        "emails": planned.emails,
        "people": planned.people,
        "quota": planned.quota,
    })
}

fn changes_json(group: &ChangeGroup) -> Value {
    let example = |example: &ChangeExample| json!({ "cell": example.cell.to_string(), "row": example.row, "old": example.old, "new": example.new });
    json!({
        "sheet": group.sheet,
        "field": group.field,
        "count": group.count,
        "examples": group.examples.iter().map(example).collect::<Vec<_>>(),
    })
}

pub(crate) fn group_json(group: &ProblemGroup) -> Value {
    let examples: Vec<Value> = group
        .examples
        .iter()
        .map(|example| {
            json!({
                "cell": example.address(),
                "row": example.row,
                "found": example.found,
                "message": example.message,
                "hint": Some(&example.hint).filter(|hint| !hint.is_empty()),
            })
        })
        .collect();
    json!({
        "sheet": group.sheet,
        "code": group.code.as_str(),
        "title": group.code.title(),
        "column": group.header,
        "count": group.count,
        "examples": examples,
    })
}
