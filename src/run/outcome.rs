//! Builds the outcome of a step, as the journal stores it.

use super::unresolved_steps::{Doubt, UnresolvedStep};
use crate::api::{Body, Record, WriteFailure};
use crate::check::{Code, Problem, ValueError};
use crate::mapping::TimestampColumn;
use crate::plan::{Step, StepOutcome, StepResult, StepRole, WriteKind};
use crate::run::journal::SheetHeader;
use crate::run::reconcile::quoted;

const CORRECT: &str = "correct what the service names";

/// A step that was applied.
pub(super) fn applied(step: &Step, id: Option<i64>, record: Option<&Record>) -> StepOutcome {
    let record_id = match step.write {
        WriteKind::Create => id,
        WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
    };
    let after = record.map(|record| match step.write {
        WriteKind::Create if step.entity.is_collection() => fields_set_by_service(step, record),
        // The record is what an action moves.
        WriteKind::Create | WriteKind::Update(_) | WriteKind::Delete(_) => update_time(record),
    });
    StepOutcome { record: record_id, after, ..outcome(step, StepResult::Applied) }
}

/// A step that the service rejected. What it says about a field is shown in that field's column of `sheet`.
pub(super) fn rejected(step: &Step, failure: &WriteFailure, sheet: Option<&SheetHeader>) -> StepOutcome {
    let problems = match step.role {
        StepRole::Dependency => vec![dependency_problem(&failure.message)],
        StepRole::Row if matches!(step.write, WriteKind::Delete(_)) => vec![delete_problem(failure)],
        StepRole::Row if failure.fields.is_empty() => {
            vec![row_problem(Code::ServiceRefused, &failure.message, CORRECT)]
        }
        StepRole::Row => {
            let problem = |(field, message): &(String, String)| field_problem(sheet, field, message);
            failure.fields.iter().map(problem).collect()
        }
    };
    StepOutcome { problems, ..outcome(step, StepResult::Failed) }
}

/// A step that is blocked or forbidden, while others pass.
pub(super) fn blocked(step: &Step, failure: &WriteFailure) -> StepOutcome {
    let hint = match failure.is_forbidden() {
        true => "change the record where it is managed, or leave the row out; or use a key with this permission",
        false => {
            "send the row again; if it fails again, a firewall takes something in a cell for an attack: shorten long \
             texts, or ask your network's administrator"
        }
    };
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&failure.message),
        StepRole::Row => row_problem(Code::ServiceRefused, &failure.message, hint),
    };
    StepOutcome { problems: vec![problem], ..outcome(step, StepResult::Failed) }
}

/// An update that the service reported as done, of which it ignored some or all fields. Each is shown in its column of
/// `sheet`.
pub(super) fn ignored(unresolved: &UnresolvedStep, result: StepResult, sheet: Option<&SheetHeader>) -> StepOutcome {
    let step = &unresolved.step;
    let still = |name: &str| quoted(step.before.as_ref().and_then(|before| before.get(name)));
    let problem = |name: &&str| {
        let message = format!("the service reported success, but `{name}` is still {}", still(name));
        let hint = "look at the record: the service may not change this field, or not to this value";
        match step.role {
            StepRole::Dependency => dependency_problem(&message),
            StepRole::Row => {
                let column = sheet.and_then(|sheet| sheet.column_of(name));
                ValueError::new(Code::ServiceRefused, message, hint).at(column, "")
            }
        }
    };
    let problems = unresolved.kept.iter().map(problem).collect();
    StepOutcome { record: step.write.record(), problems, ..outcome(step, result) }
}

/// A step that was sent several times and surely not applied.
pub(super) fn gave_up(unresolved: &UnresolvedStep, sends: u32) -> StepOutcome {
    let (step, cause) = (&unresolved.step, &unresolved.cause);
    let (code, message, hint) = if unresolved.is_server_error() {
        let message = format!("the service responded {sends} times with a {cause}");
        let hint = "correct what the service names, or send the row again later; if it fails again, give the message to \
                    the service's support";
        (Code::ServiceRefused, message, hint)
    } else {
        let message = format!("sent {sends} times and not applied: {cause}");
        (Code::ServiceUnreachable, message, "send the row again")
    };
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&message),
        StepRole::Row => row_problem(code, &message, hint),
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

/// A step that was not sent because its item's tag was given to another.
pub(super) fn item_replaced(step: &Step, tag: &str) -> StepOutcome {
    let message = format!("`{tag}` is the tag of another record since the run was stopped");
    let problem = match step.role {
        StepRole::Dependency => dependency_problem(&message),
        StepRole::Row => row_problem(Code::RecordConflict, &message, "correct the tag, and import the row again"),
    };
    StepOutcome { problems: vec![problem], ..outcome(step, StepResult::Failed) }
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
    } else if unresolved.doubt != Doubt::ExternalChange || step.write != WriteKind::Create {
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

/// An action that was looked for, and that another run of this machine has done, exactly so.
pub(super) fn found_done_by_other_run(step: &Step, run: &str) -> StepOutcome {
    let message = format!("done by run {run} after this run was planned");
    StepOutcome { message, ..outcome(step, StepResult::AlreadyApplied) }
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

/// What the service said about a field; with an empty name, about the row. A field within another one is named as in
/// `asset.name`.
fn field_problem(sheet: Option<&SheetHeader>, field: &str, message: &str) -> Problem {
    if field.is_empty() {
        return row_problem(Code::ServiceRefused, message, CORRECT);
    }
    let message = format!("the service rejected `{field}`: {message}");
    let column = sheet.and_then(|sheet| field.rsplit('.').find_map(|name| sheet.column_of(name)));
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
    use crate::api::{FailureScope, WriteOutcome};
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

    fn step_of(role: StepRole, write: WriteKind) -> Step {
        Step::new(3, RowId { sheet: 0, row: 2 }, role, schema::find("assets").unwrap(), write)
    }

    fn failure(fields: &[(&str, &str)]) -> WriteFailure {
        WriteFailure {
            outcome: WriteOutcome::Refused,
            status: Some(422),
            message: String::from("no way"),
            fields: fields.iter().map(|(field, said)| ((*field).to_owned(), (*said).to_owned())).collect(),
            scope: FailureScope::Row,
            cause: None,
        }
    }

    /// How a step ended: its result, then each problem as `code column: message (hint)`.
    fn told(outcome: &StepOutcome) -> Vec<String> {
        let problem = |problem: &Problem| {
            let column = problem.column.map_or_else(|| String::from("-"), |column| column.to_string());
            format!("{} {column}: {} ({})", problem.code().as_str(), problem.error.message, problem.error.hint())
        };
        assert_eq!(outcome.step, 3);
        std::iter::once(format!("{:?}", outcome.result)).chain(outcome.problems.iter().map(problem)).collect()
    }

    const ALONE: &str = "(create the record by itself, then send this row again)";

    #[test]
    fn what_the_service_rejects_is_shown_where_it_can_be_corrected() {
        let sheet = SheetHeader {
            fields: vec![(String::from("notes"), 4)],
            ..SheetHeader::without_columns(schema::find("assets").unwrap())
        };
        let told = |role, write, fields: &[(&str, &str)]| {
            told(&rejected(&step_of(role, write), &failure(fields), Some(&sheet)))
        };
        let fields = [("notes", "too long"), ("odd", "unknown")];
        assert_eq!(
            told(StepRole::Row, WriteKind::Create, &fields),
            [
                "Failed",
                "service.refused 4: the service rejected `notes`: too long (correct the cell)",
                "service.refused -: the service rejected `odd`: unknown (correct the cell)",
            ]
        );
        assert_eq!(
            told(StepRole::Row, WriteKind::Update(1), &[]),
            ["Failed", "service.refused -: no way (correct what the service names)"]
        );
        let delete = "(see what still uses the record, then delete it again)";
        assert_eq!(
            told(StepRole::Row, WriteKind::Delete(1), &fields),
            ["Failed", &format!("service.refused -: cannot be deleted: too long; unknown {delete}")]
        );
        assert_eq!(
            told(StepRole::Row, WriteKind::Delete(1), &[]),
            ["Failed", &format!("service.refused -: cannot be deleted: no way {delete}")]
        );
        for write in [WriteKind::Create, WriteKind::Delete(1)] {
            assert_eq!(
                told(StepRole::Dependency, write, &fields),
                ["Failed", &format!("name.failed -: no way {ALONE}")]
            );
        }
        assert_eq!(
            told(StepRole::Row, WriteKind::Create, &[("asset.notes", "too long"), ("", "not so late")])[1..],
            [
                "service.refused 4: the service rejected `asset.notes`: too long (correct the cell)",
                "service.refused -: not so late (correct what the service names)",
            ]
        );
        let somewhere = rejected(&step_of(StepRole::Row, WriteKind::Create), &failure(&fields[..1]), None);
        assert_eq!(somewhere.problems[0].column, None);
    }

    #[test]
    fn a_step_that_is_blocked_given_up_or_waits_in_vain_has_failed() {
        let (row, part) = (step_of(StepRole::Row, WriteKind::Create), step_of(StepRole::Dependency, WriteKind::Create));
        let firewall = told(&blocked(&row, &failure(&[])));
        assert_eq!(firewall[0], "Failed");
        assert!(
            firewall[1].starts_with("service.refused -: no way (send the row again; if it fails again, a firewall")
        );
        assert_eq!(told(&blocked(&part, &failure(&[]))), ["Failed", &format!("name.failed -: no way {ALONE}")]);

        let lost =
            |step: &Step| UnresolvedStep::new(step.clone(), Doubt::LostResponse(None), String::from("no answer"));
        let message = "sent 6 times and not applied: no answer";
        let unreachable = format!("service.unreachable -: {message} (send the row again)");
        assert_eq!(told(&gave_up(&lost(&row), 6)), ["Failed", unreachable.as_str()]);
        assert_eq!(told(&gave_up(&lost(&part), 6)), ["Failed", &format!("name.failed -: {message} {ALONE}")]);

        let error = |step: &Step| {
            UnresolvedStep::new(step.clone(), Doubt::LostResponse(Some(500)), String::from("server error: boom"))
        };
        let message = "the service responded 36 times with a server error: boom";
        let refused = format!(
            "service.refused -: {message} (correct what the service names, or send the row again later; if it fails \
             again, give the message to the service's support)"
        );
        assert_eq!(told(&gave_up(&error(&row), 36)), ["Failed", refused.as_str()]);
        assert_eq!(told(&gave_up(&error(&part), 36)), ["Failed", &format!("name.failed -: {message} {ALONE}")]);

        let failed = "name.failed -: why (see the row that creates it, then send this row again)";
        assert_eq!(told(&dependency_failed(&row, "why")), ["Failed", failed]);
        assert_eq!(told(&dependency_failed(&part, "why")), ["Failed"], "the row's own step reports it");

        let busy = "(import the row again when that run has ended, or without --no-wait)";
        let message = "run r is writing this record";
        assert_eq!(told(&held_by_other_run(&row, "r")), ["Failed", &format!("record.busy -: {message} {busy}")]);
        assert_eq!(told(&held_by_other_run(&part, "r")), ["Failed", &format!("name.failed -: {message} {ALONE}")]);
    }

    #[test]
    fn what_is_found_applied_was_the_runs_own_only_if_it_was_sent() {
        let row = step_of(StepRole::Row, WriteKind::Create);
        let found = |doubt| {
            let unresolved = UnresolvedStep::new(row.clone(), doubt, String::from("cause"));
            let outcome = found_applied(&unresolved, Some(7), None);
            assert_eq!((outcome.record, outcome.problems.len()), (Some(7), 0));
            (outcome.result, outcome.message)
        };
        for doubt in [Doubt::LostResponse(Some(500)), Doubt::ReportedFailure, Doubt::MissingId, Doubt::OutdatedLook] {
            assert_eq!(found(doubt), (StepResult::Applied, String::new()), "{doubt:?}");
        }
        for doubt in [Doubt::OtherRun, Doubt::Abandoned] {
            assert_eq!(found(doubt), (StepResult::AlreadyApplied, String::from("cause")), "{doubt:?}");
        }
        let message = String::from("it already existed when the run was resumed");
        assert_eq!(found(Doubt::ExternalChange), (StepResult::AlreadyApplied, message));
    }

    #[test]
    fn what_cannot_be_told_is_unknown_only_if_it_was_sent() {
        let ended = |role, doubt| {
            let unresolved = UnresolvedStep::new(step_of(role, WriteKind::Create), doubt, String::from("cause"));
            told(&indeterminate(&unresolved, "look there"))
        };
        let row = |result: &str, code: &str, hint: &str| {
            vec![result.to_owned(), format!("{code} -: cause; look there ({hint})")]
        };
        assert_eq!(
            ended(StepRole::Row, Doubt::LostResponse(None)),
            row("Unknown", "service.unknown", "check whether it exists before you send it again")
        );
        for doubt in [Doubt::OtherRun, Doubt::Abandoned] {
            let hint = "import the row again: what is there now is then compared with it";
            assert_eq!(ended(StepRole::Row, doubt), row("Failed", "record.conflict", hint), "{doubt:?}");
        }
        let hint = "compare it, and send the row again if it is a different record";
        assert_eq!(ended(StepRole::Row, Doubt::ExternalChange), row("Failed", "record.exists", hint));
        let part = format!("name.failed -: cause; look there {ALONE}");
        assert_eq!(ended(StepRole::Dependency, Doubt::MissingId), ["Unknown", part.as_str()]);
        assert_eq!(ended(StepRole::Dependency, Doubt::OtherRun), ["Failed", part.as_str()]);
    }

    #[test]
    fn what_the_service_ignored_is_shown_in_its_cell() {
        let sheet = SheetHeader {
            fields: vec![(String::from("notes"), 4)],
            ..SheetHeader::without_columns(schema::find("assets").unwrap())
        };
        let mut step = step_of(StepRole::Row, WriteKind::Update(9));
        step.before = json!({"notes": "old", "location_id": 7}).as_object().cloned();
        let unresolved = UnresolvedStep::kept_values(step, vec!["notes", "location_id"]);
        assert!(unresolved.was_sent());
        let ended = ignored(&unresolved, StepResult::Failed, Some(&sheet));
        let hint = "(look at the record: the service may not change this field, or not to this value)";
        let said = |place: &str, name: &str, value: &str| {
            format!("service.refused {place}: the service reported success, but `{name}` is still {value} {hint}")
        };
        assert_eq!(ended.record, Some(9));
        let told = told(&ended);
        assert_eq!(told, ["Failed".to_owned(), said("4", "notes", "`old`"), said("-", "location_id", "`7`")]);
    }

    #[test]
    fn what_another_run_did_is_told_with_its_name() {
        let (create, update) =
            (step_of(StepRole::Row, WriteKind::Create), step_of(StepRole::Row, WriteKind::Update(9)));
        let done = done_by_other_run(&create, "r", Some(7));
        assert_eq!(
            (done.record, done.result, done.message.as_str()),
            (Some(7), StepResult::AlreadyApplied, "done by run r at the same time")
        );
        assert_eq!(done_by_other_run(&update, "r", Some(7)).record, Some(9));
        let made = made_by_other_run(&create, "run r made it", 7);
        assert_eq!(
            (told(&made), made.record),
            (
                vec![
                    String::from("Failed"),
                    String::from(
                        "record.exists -: record already exists: #7; run r made it (leave the row out, or use --mode \
                         upsert to update it)"
                    )
                ],
                None
            )
        );
    }

    #[test]
    fn what_was_applied_twice_names_all_of_them() {
        for (role, code, hint) in [
            (StepRole::Row, "service.unknown", "(delete all but one of them)"),
            (StepRole::Dependency, "name.failed", ALONE),
        ] {
            let step = step_of(role, WriteKind::Create);
            let twice = duplicated(&step, applied(&step, Some(7), None), &[8, 9]);
            let message = "exists more than once: assets `#7` and `#8` and `#9`; the service applied a request whose \
                           response was lost after it was sent again";
            assert_eq!(
                (told(&twice), twice.record),
                (vec![String::from("Unknown"), format!("{code} -: {message} {hint}")], Some(7))
            );
        }
    }

    #[test]
    fn a_delete_keeps_the_id_of_what_is_gone() {
        let gone = applied(&step_of(StepRole::Row, WriteKind::Delete(4)), None, None);
        assert_eq!((gone.record, gone.result, gone.after), (Some(4), StepResult::Applied, None));
    }
}
