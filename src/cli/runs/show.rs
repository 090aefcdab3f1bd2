//! One run in full.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::json;

use super::{ListedJournal, Rows, State, age, changed_something, json_of, local_time, size_text, what};
use crate::cli::printer::{Printer, list_width};
use crate::cli::{Error, Exit};
use crate::job::{after_run, stored_summary};
use crate::report::{RunSummary, summary};
use crate::run::command_line::CommandLine;
use crate::run::journal::{AttemptCounts, Journal, RunDetails, RunKind, RunOverview, SourceFile, StoredRun};
use crate::terminal::{FAINT, STRONG};
use crate::wording::{counted, thousands};

pub(super) fn run(shelved: StoredRun, now: Timestamp, printer: Printer) -> Result<Exit, Error> {
    let StoredRun { path, bytes, overview: glance, .. } = shelved;
    let (glance, place) = (&glance?, ListedJournal { path: &path, bytes });
    let journal = Journal::open_read_only(&path)?;
    let state = State::of(glance);
    let rows = Rows::of(&path, glance, &state)?;
    let (attempts, under_way) = (journal.attempts()?, journal.rows_in_flight()?);
    let summary = summary_of(&journal, glance, &state, rows)?;
    if printer.json {
        let mut document = summary::json(&summary);
        if let (Some(document), Some(run)) = (document.as_object_mut(), json_of(place, glance).as_object()) {
            document.extend(run.clone());
            document.insert(String::from("attempts"), attempts_json(attempts));
            document.insert(String::from("unsettled"), json!(under_way));
            document.insert(String::from("journal"), json!(path.to_string_lossy()));
        }
        printer.document(&format!("{document}\n"))?;
    } else {
        printer.data(&head_text(place, glance, &state, rows, under_way, attempts, now))?;
        if !matches!(state, State::Planning | State::NeverBegun) {
            printer.fitted(&format!("\n{}", summary::text(&summary, list_width())))?;
        } else if state == State::NeverBegun {
            printer.data(&format!("  {FAINT}next     {FAINT:#} {STRONG}{}{STRONG:#}\n", begin_again(glance)))?;
        }
    }
    Ok(Exit::Success)
}

fn summary_of(journal: &Journal, glance: &RunOverview, state: &State, rows: Rows) -> Result<RunSummary, Error> {
    let mut summary = stored_summary(journal, state.unfinished())?;
    let id = &glance.header.id;
    summary.stopped = match state {
        State::Stopped(reason) => Some(reason.clone()),
        State::CutOff => state.reason().map(ToOwned::to_owned),
        State::Running => Some(String::from("still at work")),
        State::Planning | State::NeverBegun | State::Finished => None,
    };
    summary.next = match state {
        State::Stopped(_) | State::CutOff => vec![format!("tallyport resume {id}")],
        State::Finished if glance.can_be_resumed() => vec![format!("tallyport resume {id}")],
        State::Finished => {
            let result = summary.result.as_deref().filter(|path| path.exists());
            let mut next = after_run(&summary, &glance.header, true, result);
            if glance.header.kind != RunKind::Undo && changed_something(rows) {
                next.push(format!("tallyport undo {id}"));
            }
            next
        }
        State::NeverBegun => vec![begin_again(glance)],
        State::Planning | State::Running => Vec::new(),
    };
    Ok(summary)
}

fn begin_again(glance: &RunOverview) -> String {
    CommandLine::from_words(glance.header.details.typed.clone()).command(glance.header.kind.command(), &[])
}

fn head_text(
    place: ListedJournal<'_>,
    glance: &RunOverview,
    state: &State,
    rows: Rows,
    under_way: u64,
    attempts: AttemptCounts,
    now: Timestamp,
) -> String {
    let mut text = format!("{STRONG}Run {}{STRONG:#}: {}\n", glance.header.id, what(&glance.header));
    let mut say = |label: &str, value: &str| {
        let _ = writeln!(text, "  {FAINT}{label:<9}{FAINT:#} {value}");
    };
    let reason = state.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    say("state", &format!("{}{reason}", state.word()));
    if !matches!(state, State::Planning | State::NeverBegun) {
        say("rows", &rows.sentence());
    }
    if under_way > 0 {
        let fate =
            if *state == State::Running { "in flight" } else { "without a response; `resume` checks them first" };
        say("unsettled", &format!("{} {fate}", counted(under_way, "row")));
    }
    say("began", &format!("{}, {}", age::ago(now, glance.began), local_time(glance.began)));
    say("account", &glance.header.account.to_string());
    for file in files(&glance.header.details) {
        say("file", &file);
    }
    if let Some(attempts) = attempts_text(attempts) {
        say("attempts", &attempts);
    }
    say("journal", &format!("{}, {}", place.path.display(), size_text(place.bytes)));
    text
}

/// Every file, with whether it is as it was: a run needs none of them any more.
fn files(details: &RunDetails) -> Vec<String> {
    let told = details.sources.iter().map(|source| {
        let change = match SourceFile::of(&source.path) {
            None => "no longer there",
            Some(now) if now != *source => "changed since",
            Some(_) => "as it was",
        };
        format!("{}, {change}", source.path.display())
    });
    told.collect()
}

/// `1,204, of which 3 without an answer`; none where nothing was sent.
fn attempts_text(attempts: AttemptCounts) -> Option<String> {
    let mut text = thousands(attempts.total);
    let parts = [(attempts.unanswered, "without an answer"), (attempts.refused, "answered with an error")];
    let parts: Vec<String> =
        parts.iter().filter(|part| part.0 > 0).map(|(number, how)| format!("{} {how}", thousands(*number))).collect();
    if !parts.is_empty() {
        let _ = write!(text, ", of which {}", parts.join(" and "));
    }
    (attempts.total > 0).then_some(text)
}

fn attempts_json(attempts: AttemptCounts) -> serde_json::Value {
    json!({"total": attempts.total, "unanswered": attempts.unanswered, "refused": attempts.refused})
}
