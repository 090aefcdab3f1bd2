//! The summary of an export, as text and as JSON.

use std::io;

use serde_json::{Value as Json, json};

use crate::catalog::{RefreshMethod, RefreshStats};
use crate::cli::printer::Printer;
use crate::export::{ChangeCounts, ExportReport, TableReport};
use crate::wording::{counted, duration};

pub(super) fn print(report: &ExportReport, is_to_stdout: bool, printer: Printer) -> io::Result<()> {
    report.warnings().iter().for_each(|warning| printer.warn(warning));
    if printer.json {
        printer.document(&format!("{:#}\n", document(report)))?;
    } else if is_to_stdout {
        // Stdout has the data, so the summary goes to stderr.
        text(report).lines().for_each(|line| printer.note(line));
    } else {
        printer.say(&text(report))?;
    }
    Ok(())
}

fn text(report: &ExportReport) -> String {
    let account = match report.accounts.as_slice() {
        [account] => account.clone(),
        several => counted(several.len() as u64, "tenant"),
    };
    let requests = counted(report.requests.total, "request");
    let mut lines = vec![format!("Export of {account}, in {} ({requests})", duration(report.seconds))];
    let width = report.tables.iter().map(|table| table.collection.len()).max().unwrap_or(0);
    for table in &report.tables {
        let tenant = table.tenant.map_or_else(String::new, |tenant| format!("tenant {tenant}  "));
        let (rows, details) = (counted(table.rows, "row"), details(table));
        lines.push(format!("  {tenant}{:width$}  {rows:>14}  {details}", table.collection).trim_end().to_owned());
    }
    lines.extend(report.changes.map(|changes| changes_line(changes, report.tables.len())));
    lines.extend(verdict(report));
    let locations = report.files.iter().filter_map(|file| file.location.as_ref());
    lines.extend(locations.map(|location| format!("wrote `{location}`")));
    if report.deleted_files > 0 {
        lines.push(format!("deleted {}", counted(report.deleted_files as u64, "older file")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What `--verify` found.
fn verdict(report: &ExportReport) -> Option<String> {
    let compared = counted(report.compared as u64, "collection");
    match (report.compared, report.differences.len()) {
        (0, _) => None,
        (_, 0) => Some(format!("  verified: the local snapshot equals the service in {compared}")),
        (_, different) => {
            Some(format!("  verified: the local snapshot differed from the service in {different} of {compared}"))
        }
    }
}

fn changes_line(changes: ChangeCounts, tables: usize) -> String {
    if changes.first_exports == tables as u64 {
        return String::from("  changes: none yet, this is the first export of this name");
    }
    let mut line =
        format!("  changes: {} added, {} removed, {} changed", changes.added, changes.removed, changes.changed);
    if (changes.entered, changes.left) != (0, 0) {
        line.push_str(&format!(", {} entered the filters, {} left them", changes.entered, changes.left));
    }
    line
}

/// How a collection was read and filtered: `12 added, 3 changed, 1 removed; filtered here: currency=EUR`.
fn details(table: &TableReport) -> String {
    let mut details = Vec::new();
    if !table.server_filters.is_empty() {
        details.push(format!("filtered by the service: {}", table.server_filters.join(", ")));
    } else if let Some(refresh) = &table.refresh {
        details.push(refresh_text(refresh));
    }
    if !table.client_filters.is_empty() {
        details.push(format!("filtered here: {}", table.client_filters.join(", ")));
    }
    details.join("; ")
}

fn refresh_text(refresh: &RefreshStats) -> String {
    match refresh.how {
        RefreshMethod::Full => String::from("read in full"),
        RefreshMethod::Unchanged => String::from("unchanged according to the log"),
        RefreshMethod::Incremental => match (refresh.added, refresh.changed, refresh.removed) {
            (0, 0, 0) => String::from("unchanged"),
            (added, changed, removed) => format!("{added} added, {changed} changed, {removed} removed"),
        },
    }
}

fn document(report: &ExportReport) -> Json {
    let files = report.files.iter().map(|file| {
        let tables = file.tables.iter().map(|(name, rows)| json!({"name": name, "rows": rows}));
        json!({"path": file.location, "tables": tables.collect::<Vec<_>>()})
    });
    let changes = report.changes.map(|counts| {
        json!({
            "added": counts.added, "removed": counts.removed, "changed": counts.changed, "entered": counts.entered,
            "left": counts.left, "rows": counts.rows, "since": report.changes_since,
            "first_export": counts.first_exports == report.tables.len() as u64,
        })
    });
    let failed = report
        .failed_tenants
        .iter()
        .map(|failed| json!({"tenant": failed.tenant, "reason": failed.reason, "hint": failed.hint}));
    json!({
        "name": report.name,
        "sheets": report.tables.iter().map(table_document).collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "changes": changes,
        "verified": (report.compared > 0)
            .then(|| json!({"compared": report.compared, "different": report.differences.len()})),
        "as_of": report.read_at,
        "requests": {"total": report.requests.total, "by_kind": report.requests.by_kind},
        "seconds": report.seconds,
        "deleted_files": report.deleted_files,
        "failed_tenants": failed.collect::<Vec<_>>(),
        "warnings": report.warnings(),
    })
}

fn table_document(table: &TableReport) -> Json {
    let refresh = table.refresh.as_ref();
    json!({
        "entity": table.collection,
        "tenant": table.tenant,
        "rows": table.rows,
        "columns": table.columns,
        "read": refresh.map_or("asked", |refresh| method_name(refresh.how)),
        "added": refresh.map(|refresh| refresh.added),
        "changed": refresh.map(|refresh| refresh.changed),
        "removed": refresh.map(|refresh| refresh.removed),
        "asked_of_the_service": table.server_filters,
        "applied_here": table.client_filters,
    })
}

/// The name of the method in JSON, which scripts read.
fn method_name(method: RefreshMethod) -> &'static str {
    match method {
        RefreshMethod::Full => "whole",
        RefreshMethod::Incremental => "changes",
        RefreshMethod::Unchanged => "vouched",
    }
}
