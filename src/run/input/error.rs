//! Headers that cannot be mapped.

use crate::error::{Diagnostic, Error};
use crate::mapping::{EntityDetectionError, MappingError, nearly_recognized};
use crate::run::command_line::CommandLine;
use crate::run::journal::RunKind;
use crate::table::{Input, Row};

/// A sheet of which nothing says what it holds, with the flag that would. `has_sheets`: its file has others, of which
/// `--sheet` may name one.
pub(super) fn unrecognized(place: &str, reason: &EntityDetectionError, rows: &[Row], has_sheets: bool) -> Error {
    let presets: Vec<String> =
        nearly_recognized(rows).iter().map(|preset| format!("--preset {} for {}", preset.name, preset.title)).collect();
    let or_sheet = if has_sheets { ", or name the sheets to read with --sheet" } else { "" };
    let hint = match (presets.as_slice(), reason.flag()) {
        ([], None) => format!("say what it holds with --entity, such as --entity assets{or_sheet}"),
        ([], Some(flag)) => format!("say what it holds, such as {flag}{or_sheet}"),
        (presets, _) => format!("its headers resemble an export; if it is one, pass {}", presets.join(" or ")),
    };
    Error::usage(format!("{place}: {reason}"), hint)
}

pub(super) fn register_as_input(place: &str) -> Error {
    Error::usage(
        format!("{place} is a fixed-asset register: it holds figures, and no records to read back"),
        "name an export of the records, such as that of `tallyport export assets`",
    )
}

/// A plan workbook among the spreadsheets. Its sheets list changes, and no records.
pub(super) fn plan_as_input(input: &Input) -> Error {
    let hint = match input {
        Input::Path(_) => {
            let apply = CommandLine::new(vec![input.name()], Vec::new()).command(RunKind::Apply.command(), &[]);
            format!("`{apply}` sends what is approved in it")
        }
        Input::Stdin => String::from("save it as a file: `tallyport apply FILE` sends what is approved in it"),
    };
    Error::usage(format!("`{}` is a plan", input.name()), hint)
}

/// The result of a run that had no rows of the user, and so has none to read.
pub(super) fn listing_as_input(input: &Input, kind: RunKind) -> Error {
    let command = kind.command();
    let message = format!("`{}` is the result of `tallyport {command}`: it lists what the run did", input.name());
    let hint = match kind {
        RunKind::Undo => "give the spreadsheet or the result of the run that was undone",
        _ => "give the spreadsheet that the plan was made from",
    };
    Error::usage(message, hint)
}

/// What is wrong with the headers of all sheets.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(crate) struct HeaderErrors(pub(super) Vec<(String, MappingError)>);

impl HeaderErrors {
    fn text(&self) -> String {
        match self.0.as_slice() {
            [(place, only)] => format!("{place}: {only}"),
            many => {
                let lines: Vec<String> =
                    many.iter().map(|(place, error)| format!("{place}: {error}\n    {}", error.hint())).collect();
                format!("the headers do not fit\n  {}", lines.join("\n  "))
            }
        }
    }
}

impl Diagnostic for HeaderErrors {
    /// The hint of a single error; several carry their own.
    fn hint(&self) -> Option<String> {
        match self.0.as_slice() {
            [(_, only)] => Some(only.hint()),
            _ => None,
        }
    }
}
