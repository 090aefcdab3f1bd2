//! Builds the outcome of a step, as the journal stores it.

use super::unresolved_steps::{Doubt, UnresolvedStep};
use crate::api::{Body, Record, WriteFailure};
use crate::check::{Code, Problem, ValueError};
use crate::mapping::TimestampColumn;
use crate::plan::{Step, StepOutcome, StepResult, StepRole, WriteKind};
use crate::run::journal::SheetHeader;

/// A step that was applied.
pub(super) fn applied(step: &Step, id: Option<i64>, record: Option<&Record>) -> StepOutcome {
    let record_id = match step.write {
        WriteKind::Create => id,
        WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
    };
    let after = record.map(|record| match step.write {
        WriteKind::Create => fields_set_by_service(step, record),
        WriteKind::Update(_) | WriteKind::Delete(_) => update_time(record),
    });
    StepOutcome { record: record_id, after, ..outcome(step, StepResult::Applied) }
}

/// A step that the service rejected. What it says about a field is shown in that field's column of `sheet`.
pub(super) fn rejected(step: &Step, failure: &WriteFailure, sheet: Option<&SheetHeader>) -> StepOutcome {
    let problems = match step.role {
        StepRole::Dependency => vec![dependency_problem(&failure.message)],
        StepRole::Row if matches!(step.write, WriteKind::Delete(_)) => vec![delete_problem(failure)],
        StepRole::Row if failure.fields.is_empty() => {
            vec![row_problem(Code::ServiceRefused, &failure.message, "correct what the service names")]
        }
        StepRole::Row => {
            let problem = |(field, message): &(String, String)| field_problem(sheet, field, message);
            failure.fields.iter().map(problem).collect()
        }
    };
    StepOutcome { problems, ..outcome(step, StepResult::Failed) }
}

/// A step that something in front of the service blocks, while others pass.
pub(super) fn blocked(step: &Step, failure: &WriteFailure) -> StepOutcome {
    let hint = "send the row again; if it fails again, a firewall takes something in a cell for an attack: shorten long \
                texts, or ask your network's administrator";
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&failure.message),
        StepRole::Row => row_problem(Code::ServiceRefused, &failure.message, hint),
    };
    StepOutcome { problems: vec![problem], ..outcome(step, StepResult::Failed) }
}

/// A step that was sent several times and surely not applied.
pub(super) fn gave_up(unresolved: &UnresolvedStep, sends: u32) -> StepOutcome {
    let (step, cause) = (&unresolved.step, &unresolved.cause);
    let message = format!("sent {sends} times and not applied: {cause}");
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&message),
        StepRole::Row => row_problem(Code::ServiceUnreachable, &message, "send the row again"),
    };
    StepOutcome { problems: vec![problem], ..outcome(step, StepResult::Failed) }
}

/// A step that was not sent because a dependency failed.
pub(super) fn dependency_failed(step: &Step, reason: &str) -> StepOutcome {
    let hint = "see the row that creates it, then send this row again";
    let problems = match step.role {
        // The row's own step reports it.
        StepRole::Dependency => Vec::new(),
        StepRole::Row => vec![row_problem(Code::NameFailed, reason, hint)],
    };
    StepOutcome { problems, ..outcome(step, StepResult::Failed) }
}

/// An unresolved step that turned out to be applied. Whoever did it, the row has what it asked for.
pub(super) fn found_applied(unresolved: &UnresolvedStep, id: Option<i64>, record: Option<&Record>) -> StepOutcome {
    let step = &unresolved.step;
    if unresolved.was_sent() {
        return applied(step, id, record);
    }
    let message = match unresolved.doubt {
        Doubt::OtherRun | Doubt::Abandoned => unresolved.cause.clone(),
        _ => String::from("it already existed when the run was resumed"),
    };
    StepOutcome { record: id, message, ..outcome(step, StepResult::AlreadyApplied) }
}

/// An unresolved step of which the service does not show whether it was applied.
pub(super) fn indeterminate(unresolved: &UnresolvedStep, where_to_look: &str) -> StepOutcome {
    let step = &unresolved.step;
    let message = format!("{}; {where_to_look}", unresolved.cause);
    let (result, code, hint) = if unresolved.was_sent() {
        (StepResult::Unknown, Code::ServiceUnknown, "check whether it exists before you send it again")
    } else if matches!(unresolved.doubt, Doubt::OtherRun | Doubt::Abandoned) {
        (StepResult::Failed, Code::RecordConflict, "import the row again: what is there now is then compared with it")
    } else {
        (StepResult::Failed, Code::RecordExists, "compare it, and send the row again if it is a different record")
    };
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&message),
        StepRole::Row => row_problem(code, &message, hint),
    };
    StepOutcome { problems: vec![problem], ..outcome(step, result) }
}

/// A step that another run of this machine has done, exactly so.
pub(super) fn done_by_other_run(step: &Step, run: &str, record: Option<i64>) -> StepOutcome {
    let message = format!("done by run {run} at the same time");
    let record = step.write.record().or(record);
    StepOutcome { record, message, ..outcome(step, StepResult::AlreadyApplied) }
}

/// A create that is not sent because another run has made the record, and the run updates nothing.
pub(super) fn made_by_other_run(step: &Step, run_says: &str, record: i64) -> StepOutcome {
    let message = format!("record already exists: #{record}; {run_says}");
    let hint = "leave the row out, or use --mode upsert to update it";
    StepOutcome { problems: vec![row_problem(Code::RecordExists, &message, hint)], ..outcome(step, StepResult::Failed) }
}

/// A step that is not sent because another run is writing the record, and the user does not want to wait.
pub(super) fn held_by_other_run(step: &Step, run: &str) -> StepOutcome {
    let message = format!("run {run} is writing this record");
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&message),
        StepRole::Row => row_problem(
            Code::RecordBusy,
            &message,
            "import the row again when that run has ended, or without --no-wait",
        ),
    };
    StepOutcome { problems: vec![problem], ..outcome(step, StepResult::Failed) }
}

/// A step that was sent twice and applied twice: these other records hold what it sent.
pub(super) fn duplicated(step: &Step, applied: StepOutcome, others: &[i64]) -> StepOutcome {
    let ids = applied.record.iter().chain(others).map(|id| format!("`#{id}`"));
    let message = format!(
        "exists more than once: {} {}; the service applied a request whose response was lost after it was sent again",
        step.entity.name,
        ids.collect::<Vec<_>>().join(" and ")
    );
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&message),
        StepRole::Row => row_problem(Code::ServiceUnknown, &message, "delete all but one of them"),
    };
    StepOutcome { result: StepResult::Unknown, problems: vec![problem], ..applied }
}

fn outcome(step: &Step, result: StepResult) -> StepOutcome {
    let (record, after, message, problems) = (None, None, String::new(), Vec::new());
    StepOutcome { step: step.number, result, record, after, message, problems }
}

/// The fields of a new record that were not sent: they show undo whether someone has changed the record since.
fn fields_set_by_service(step: &Step, record: &Record) -> Body {
    let fields = step.entity.updated_fields().filter(|field| !step.body.contains_key(field.name));
    fields.filter_map(|field| Some((field.name.to_owned(), record.get(field.name)?.clone()))).collect()
}

/// The time of the update. The result shows it, so that an import of the result sees no conflict with this run.
fn update_time(record: &Record) -> Body {
    let name = TimestampColumn::Updated.name();
    record.get(name).map(|time| (name.to_owned(), time.clone())).into_iter().collect()
}

/// A delete sends no fields: what the service says about fields concerns the record as a whole.
fn delete_problem(failure: &WriteFailure) -> Problem {
    let reasons: Vec<&str> = failure.fields.iter().map(|(_, reason)| reason.as_str()).collect();
    let reason = if reasons.is_empty() { failure.message.clone() } else { reasons.join("; ") };
    let message = format!("cannot be deleted: {reason}");
    row_problem(Code::ServiceRefused, &message, "see what still uses the record, then delete it again")
}

fn field_problem(sheet: Option<&SheetHeader>, field: &str, message: &str) -> Problem {
    let message = format!("the service rejected `{field}`: {message}");
    let column = sheet.and_then(|sheet| sheet.column_of(field));
    ValueError::new(Code::ServiceRefused, message, "correct the cell").at(column, "")
}

/// A problem with a record that the row names. Its fields are not the row's, so no cell is at fault.
fn dependency_problem(message: &str) -> Problem {
    row_problem(Code::NameFailed, message, "create the record by itself, then send this row again")
}

fn row_problem(code: Code, message: &str, hint: &'static str) -> Problem {
    ValueError::new(code, message.to_owned(), hint).at(None, "")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::RowId;
    use crate::schema;

    #[test]
    fn of_a_new_record_what_was_not_sent_is_kept() {
        let record = json!({"id": 7, "asset_id": "A-1", "notes": "one", "status_id": 3, "location_id": null, "odd": 1,
            "updated_at": "2026-02-02T08:00:00.000Z"});
        let record = record.as_object().unwrap();
        let applied_as = |write: WriteKind| {
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, schema::find("assets").unwrap(), write);
            let body = json!({"asset_id": "A-1", "notes": "one"});
            let step = Step { body: body.as_object().cloned().unwrap(), ..step };
            applied(&step, Some(7), Some(record))
        };
        let created = applied_as(WriteKind::Create);
        assert_eq!((created.record, created.result), (Some(7), StepResult::Applied));
        assert_eq!(serde_json::Value::from(created.after.unwrap()), json!({"status_id": 3, "location_id": null}));
        let updated = applied_as(WriteKind::Update(9));
        assert_eq!(updated.record, Some(9));
        assert_eq!(serde_json::Value::from(updated.after.unwrap()), json!({"updated_at": "2026-02-02T08:00:00.000Z"}));
    }
}
