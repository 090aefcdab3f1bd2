//! Commands: one match from subcommand to its file.
//!
//! Three steps: what was typed (`args`), what it means here (`settings`), do it (a file per command).

pub(crate) mod apply;
mod args;
mod check;
mod choices;
mod completions;
mod delete;
mod doctor;
mod double_click;
mod exit;
mod export;
mod import;
mod input;
mod interrupts;
mod log;
mod man;
mod mappings;
mod observer;
mod presets;
mod printer;
mod progress;
mod remember_hint;
mod resume;
mod run_end;
mod runs;
mod sandbox;
mod schema;
mod secrets;
pub(crate) mod settings;
mod template;
mod undo;
mod verify;
mod wildcards;

use std::ffi::OsString;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};

use args::{Cli, Command};
pub use exit::Exit;
use exit::is_closed_pipe;
use printer::Printer;

pub use crate::error::Error;
use crate::error::ErrorKind;
use crate::terminal;

/// The program: arguments in, exit code out.
pub fn main() -> ExitCode {
    secrets::protect_environment();
    report_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    secrets::protect_url(cli.global.base_url.as_deref());
    interrupts::fail_writes_over_the_size_limit();
    let printer = Printer::new(&cli.global);
    log::log_to_stderr(cli.global.verbose);
    warn_of_unknown_time_zone(printer);
    // A panic was reported by the hook. Nothing that it may have left half done is used again.
    let Ok(result) = panic::catch_unwind(AssertUnwindSafe(|| run(cli, printer))) else { return Exit::Internal.into() };
    match result {
        Ok(exit) => exit.into(),
        Err(error) if is_closed_pipe(&error) => Exit::Success.into(),
        Err(error) if error.kind() == ErrorKind::Declined => {
            printer.declined(&error.to_string());
            Exit::from(error.kind()).into()
        }
        Err(error) => {
            printer.failure(&error);
            Exit::from(error.kind()).into()
        }
    }
}

fn run(cli: Cli, printer: Printer) -> Result<Exit, Error> {
    let Cli { global, command } = cli;
    // The doctor reports them like everything else.
    if !matches!(command, Command::Doctor) {
        settings::check_flags(&global)?;
    }
    match command.with_files_of_wildcards() {
        Command::Check(args) => check::run(&global, &args, printer),
        Command::Import(args) => import::run(&global, &args, printer),
        Command::Delete(args) => delete::run(&global, &args, printer),
        Command::Resume(args) => resume::run(&global, &args, printer),
        Command::Apply(args) => apply::run(&global, &args, printer),
        Command::Verify(args) => verify::run(&global, &args, printer),
        Command::Undo(args) => undo::run(&global, &args, printer),
        Command::Runs(args) => runs::run(&args, printer),
        Command::Export(args) => export::run(&global, &args, printer),
        Command::Template(args) => template::run(&global, &args, printer),
        Command::Presets(args) => presets::run(&args, printer),
        Command::Mappings(args) => mappings::run(&args, printer),
        Command::Schema(args) => schema::run(&args, printer),
        Command::Sandbox(args) => sandbox::run(&global, &args, printer),
        Command::Doctor => doctor::run(&global, printer),
        Command::Completions { shell } => completions::completions(shell, printer),
        Command::Man => completions::man(printer),
    }
}

/// The runtime that a command does its work on.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Says that dates are not local ones because nobody knows the zone in `TZ`.
fn warn_of_unknown_time_zone(printer: Printer) {
    let Some(name) = std::env::var_os("TZ").filter(|name| !name.is_empty()) else { return };
    if jiff::tz::TimeZone::try_system().is_err() {
        let name = name.to_string_lossy();
        printer.warn(&format!("TZ names an unknown time zone, `{name}`: dates and times are in UTC"));
    }
}

/// A panic is a bug of ours. Its message may quote data, so it goes the way of all text.
fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        let text = format!("internal error: {panic}");
        printer::say(printer::Level::Error, &text, Some("this is a bug of tallyport; please report it"));
    }));
}

/// A command line that cannot be read, or one that asks for help. Scripts that asked for JSON get JSON.
fn usage(error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    if double_click::explained() {
        return Exit::Usage.into();
    }
    let error = without_wrong_tips(error);
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let (message, hint) = usage_message(&error.to_string());
    if arguments.iter().any(|argument| argument == "--json") {
        printer::print_json_error(&message, hint.as_deref(), Exit::Usage);
    }
    if wants_lines(&arguments) {
        printer::write_line(printer::Level::Error, &message, hint.as_deref(), serde_json::Value::Null);
    } else {
        printer::write_rendered(&visible_usage(error));
    }
    Exit::Usage.into()
}

/// Whether a command line that cannot be read asks for lines of JSON on stderr.
fn wants_lines(arguments: &[OsString]) -> bool {
    let is_pair = |pair: &[OsString]| pair[0] == "--log-format" && pair[1] == "json";
    arguments.windows(2).any(is_pair) || arguments.iter().any(|argument| argument == "--log-format=json")
}

/// What is wrong with a command line, each in one line: the first paragraph, which may list arguments or values on lines
/// of their own, and the tip, if there is one.
fn usage_message(text: &str) -> (String, Option<String>) {
    let in_one_line = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paragraphs = text.split("\n\n").map(in_one_line);
    let message = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.find_map(|paragraph| paragraph.strip_prefix("tip: ").map(ToOwned::to_owned));
    (message.trim_start_matches("error: ").to_owned(), tip)
}

/// Takes out the tip to put `--` before an unknown flag, which would make it a file, unless there is such a file.
fn without_wrong_tips(mut error: clap::Error) -> clap::Error {
    let is_file = |value: &ContextValue| matches!(value, ContextValue::String(text) if Path::new(text).exists());
    if error.get(ContextKind::InvalidArg).is_some_and(is_file) {
        return error;
    }
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().contains(" as a value, use "));
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    error
}

/// The text of a usage error in clap's own colours. They cannot be told from escape sequences in the arguments that it
/// quotes, so the arguments are cleaned before clap sees them; what then still looks odd is printed without colours.
fn visible_usage(error: clap::Error) -> String {
    let plain = |error: &clap::Error| terminal::visible(&error.to_string()).into_owned();
    let arguments = std::env::args_os().map(|argument| terminal::visible(&argument.to_string_lossy()).into_owned());
    match Cli::try_parse_from(arguments) {
        Err(cleaned) if terminal::visible(&cleaned.to_string()) == cleaned.to_string() => {
            without_wrong_tips(cleaned).render().ansi().to_string()
        }
        Err(cleaned) => plain(&without_wrong_tips(cleaned)),
        Ok(_) => plain(&error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_usage_error_for_scripts_names_what_is_missing_or_wrong() {
        let said = |line: &str| {
            usage_message(&without_wrong_tips(Cli::try_parse_from(line.split(' ')).unwrap_err()).to_string())
        };
        let missing = "the following required arguments were not provided:";
        assert_eq!(said("tallyport verify"), (format!("{missing} <RUN|FILE>..."), None));
        let (message, hint) = said("tallyport check a.csv --mod create");
        assert_eq!(message, "unexpected argument '--mod' found");
        assert_eq!(hint.unwrap(), "a similar argument exists: '--mode'");
        assert_eq!(said("tallyport check a.csv --yes"), (String::from("unexpected argument '--yes' found"), None));
        for (flag, message) in [
            ("--max-errors", "invalid value '-1' for '--max-errors <N>': use a whole number from 1 up"),
            ("--concurrency", "invalid value '-1' for '--concurrency <N>': use a whole number"),
        ] {
            assert_eq!(said(&format!("tallyport import a.csv {flag} -1")), (message.to_owned(), None));
        }
        assert!(
            Cli::try_parse_from("tallyport import a.csv --max-creates -5".split(' ')).is_ok(),
            "judged with its flag"
        );
        let (message, _) = said("tallyport check a.csv --mode replace");
        assert_eq!(message, "invalid value 'replace' for '--mode <MODE>' [possible values: create, update, upsert]");
    }
}
