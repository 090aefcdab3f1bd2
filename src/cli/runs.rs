//! `tallyport runs`: the runs of this machine, from their journals.
//!
//! What became of a run that ended is what it said at its end. Where a process died, its journal is read row by row.

mod age;
mod list;
mod prune;
mod show;

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::args::{RunsArgs, RunsCommand};
use super::printer::Printer;
use super::settings::run_store;
use super::{Error, Exit};
use crate::account::AccountIdentity;
use crate::job::stored_summary;
use crate::plan::{ReportMode, RowCounts, RowStatus};
use crate::redact::shown_url;
use crate::report::summary;
use crate::run::journal::{Journal, LockState, RunHeader, RunOverview, RunPhase, Unfinished};
use crate::wording::{counted, thousands};

pub(super) fn run(args: &RunsArgs, printer: Printer) -> Result<Exit, Error> {
    let (shelf, now) = (run_store()?, Timestamp::now());
    match (&args.command, &args.run) {
        (Some(RunsCommand::Prune(args)), _) => prune::run(&shelf, args, now, printer),
        (None, Some(run)) => show::run(shelf.find(run)?, now, printer),
        (None, None) => list::run(&shelf.list()?, now, printer),
    }
}

/// A command that changes something takes the newest run only where that is asked for.
///
/// # Errors
/// Where no run is named.
pub(super) fn require_run(run: Option<&str>, is_last: bool, command: &str) -> Result<(), Error> {
    if run.is_some() || is_last {
        return Ok(());
    }
    let hint = "pass `--last` for the newest one, or a run id: `tallyport runs` lists them";
    Err(Error::usage(format!("`tallyport {command}` needs a run"), hint))
}

/// Where a journal lies.
#[derive(Debug, Clone, Copy)]
struct ListedJournal<'p> {
    path: &'p Path,
    bytes: u64,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Planning,
    Running,
    Finished,
    Stopped(String),
    /// Its process died, or the machine did.
    CutOff,
    /// Its process died while the plan was made.
    NeverBegun,
}

impl State {
    fn of(glance: &RunOverview) -> Self {
        match (glance.lock, glance.phase) {
            (LockState::Locked, RunPhase::Planning) => State::Planning,
            (LockState::Locked, RunPhase::Sending | RunPhase::Stopped | RunPhase::Finished) => State::Running,
            (LockState::Free, RunPhase::Planning) => State::NeverBegun,
            (LockState::Free, RunPhase::Sending) => State::CutOff,
            (LockState::Free, RunPhase::Stopped) => State::Stopped(glance.reason.clone().unwrap_or_default()),
            (LockState::Free, RunPhase::Finished) => State::Finished,
        }
    }

    /// What scripts see, and people with blanks.
    fn as_str(&self) -> &'static str {
        match self {
            State::Planning => "planning",
            State::Running => "running",
            State::Finished => "finished",
            State::Stopped(_) => "stopped",
            State::CutOff => "cut_off",
            State::NeverBegun => "never_begun",
        }
    }

    fn word(&self) -> String {
        self.as_str().replace('_', " ")
    }

    /// What its rows without an outcome are.
    fn unfinished(&self) -> Unfinished<'_> {
        match self {
            State::Stopped(reason) => Unfinished::Stopped(reason),
            State::CutOff => Unfinished::Stopped(self.reason().unwrap_or_default()),
            State::Planning | State::Running | State::Finished | State::NeverBegun => Unfinished::Open,
        }
    }

    /// What there is to say beside the word.
    fn reason(&self) -> Option<&str> {
        match self {
            State::Planning => Some("nothing is sent yet"),
            State::Stopped(reason) => Some(reason).filter(|reason| !reason.is_empty()).map(String::as_str),
            State::CutOff => Some("its process was killed, or the machine went down"),
            State::NeverBegun => Some("it was killed while its plan was made; nothing was sent"),
            State::Running | State::Finished => None,
        }
    }
}

/// How far the rows of a run are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Rows {
    /// Of the rows that have come to an end.
    counts: RowCounts,
    /// Rows without an outcome: still to be sent, or sent without an answer so far.
    open: u64,
    /// Those of them that the run is still going to send.
    to_go: u64,
}

impl Rows {
    fn of(path: &Path, glance: &RunOverview, state: &State) -> Result<Self, Error> {
        match state {
            State::Planning | State::NeverBegun => Ok(Self::default()),
            State::Finished => Ok(Self { counts: glance.totals.counts, open: 0, to_go: 0 }),
            State::Stopped(_) | State::CutOff | State::Running => {
                let journal = Journal::open_read_only(path)?;
                let summary = stored_summary(&journal, state.unfinished())?;
                let (counts, to_go) = (summary.counts(), summary.rows_left());
                let open = if *state == State::Running { to_go } else { counts.not_sent + journal.rows_in_flight()? };
                Ok(Self { counts, open, to_go })
            }
        }
    }

    /// `120 created, 3 failed, 14 rows to go`.
    fn sentence(self) -> String {
        let counts = self.counts.by_label(ReportMode::Done).into_iter().filter(|line| line.2 > 0);
        let mut parts: Vec<String> = counts.map(|(_, word, number)| format!("{} {word}", thousands(number))).collect();
        if self.to_go > 0 {
            parts.push(format!("{} to go", counted(self.to_go, "row")));
        }
        if parts.is_empty() { String::from("nothing sent") } else { parts.join(", ") }
    }
}

/// Whether the run did something that an undo could take back.
fn changed_something(rows: Rows) -> bool {
    [RowStatus::Created, RowStatus::Updated, RowStatus::Deleted].into_iter().any(|status| rows.counts.of(status) > 0)
}

/// `import of assets.xlsx`, `undo of 20261124-093012-kqzf`.
fn what(head: &RunHeader) -> String {
    let command = head.kind.command();
    let name = |file: &String| {
        Path::new(file).file_name().map_or_else(|| file.clone(), |name| name.to_string_lossy().into_owned())
    };
    match (&head.undoes, head.details.files.as_slice()) {
        (Some(undone), _) => format!("{command} of {undone}"),
        (None, []) => command.to_owned(),
        (None, [file]) => format!("{command} of {}", name(file)),
        (None, [file, rest @ ..]) => {
            format!("{command} of {} and {}", name(file), counted(rest.len() as u64, "other file"))
        }
    }
}

/// When it was, in the clock of the machine.
fn local_time(at: i64) -> String {
    let zone = jiff::tz::TimeZone::system();
    let local = Timestamp::from_millisecond(at).map(|at| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string());
    local.unwrap_or_default()
}

fn size_text(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

/// What the list tells of a run; the beginning of what `runs RUN` tells.
fn json_of(place: ListedJournal<'_>, glance: &RunOverview) -> Json {
    let state = State::of(glance);
    let rows = Rows::of(place.path, glance, &state);
    let (head, began) = (&glance.header, Timestamp::from_millisecond(glance.began).unwrap_or_default());
    let mut document = json!({
        "run_id": glance.header.id,
        "command": head.kind.command(),
        "state": state.as_str(),
        "reason": state.reason(),
        "began": began.to_string(),
        "files": head.details.files,
        "account": account_json(&head.account),
        "counts": rows.as_ref().ok().map(|rows| summary::counts_json(rows.counts)),
        "open": rows.as_ref().ok().map(|rows| rows.open),
        "bytes": place.bytes,
        "can_resume": glance.can_be_resumed() && glance.lock == LockState::Free,
        "undoes": head.undoes,
    });
    if let Err(error) = rows {
        document["error"] = json!(error.to_string());
    }
    document
}

fn account_json(account: &AccountIdentity) -> Json {
    match account {
        AccountIdentity::Service { base_url, tenant, profile } => {
            json!({"base_url": shown_url(base_url), "tenant": tenant, "profile": profile})
        }
        AccountIdentity::SandboxFile { path, tenant } => json!({"sandbox": path.to_string_lossy(), "tenant": tenant}),
        AccountIdentity::SandboxMemory => json!({"sandbox": null}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_leaves_out_what_there_is_none_of() {
        let counts = RowCounts { created: 1_120, failed: 3, ..RowCounts::default() };
        assert_eq!(Rows { counts, open: 14, to_go: 14 }.sentence(), "1,120 created, 3 failed, 14 rows to go");
        assert_eq!(Rows { counts, open: 0, to_go: 0 }.sentence(), "1,120 created, 3 failed");
        assert_eq!(Rows::default().sentence(), "nothing sent");
    }
}
