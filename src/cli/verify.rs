//! `tallyport verify`: what a run sent, or what files say, against what the account holds now.

use std::io;
use std::path::{Path, PathBuf};

use super::args::{Global, VerifyArgs};
use super::input::overwrite;
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::run_end::{add_warnings, check_outputs};
use super::settings::{connect, connect_to, run_store, written_files};
use super::{Error, Exit, interrupts, runtime};
use crate::job::{AccountBound, VerifiableRun, VerifyJob};
use crate::report::VerifyReport;
use crate::run::input::InputOptions;

/// What the words of the command name.
enum VerifyTarget {
    Run(String),
    Files,
}

pub(super) fn run(global: &Global, args: &VerifyArgs, printer: Printer) -> Result<Exit, Error> {
    let layout = &args.reading.layout;
    let input = args.reading.input_options();
    check_result_type(layout.result.as_deref())?;
    check_outputs(layout, &input)?;
    let target = target(&args.reading.files, &input)?;
    let runtime = runtime()?;
    let mut job = VerifyJob { input, is_complete: args.complete, ..VerifyJob::default() };
    let (mut report, observer) = match target {
        VerifyTarget::Run(run) => {
            let run = VerifiableRun::open(&run_store()?, &run)?;
            let account = runtime.block_on(connect_to(global, run.account(), AccountBound::Run))?;
            job.shutdown = interrupts::listen()?;
            let mut observer = TerminalObserver::new(global, printer);
            (runtime.block_on(account.verify_run(&run, &job, &mut observer))?, observer)
        }
        VerifyTarget::Files => {
            let account = runtime.block_on(connect(global))?;
            job.shutdown = interrupts::listen()?;
            let mut observer = TerminalObserver::new(global, printer);
            (runtime.block_on(account.verify_with(job, &mut observer))?, observer)
        }
    };
    let warnings = observer.finish();
    if let Some(path) = &layout.result {
        report.write_result(path, &written_files()?.replacing(overwrite(layout.force)))?;
    }
    let exit = if report.is_equal() { Exit::Success } else { Exit::RowsFailed };
    Ok(exit.after_printing(print(&report, &warnings, printer), printer))
}

/// A single word that is no file may be a run.
fn target(words: &[PathBuf], input: &InputOptions) -> Result<VerifyTarget, Error> {
    let is_run_name = |word: &&PathBuf| {
        let is_name = word.components().count() == 1 && word.extension().is_none() && *word != Path::new("-");
        is_name && !word.exists()
    };
    let Some(word) = words.iter().find(is_run_name) else { return Ok(VerifyTarget::Files) };
    if words.len() > 1 {
        return match run_store()?.find(&word.display().to_string()) {
            Ok(run) => Err(Error::usage(
                format!("`{}` is a run, and verify takes either files or one run", run.id),
                "verify the run by itself",
            )),
            Err(_) => Ok(VerifyTarget::Files),
        };
    }
    let name = word.display().to_string();
    if let Some(flag) = input.used().words().first() {
        let message = format!("{flag} says how a file is read, and `{name}` is not a file");
        return Err(Error::usage(message, "name a file, or leave the flag out to verify a run"));
    }
    if run_store()?.find(&name).is_err() && run_store()?.list()?.is_empty() {
        let message = format!("`{name}` is neither a file nor a run of this machine");
        return Err(Error::usage(message, "`tallyport runs` lists the runs"));
    }
    Ok(VerifyTarget::Run(name))
}

/// The result is a workbook.
fn check_result_type(result: Option<&Path>) -> Result<(), Error> {
    let Some(path) = result else { return Ok(()) };
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("xlsx")) {
        let message = format!("the result of verify is a workbook, and `{}` is not a .xlsx file", path.display());
        return Err(Error::usage(message, "name a .xlsx file with --result"));
    }
    Ok(())
}

fn print(report: &VerifyReport, warnings: &[String], printer: Printer) -> io::Result<()> {
    printer.say(&report.text())?;
    if printer.json {
        let mut document = report.json();
        add_warnings(&mut document, warnings);
        printer.document(&format!("{document}\n"))?;
    }
    Ok(())
}
