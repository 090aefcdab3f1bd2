//! Every run, the newest first.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{JournalFile, Rows, State, age, json_of, local_time, size_text, what};
use crate::cli::printer::{FAINT, GOOD, Printer, STRONG, WARNING};
use crate::cli::{Error, Exit};
use crate::run::journal::{RunOverview, StoredRun};

pub(super) fn run(runs: &[StoredRun], now: Timestamp, printer: Printer) -> Result<Exit, Error> {
    if printer.json {
        let runs: Vec<Json> = runs.iter().map(json_line).collect();
        printer.data(&format!("{}\n", json!({ "runs": runs })))?;
    } else {
        printer.data(&text(runs, now))?;
    }
    Ok(Exit::Success)
}

fn json_line(shelved: &StoredRun) -> Json {
    match &shelved.overview {
        Ok(glance) => json_of(JournalFile { path: &shelved.path, bytes: shelved.bytes }, glance),
        Err(error) => json!({
            "run_id": shelved.id,
            "state": "unreadable",
            "error": error.to_string(),
            "bytes": shelved.bytes,
            "can_resume": false,
        }),
    }
}

/// A run on the terminal: a line of columns and a line of words.
struct Line {
    columns: [String; 6],
    is_open: bool,
    words: String,
}

fn text(runs: &[StoredRun], now: Timestamp) -> String {
    if runs.is_empty() {
        return String::from(
            "No runs yet. `tallyport import` makes one, unless it is a dry run or goes to a sandbox in memory.\n",
        );
    }
    let several_accounts = has_several_accounts(runs);
    let lines: Vec<Line> = runs.iter().map(|shelved| line(shelved, several_accounts, now)).collect();
    let header = ["run", "what", "state", "began", "", "size"].map(ToOwned::to_owned);
    let width = |column: usize| {
        let cells = lines.iter().map(|line| &line.columns).chain([&header]);
        cells.map(|columns| columns[column].chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = format!("{FAINT}{}{FAINT:#}\n", aligned(&header, &widths, ""));
    for line in &lines {
        let state = if line.is_open { WARNING } else { GOOD };
        let columns = aligned(&line.columns, &widths, &format!("{state}{}{state:#}", line.columns[2]));
        let _ = writeln!(text, "{columns}\n{:indent$}{}", "", line.words, indent = widths[0] + 2);
    }
    text
}

/// `styled_state` stands for the third column, where it is given: escape codes have no width.
fn aligned(columns: &[String; 6], widths: &[usize; 6], styled_state: &str) -> String {
    let [run, what, state, began, local, size] = columns;
    let [run_width, what_width, state_width, began_width, local_width, size_width] = *widths;
    let shown = if styled_state.is_empty() { state } else { styled_state };
    let rest = state_width - state.chars().count();
    format!(
        "{STRONG}{run:<run_width$}{STRONG:#}  {what:<what_width$}  {shown}{:rest$}  {began:<began_width$}  \
         {local:<local_width$}  {size:>size_width$}",
        ""
    )
}

fn line(shelved: &StoredRun, several_accounts: bool, now: Timestamp) -> Line {
    let id = shelved.id.clone();
    let size = size_text(shelved.bytes);
    let when = |began: Option<i64>| match began {
        Some(began) => (age::ago(now, began), local_time(began)),
        None => Default::default(),
    };
    match &shelved.overview {
        Ok(glance) => {
            let state = State::of(glance);
            let (began, local) = when(Some(glance.began));
            let words = words(shelved, glance, &state, several_accounts);
            let is_open = state != State::Finished;
            Line { columns: [id, what(&glance.header), state.word(), began, local, size], is_open, words }
        }
        Err(error) => {
            let (began, local) = when(age::from_name(&shelved.id));
            let columns = [id, String::new(), String::from("unreadable"), began, local, size];
            Line { columns, is_open: true, words: error.to_string() }
        }
    }
}

/// `120 created, 3 failed, 14 rows to go; interrupted`.
fn words(shelved: &StoredRun, glance: &RunOverview, state: &State, several_accounts: bool) -> String {
    let mut parts = Vec::new();
    match (state, Rows::of(&shelved.path, glance, state)) {
        (State::Planning | State::NeverBegun, _) => {}
        (_, Ok(rows)) => parts.push(rows.sentence()),
        (_, Err(error)) => parts.push(error.to_string()),
    }
    parts.extend(state.reason().map(ToOwned::to_owned));
    if several_accounts {
        parts.push(format!("{FAINT}{}{FAINT:#}", glance.header.account));
    }
    parts.join("; ")
}

fn has_several_accounts(runs: &[StoredRun]) -> bool {
    let mut accounts =
        runs.iter().filter_map(|shelved| shelved.overview.as_ref().ok()).map(|glance| &glance.header.account);
    let Some(first) = accounts.next() else { return false };
    accounts.any(|account| !account.is_same(first))
}
