//! The one way to the terminal: data to stdout, messages to stderr, quiet and JSON respected. Here, and only here,
//! secrets are masked and what a terminal would obey is made visible.

use std::io::{self, Write};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use super::args::{Global, LogFormat};
use super::{Error, Exit, interrupts};
use crate::observer::Observer;
use crate::redact::without_secrets;
use crate::terminal::{self, ERROR, STRONG, WARNING};

/// Lists go no further than this, in a terminal or not.
const WIDEST: usize = 100;

/// A terminal of fewer columns is not laid out for.
const NARROWEST: usize = 40;

/// How everything is said on stderr; text until the flags are read.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// How often an open question looks for an interrupt.
const ANSWER_POLL: Duration = Duration::from_millis(50);

/// How grave it is, for those who read lines of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warning,
    Error,
}

/// Where output goes, decided once from the flags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    pub verbosity: Verbosity,
    pub json: bool,
}

/// How much is said beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Printer {
    pub(super) fn new(global: &Global) -> Self {
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        };
        let format = global.log_format.unwrap_or(LogFormat::Text);
        // There is one stderr, and one printer is made for it.
        let _ = FORMAT.set(format);
        Self { verbosity, json: global.json }
    }

    /// Text that was asked for: stdout, whatever the verbosity.
    pub(super) fn data(&self, text: &str) -> io::Result<()> {
        write_stdout(&terminal::rendered(&without_secrets(text)))
    }

    /// A document that a script reads: JSON on stdout, whatever the verbosity.
    pub(super) fn document(&self, document: &str) -> io::Result<()> {
        write_stdout(&terminal::json(&without_secrets(document)))
    }

    /// Text of the program itself, such as its man page: stdout.
    pub(super) fn verbatim(&self, text: &str) -> io::Result<()> {
        write_stdout(text)
    }

    /// The outcome for people: stdout, or stderr where stdout is JSON. Quiet says nothing. Lines fit a terminal.
    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        match (self.verbosity, self.json) {
            (Verbosity::Quiet, _) => Ok(()),
            _ if is_in_lines() => {
                text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| talk_line(Level::Info, line, None));
                Ok(())
            }
            // The document on stdout counts, and is yet to come.
            (_, true) => {
                write_stderr(text);
                Ok(())
            }
            (_, false) => self.fitted(text),
        }
    }

    /// As [`Printer::data`], for sentences that are broken to fit a terminal.
    pub(super) fn fitted(&self, text: &str) -> io::Result<()> {
        match terminal_width() {
            Some(width) => self.data(&terminal::fitted(text, width)),
            None => self.data(text),
        }
    }

    /// Says something on stderr with fields, where stderr carries lines of JSON.
    pub(super) fn event(&self, text: &str, fields: serde_json::Value) {
        if self.verbosity > Verbosity::Quiet {
            write_line(Level::Info, text, None, fields);
        }
    }

    /// Asks a question that wants a yes; only where stdin is a terminal. An interrupt is a no.
    pub(super) fn ask(&self, question: &str) -> io::Result<bool> {
        write_stderr(&format!("{STRONG}{question}{STRONG:#} [y/N] "));
        // Read on a thread: while interrupts are listened to, Ctrl-C does not end a read.
        let (sender, answers) = mpsc::channel();
        thread::Builder::new().name("answer".to_owned()).spawn(move || {
            let mut answer = String::new();
            sender.send(io::stdin().read_line(&mut answer).map(|_| answer))
        })?;
        loop {
            match answers.recv_timeout(ANSWER_POLL) {
                Ok(answer) => return Ok(matches!(answer?.trim().to_lowercase().as_str(), "y" | "yes")),
                Err(mpsc::RecvTimeoutError::Timeout) if !interrupts::is_requested() => {}
                Err(_) => {
                    write_stderr("\n");
                    return Ok(false);
                }
            }
        }
    }

    /// A remark on the way: stderr, unless quiet.
    pub(super) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            say(Level::Info, text, None);
        }
    }

    /// Something the user should know: stderr, unless quiet.
    pub(super) fn warn(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            say(Level::Warning, text, None);
        }
    }

    /// What stopped a command: as text on stderr, and as the one document of a command that prints JSON.
    pub(super) fn failure(&self, error: &Error) {
        if self.json {
            print_json_error(&error.to_string(), error.hint().as_deref(), error.kind().into());
        }
        self.error(&error.to_string(), error.hint().as_deref());
    }

    /// That the user said no, which is not an error.
    pub(super) fn declined(&self, text: &str) {
        if self.json {
            // As for an error, nothing can be done about a stdout that is gone.
            let _gone = self.document(&format!("{}\n", serde_json::json!({"declined": {"message": text}})));
        }
        self.note(text);
    }

    /// Why it stopped and what to do: stderr, always.
    pub(super) fn error(&self, text: &str, hint: Option<&str>) {
        say(Level::Error, text, hint);
    }
}

impl Observer for Printer {
    fn on_note(&mut self, text: &str) {
        self.note(text);
    }

    fn on_warning(&mut self, text: &str) {
        self.warn(text);
    }
}

/// Whether stderr carries lines of JSON.
pub(super) fn is_in_lines() -> bool {
    FORMAT.get() == Some(&LogFormat::Json)
}

/// Says something on stderr, in the way the flags want it.
pub(super) fn say(level: Level, text: &str, hint: Option<&str>) {
    if is_in_lines() {
        return talk_line(level, text, hint);
    }
    let hint = hint.map_or_else(String::new, |hint| format!("  {STRONG}hint:{STRONG:#} {hint}\n"));
    write_stderr(&match level {
        Level::Info => format!("{text}\n{hint}"),
        Level::Warning => format!("{WARNING}warning:{WARNING:#} {text}\n{hint}"),
        Level::Error => format!("{ERROR}error:{ERROR:#} {text}\n{hint}"),
    });
}

fn talk_line(level: Level, text: &str, hint: Option<&str>) {
    write_line(level, text, hint, serde_json::Value::Null);
}

/// Text for a machine: without colours, and without the blanks that align it on a screen.
fn unstyled(text: &str) -> String {
    let plain = terminal::unstyled(text);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `{"time": .., "level": "warning", "message": ..}`, with further fields behind.
pub(super) fn write_line(level: Level, text: &str, hint: Option<&str>, fields: serde_json::Value) {
    let level = match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let time = jiff::Timestamp::now().to_string();
    let mut line = serde_json::json!({"time": time, "level": level, "message": unstyled(text)});
    if let Some(hint) = hint {
        line["hint"] = unstyled(hint).into();
    }
    if let (Some(line), serde_json::Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
    let _gone = anstream::stderr().write_all(terminal::json(&without_secrets(&format!("{line}\n"))).as_bytes());
}

/// Says something on stderr, with fields for those who read lines of JSON.
pub(super) fn write_info(text: &str, fields: serde_json::Value) {
    if is_in_lines() { write_line(Level::Info, text, None, fields) } else { say(Level::Info, text, None) }
}

/// Says something on stderr. A terminal that went away hears nothing, and is no reason to stop: the run goes on and
/// its result is in a file.
pub(super) fn write_stderr(text: &str) {
    let _gone = anstream::stderr().write_all(terminal::rendered(&without_secrets(text)).as_bytes());
}

/// As [`write_stderr`], for text that has escape sequences of its own and was cleaned before.
pub(super) fn write_rendered(text: &str) {
    let _gone = anstream::stderr().write_all(without_secrets(text).as_bytes());
}

/// The width of the terminal in columns; `None` where standard output is not a terminal.
fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0).max(NARROWEST))
}

/// The width that lists are laid out for.
pub(super) fn list_width() -> usize {
    terminal_width().map_or(WIDEST, |width| width.min(WIDEST))
}

fn write_stdout(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// `{"error": {..}}` on stdout. Nothing can be done about a stdout that is gone.
pub(super) fn print_json_error(message: &str, hint: Option<&str>, exit: Exit) {
    let document = serde_json::json!({"error": {"message": message, "hint": hint, "exit_code": exit as u8}});
    let _gone = write_stdout(&terminal::json(&without_secrets(&format!("{document}\n"))));
}
