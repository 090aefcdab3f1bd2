//! `tallyport resume`: goes on with a run from its journal.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::args::{Global, ResumeArgs};
use super::interrupts;
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use super::result::free_path_in;
use super::running::{Running, command, tell};
use super::settings::{connect_to, run_store};
use super::{Error, Exit};
use crate::run::RunStart;
use crate::run::command_line::CommandLine;
use crate::run::journal::{
    Journal, JournalError, LockState, RunDetails, RunHeader, RunPhase, RunStore, RunTotals, SourceFile, StoredRun,
};

pub(super) fn run(global: &Global, args: &ResumeArgs, printer: Printer) -> Result<Exit, Error> {
    let started = Instant::now();
    let shelf = run_store()?;
    let shelved = wanted(&shelf, args)?;
    // Whoever asks first has it; another process is refused here.
    let journal = Journal::open(&shelved.path, &shelved.id)?;
    let head = journal.header()?;
    match journal.phase()?.0 {
        RunPhase::Planning => return Err(never_begun(&head)),
        RunPhase::Finished if journal.unresolved_count()? == 0 => return tell(&journal, printer),
        RunPhase::Finished | RunPhase::Sending | RunPhase::Stopped => {}
    }
    if let Some(undo) = shelf.undos_of(&head.id)?.first() {
        return Err(taken_back(&head, &undo.id));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let account = runtime.block_on(connect_to(global, &head.account))?;
    // Stopped by the signal itself, a run could not say that it sent nothing.
    let mut shutdown = interrupts::listen()?;
    printer.note(&format!("going on with run {}", head.id));
    changed_sources(&head.details).iter().for_each(|change| printer.note(change));
    let result = result_path(args.result.as_deref(), &head.details, &journal.totals()?);
    let progress = Progress::new(ProgressKind::choose(global), None);
    let running = Running { account: &account, printer, progress, started, start: RunStart::Resumed, result };
    running.finish(journal, &runtime, &mut shutdown)
}

fn wanted(shelf: &RunStore, args: &ResumeArgs) -> Result<StoredRun, Error> {
    match &args.run {
        Some(run) => Ok(shelf.find(run)?),
        None => match shelf.newest_unfinished()? {
            Some(shelved) => Ok(shelved),
            None => Err(nothing_to_resume(shelf)?),
        },
    }
}

/// A run that another process is at is not finished, whatever `--last` may take.
fn nothing_to_resume(shelf: &RunStore) -> Result<Error, Error> {
    let is_at_work =
        |shelved: &StoredRun| shelved.overview.as_ref().is_ok_and(|glance| glance.lock == LockState::Locked);
    Ok(match shelf.list()?.into_iter().find(is_at_work) {
        Some(shelved) => JournalError::Busy { run: shelved.id }.into(),
        None => Error::usage("there is nothing to resume: every run is finished", "`tallyport runs` lists all runs"),
    })
}

/// Going on would make again what was taken back.
fn taken_back(head: &RunHeader, undo: &str) -> Error {
    Error::usage(
        format!("run {} was undone by run {undo}", head.id),
        format!("begin again: {}", CommandLine::from_words(head.details.typed.clone()).command("import", &[])),
    )
}

fn never_begun(head: &RunHeader) -> Error {
    Error::usage(
        format!("run {} was stopped while its plan was made: nothing was sent", head.id),
        format!(
            "begin again: {}",
            CommandLine::from_words(head.details.typed.clone()).command(command(head.kind), &[])
        ),
    )
}

/// The run goes on with what the files held when it began; that they have changed is no problem, and worth saying.
fn changed_sources(details: &RunDetails) -> Vec<String> {
    let changed = details.sources.iter().filter_map(|source| {
        let shown = source.path.display();
        match SourceFile::of(&source.path) {
            None => Some(format!("{shown} no longer exists; the run continues with what it contained")),
            Some(now) if now != *source => {
                Some(format!("{shown} has changed since the run began; the run continues with what it contained then"))
            }
            Some(_) => None,
        }
    });
    changed.collect()
}

/// Where the result goes: over the run's own earlier one, unless somebody has worked on that.
fn result_path(asked: Option<&Path>, details: &RunDetails, conclusion: &RunTotals) -> PathBuf {
    if let Some(asked) = asked {
        return asked.to_path_buf();
    }
    let (written, there) = (&conclusion.result, SourceFile::of(&details.result));
    match (written, there) {
        (_, None) => details.result.clone(),
        (Some(written), Some(there)) if *written == there => details.result.clone(),
        _ => {
            let folder = details.result.parent().map(Path::to_path_buf).unwrap_or_default();
            let stem = details.result.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let name = stem.split(".result").next().unwrap_or_default();
            free_path_in(&folder, name)
        }
    }
}
