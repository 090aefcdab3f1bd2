//! `tallyport export register`: writes the fixed-asset register.

use std::io;

use serde_json::json;

use super::{ExportArgs, Global, interrupts, overwrite, parse_date, read_mode, runtime};
use crate::cli::observer::TerminalObserver;
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;
use crate::cli::{Error, Exit};
use crate::export::ExportError;
use crate::register::{RegisterJob, RegisterReport};
use crate::table::write::output::FileFormat;
use crate::wording::{counted, duration};

/// What is typed in place of a collection.
const REGISTER: &str = "register";

/// Whether the register is to be exported. It is not a collection.
pub(super) fn is_requested(args: &ExportArgs) -> bool {
    args.entities.iter().any(|name| name.eq_ignore_ascii_case(REGISTER))
}

pub(super) fn run(global: &Global, args: &ExportArgs, printer: Printer) -> Result<Exit, Error> {
    if args.entities.len() > 1 || args.all {
        return Err(Error::usage("the register cannot be exported together with collections", "export it separately"));
    }
    let job = register_job(args)?;
    let settings = Settings::resolve(global)?;
    let mut observer = TerminalObserver::new(global, printer);
    let report = runtime()?.block_on(async {
        let account = settings.connect().await?;
        account.export_register(job, &mut observer).await
    })?;
    observer.finish();
    let exit = if report.unreadable.is_empty() { Exit::Success } else { Exit::RowsFailed };
    Ok(exit.after_printing(print(&report, printer), printer))
}

fn register_job(args: &ExportArgs) -> Result<RegisterJob, Error> {
    let output = args.output.as_deref().ok_or(ExportError::NoOutput)?;
    Ok(RegisterJob::to(output)
        .with_format(args.format.map(FileFormat::from))
        .with_name(args.name.clone())
        .with_as_of(args.as_of.as_deref().map(parse_date).transpose()?)
        .with_rates(args.rates.clone())
        .with_previous(args.previous.clone())
        .with_read_mode(read_mode(args))
        .with_overwrite(overwrite(args.force))
        .with_shutdown(interrupts::listen()?))
}

fn print(report: &RegisterReport, printer: Printer) -> io::Result<()> {
    let RegisterReport { summary, requests, .. } = report;
    report.unreadable.iter().for_each(|reason| printer.warn(reason));
    summary.warnings.iter().for_each(|warning| printer.warn(&warning.to_string()));
    if printer.json {
        let mut document = json!(summary);
        document["unreadable"] = json!(report.unreadable);
        document["read_at"] = report.read_at.clone().into();
        document["requests"] = json!({"total": requests.total, "by_kind": requests.by_kind});
        document["seconds"] = report.seconds.into();
        return printer.document(&format!("{document:#}\n"));
    }
    let mut lines = vec![format!(
        "Register as of {}, in {} ({})",
        summary.as_of,
        duration(report.seconds),
        counted(requests.total, "request")
    )];
    // A code has three letters, and `unstated` stands for none.
    let widest = summary.totals.iter().map(|totals| totals.currency.chars().count()).max().unwrap_or_default();
    for totals in &summary.totals {
        lines.push(format!(
            "  {:<widest$}  {:>14} held  cost {:>16}  book value {:>16}",
            totals.currency,
            counted(totals.held.items, "item"),
            totals.held.cost,
            totals.held.book_value
        ));
    }
    if let Some(converted) = &summary.conversion {
        let (base, held) = (&converted.base, &converted.held);
        lines.push(format!(
            "  {base}  {:>14}       cost {:>16}  book value {:>16}",
            "converted", held.cost, held.book_value
        ));
    }
    if let Some(day) = &summary.rolled_forward_from {
        lines.push(format!("  rolled forward from {day}, to the cent"));
    }
    lines.extend(summary.files.iter().map(|file| format!("wrote `{}`", file.display())));
    lines.push(String::new());
    printer.say(&lines.join("\n"))
}
