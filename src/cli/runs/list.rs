//! Every run, the newest first.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{ListedJournal, Rows, State, age, json_of, local_time, size_text, what};
use crate::cli::printer::Printer;
use crate::cli::{Error, Exit};
use crate::run::journal::{RunOverview, StoredRun};
use crate::terminal::{FAINT, GOOD, STRONG, WARNING};

pub(super) fn run(runs: &[StoredRun], now: Timestamp, printer: Printer) -> Result<Exit, Error> {
    if printer.json {
        let runs: Vec<Json> = runs.iter().map(json_line).collect();
        printer.document(&format!("{}\n", json!({ "runs": runs })))?;
    } else {
        printer.data(&text(runs, now))?;
    }
    Ok(Exit::Success)
}

fn json_line(shelved: &StoredRun) -> Json {
    match &shelved.overview {
        Ok(glance) => json_of(ListedJournal { path: &shelved.path, bytes: shelved.bytes }, glance),
        Err(error) => json!({
            "run_id": shelved.id,
            "state": "unreadable",
            "error": error.to_string(),
            "bytes": shelved.bytes,
            "can_resume": false,
        }),
    }
}

/// Everything fits a terminal of 80 characters: a line that wraps breaks words.
const WIDTH: usize = 80;
const COLUMNS: usize = 4;
/// The longest text of the column `what`, with the others at their longest.
const MAX_WHAT: usize = 28;

/// A run on the terminal: a line of columns, and words below it.
struct Line {
    columns: [String; COLUMNS],
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
    let header = ["run", "what", "state", "began"].map(ToOwned::to_owned);
    let width = |column: usize| {
        let cells = lines.iter().map(|line| &line.columns).chain([&header]);
        cells.map(|columns| columns[column].chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = format!("{FAINT}{}{FAINT:#}\n", aligned(&header, &widths, ""));
    for line in &lines {
        let state = if line.is_open { WARNING } else { GOOD };
        let columns = aligned(&line.columns, &widths, &format!("{state}{}{state:#}", line.columns[2]));
        let indent = widths[0] + 2;
        let _ = writeln!(text, "{columns}");
        for words in wrapped(&line.words, WIDTH.saturating_sub(indent)) {
            let _ = writeln!(text, "{:indent$}{FAINT}{words}{FAINT:#}", "");
        }
    }
    text
}

/// `styled_state` stands for the third column, where it is given: escape codes have no width.
fn aligned(columns: &[String; COLUMNS], widths: &[usize; COLUMNS], styled_state: &str) -> String {
    let [run, what, state, began] = columns;
    let [run_width, what_width, state_width, _] = *widths;
    let shown = if styled_state.is_empty() { state } else { styled_state };
    let rest = state_width - state.chars().count();
    format!("{STRONG}{run:<run_width$}{STRONG:#}  {what:<what_width$}  {shown}{:rest$}  {began}", "")
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
            let words = format!("{local}, {size}; {}", words(shelved, glance, &state, several_accounts));
            let is_open = state != State::Finished;
            Line { columns: [id, shortened(&what(&glance.header)), state.word(), began], is_open, words }
        }
        Err(error) => {
            let (began, local) = when(age::from_name(&shelved.id));
            let columns = [id, String::new(), String::from("unreadable"), began];
            let parts = [local, size].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            Line { columns, is_open: true, words: format!("{parts}; {error}") }
        }
    }
}

/// Cut in the middle, so that the end of a file's name stays.
fn shortened(what: &str) -> String {
    let chars: Vec<char> = what.chars().collect();
    if chars.len() <= MAX_WHAT {
        return what.to_owned();
    }
    let (head, tail) = (MAX_WHAT / 2, MAX_WHAT - MAX_WHAT / 2 - 1);
    chars[..head].iter().chain(&['…']).chain(&chars[chars.len() - tail..]).collect()
}

/// Lines of at most `width` characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
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
        parts.push(glance.header.account.to_string());
    }
    parts.join("; ")
}

fn has_several_accounts(runs: &[StoredRun]) -> bool {
    let mut accounts =
        runs.iter().filter_map(|shelved| shelved.overview.as_ref().ok()).map(|glance| &glance.header.account);
    let Some(first) = accounts.next() else { return false };
    accounts.any(|account| !account.is_same(first))
}
