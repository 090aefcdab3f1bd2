//! `tallyport sandbox --data FILE --copy-account`: fills a data file with what the account holds.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::cli::args::{Global, SandboxArgs};
use crate::cli::input::overwrite;
use crate::cli::observer::TerminalObserver;
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;
use crate::cli::{Error, Exit, interrupts, runtime};
use crate::job::{CopyJob, CopyReport};
use crate::shell::sandbox_flag;
use crate::wording::{counted, duration, thousands};

pub(super) fn run(global: &Global, args: &SandboxArgs, file: &Path, printer: Printer) -> Result<Exit, Error> {
    let settings = Settings::resolve(global)?;
    let job = CopyJob::new(file).with_overwrite(overwrite(args.force)).with_shutdown(interrupts::listen()?);
    let mut observer = TerminalObserver::new(global, printer);
    let report = runtime()?.block_on(async {
        let account = settings.connect().await?;
        account.copy_to_sandbox(job, &mut observer).await
    })?;
    observer.finish();
    if printer.json {
        printer.document(&format!("{:#}\n", document(&report)))?;
    } else {
        printer.say(&text(&report))?;
    }
    Ok(Exit::Success)
}

fn text(report: &CopyReport) -> String {
    let requests = counted(report.requests.total, "request");
    let mut lines = vec![format!("Copy of {}, in {} ({requests})", report.account, duration(report.seconds))];
    let width = report.records.iter().map(|(collection, _)| collection.len()).max().unwrap_or(0);
    let filled = report.records.iter().filter(|(_, count)| *count > 0);
    lines.extend(filled.map(|(collection, count)| format!("  {collection:width$}  {:>14}", counted(*count, "record"))));
    lines.extend(omissions(report).iter().map(|omission| format!("left out: {omission}")));
    lines.push(format!("wrote `{}`", report.file.display()));
    lines.push(format!("next: tallyport import FILE {}{}\n", sandbox_flag(&report.file), tenant_flag(report)));
    lines.join("\n")
}

/// What the copy lacks, each with its reason.
fn omissions(report: &CopyReport) -> Vec<String> {
    let mut omissions = vec![String::from("the activity log")];
    if !report.without_holder.is_empty() {
        let items =
            report.without_holder.iter().map(|(collection, count)| format!("{} {collection}", thousands(*count)));
        let items = items.collect::<Vec<_>>().join(", ");
        omissions.push(format!("who holds what is checked out ({items}): the service does not tell; stock is right"));
    }
    if report.secrets > 0 {
        omissions.push(format!("{} of fields called a password, PIN or key", counted(report.secrets, "value")));
    }
    omissions
}

fn tenant_flag(report: &CopyReport) -> String {
    report.tenant.map_or_else(String::new, |tenant| format!(" --tenant {tenant}"))
}

fn document(report: &CopyReport) -> Json {
    let counts = |counts: &[(&str, u64)]| -> Json {
        counts.iter().map(|(collection, count)| ((*collection).to_owned(), json!(count))).collect::<Map<_, _>>().into()
    };
    json!({
        "file": report.file,
        "account": report.account,
        "tenant": report.tenant,
        "records": counts(&report.records),
        "requests": {
            "total": report.requests.total,
            "estimated": report.estimated_requests,
            "by_kind": report.requests.by_kind,
        },
        "left_out": {
            "activity_log": true,
            "without_holder": counts(&report.without_holder),
            "secrets": report.secrets,
        },
        "seconds": report.seconds,
    })
}
