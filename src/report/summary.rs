//! The end of a run: as text for people, as JSON for scripts.

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Effects, Style};
use serde_json::{Map, Value, json};

use super::text::{file_name, quoted};
use super::{ProblemGroup, RunEstimate, RunSummary, SheetSummary, UNDO};
use crate::plan::{ReportMode, RowCounts, RowStatus};
use crate::wording::{counted, duration, thousands};

const STRONG: Style = Style::new().effects(Effects::BOLD);
const FAINT: Style = Style::new().effects(Effects::DIMMED);
const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);

/// The kinds of problems that the terminal shows; the result file has them all.
const SHOWN_GROUPS: usize = 5;

/// What the terminal says at the end of a run, with colours as escape codes; ends with a line feed.
pub fn text(summary: &RunSummary) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", headline(summary));
    push_counts(&mut text, summary);
    push_problems(&mut text, summary);
    push_reading(&mut text, summary);
    push_plan(&mut text, summary);
    for remark in &summary.remarks {
        push_labelled(&mut text, "note", remark);
    }
    if let Some(result) = &summary.result {
        push_labelled(&mut text, "result", &format!("{STRONG}{}{STRONG:#}", result.display()));
    }
    push_next(&mut text, summary);
    text
}

/// `Import of assets.xlsx: 12 of 1,204 rows failed, in 2 min 5 s`.
fn headline(summary: &RunSummary) -> String {
    let what = title(summary);
    let time = duration(summary.seconds);
    let ending = match &summary.stopped {
        Some(why) => format!("{DOUBTFUL}stopped{DOUBTFUL:#} after {time}: {why}"),
        None => format!("{}, in {time}", styled_verdict(summary)),
    };
    format!("{STRONG}{what}{STRONG:#}: {ending} {FAINT}(run {}){FAINT:#}", summary.run_id)
}

fn styled_verdict(summary: &RunSummary) -> String {
    let counts = summary.counts();
    let style = match (counts.failed, counts.unknown) {
        (0, 0) if summary.left() > 0 => DOUBTFUL,
        (0, 0) => GOOD,
        (0, _) => DOUBTFUL,
        _ => BAD,
    };
    format!("{style}{}{style:#}", verdict(summary))
}

/// `all 1,204 rows succeeded`, `12 of 1,204 rows failed`.
pub(super) fn verdict(summary: &RunSummary) -> String {
    let (rows, counts, mode) = (summary.rows(), summary.counts(), summary.report_mode());
    let (fails, succeeds) = match mode {
        ReportMode::Done => ("failed", "succeeded"),
        ReportMode::DryRun => ("would fail", "would succeed"),
        ReportMode::Check => ("failed", "passed"),
    };
    let of_rows = format!("of {}", counted(rows, "row"));
    match (counts.failed, counts.unknown) {
        _ if rows == 0 => String::from("no rows"),
        (0, 0) if summary.left() > 0 => format!("{} {of_rows} could not be undone", thousands(summary.left())),
        (0, 0) if summary.command == UNDO => format!("all {} taken back", counted(rows, "step")),
        (0, 0) if rows == 1 => format!("the one row {succeeds}"),
        (0, 0) => format!("all {} {succeeds}", counted(rows, "row")),
        (0, unknown) => format!("{} {of_rows} ended unknown", thousands(unknown)),
        (failed, _) => format!("{} {of_rows} {fails}", thousands(failed)),
    }
}

/// `Dry run of assets.xlsx`; also the title of the result's Summary sheet.
pub(super) fn title(summary: &RunSummary) -> String {
    let what = match (summary.report_mode(), summary.command) {
        (ReportMode::DryRun, _) => "Dry run",
        (ReportMode::Check, _) => "Check",
        (ReportMode::Done, "delete") => "Deletion",
        (ReportMode::Done, UNDO) => "Undo",
        (ReportMode::Done, _) => "Import",
    };
    match summary.files.as_slice() {
        [] => what.to_owned(),
        [file] => format!("{what} of {}", file_name(file)),
        [file, rest @ ..] => format!("{what} of {} and {}", file_name(file), counted(rest.len() as u64, "other file")),
    }
}

/// `1,204 rows: 1,100 created, 92 updated, 12 failed`.
pub(super) fn sentence(rows: u64, counts: RowCounts, mode: ReportMode) -> String {
    let mut parts: Vec<String> = counts
        .by_label(mode)
        .into_iter()
        .filter(|line| line.2 > 0)
        .map(|(_, word, number)| format!("{} {word}", thousands(number)))
        .collect();
    let left = rows.saturating_sub(counts.rows());
    if left > 0 {
        parts.push(format!("{} not reached", thousands(left)));
    }
    match parts.is_empty() {
        true => counted(rows, "row"),
        false => format!("{}: {}", counted(rows, "row"), parts.join(", ")),
    }
}

fn push_counts(text: &mut String, summary: &RunSummary) {
    match summary.sheets.as_slice() {
        [] => text.push_str("  no sheet was read\n"),
        [sheet] => {
            let sentence = sentence(sheet.rows, sheet.counts, summary.report_mode());
            let _ = writeln!(text, "  {} {FAINT}({}){FAINT:#}", coloured(&sentence, sheet.counts), sheet.entity);
        }
        sheets => push_table(text, summary, sheets),
    }
}

/// Red where a row failed: the eye finds it, the word says it.
fn coloured(sentence: &str, counts: RowCounts) -> String {
    let failed = format!("{} failed", thousands(counts.failed));
    match counts.failed {
        0 => sentence.to_owned(),
        _ => sentence.replacen(&failed, &format!("{BAD}{failed}{BAD:#}"), 1),
    }
}

/// One line per sheet and one for the total; columns that are empty throughout are left out.
fn push_table(text: &mut String, summary: &RunSummary, sheets: &[SheetSummary]) {
    let (mode, total) = (summary.report_mode(), summary.counts());
    let columns: Vec<(RowStatus, &str)> =
        total.by_label(mode).into_iter().filter(|line| line.2 > 0).map(|line| (line.0, line.1)).collect();
    let header = ["sheet", "holds", "rows"].into_iter().chain(columns.iter().map(|column| column.1));
    let mut lines: Vec<Vec<String>> = vec![header.map(str::to_owned).collect()];
    let line = |label: &str, entity: &str, rows: u64, counts: RowCounts| {
        let numbers = columns.iter().map(|column| number_of(counts, mode, column.1));
        [label.to_owned(), entity.to_owned(), thousands(rows)].into_iter().chain(numbers).collect::<Vec<_>>()
    };
    lines.extend(sheets.iter().map(|sheet| line(&summary.label(sheet), sheet.entity, sheet.rows, sheet.counts)));
    lines.push(line("total", "", summary.rows(), total));
    push_aligned(text, &lines);
    if summary.rows_left() > 0 {
        let _ = writeln!(text, "  {} not reached", counted(summary.rows_left(), "row"));
    }
}

fn number_of(counts: RowCounts, mode: ReportMode, word: &str) -> String {
    let number = counts.by_label(mode).into_iter().find(|line| line.1 == word).map_or(0, |line| line.2);
    if number == 0 { String::from("-") } else { thousands(number) }
}

/// The first two columns to the left, numbers to the right; the first line faint, the last strong.
fn push_aligned(text: &mut String, lines: &[Vec<String>]) {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (number, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let joined = cells.collect::<Vec<_>>().join("  ");
        let style = match number {
            0 => FAINT,
            number if number + 1 == lines.len() => STRONG,
            _ => Style::new(),
        };
        let _ = writeln!(text, "  {style}{}{style:#}", joined.trim_end());
    }
}

fn push_problems(text: &mut String, summary: &RunSummary) {
    let groups = summary.problems.groups();
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", problems_sentence(summary));
    let several = summary.sheets.len() > 1;
    for group in groups.iter().take(SHOWN_GROUPS) {
        push_group(text, group, several);
    }
    let hidden = groups.len().saturating_sub(SHOWN_GROUPS) as u64;
    if hidden > 0 {
        let kinds = if hidden == 1 { "kind" } else { "kinds" };
        let _ = writeln!(text, "  {FAINT}and {} more {kinds} of problem{FAINT:#}", thousands(hidden));
    }
    text.push('\n');
}

/// `14 problems in 12 rows`.
pub(super) fn problems_sentence(summary: &RunSummary) -> String {
    let problems = counted(summary.problems.total(), "problem");
    match summary.counts().failed {
        0 => problems,
        failed => format!("{problems} in {}", counted(failed, "row")),
    }
}

fn push_group(text: &mut String, group: &ProblemGroup, several: bool) {
    let _ = writeln!(
        text,
        "  {BAD}{:>6} ×{BAD:#} {}{} {FAINT}({}){FAINT:#}",
        thousands(group.count),
        group.code.title(),
        group_place(group, several),
        group.code.as_str()
    );
    let examples: Vec<String> =
        group.examples.iter().map(|example| found_at(&example.address(), &example.found)).collect();
    let more = if group.count > examples.len() as u64 { ", …" } else { "" };
    let _ = writeln!(text, "           {}{more}", examples.join(", "));
    let Some(first) = group.examples.first() else { return };
    let _ = match group.shared_message() {
        Some(message) => writeln!(text, "           {message}"),
        None => writeln!(text, "           {}: {}", first.address(), first.message),
    };
    let _ = match group.shared_hint() {
        Some("") => Ok(()),
        Some(hint) => writeln!(text, "           hint: {hint}"),
        None if first.hint.is_empty() => Ok(()),
        None => writeln!(text, "           hint for {}: {}", first.address(), first.hint),
    };
}

/// `` in `Location` of assets``, as far as it is known and needed.
fn group_place(group: &ProblemGroup, several: bool) -> String {
    let header = group.header.as_deref().map(str::trim).filter(|header| !header.is_empty());
    match (header, several) {
        (Some(header), true) => format!(" in `{header}` of {}", group.sheet),
        (Some(header), false) => format!(" in `{header}`"),
        (None, true) => format!(" in {}", group.sheet),
        (None, false) => String::new(),
    }
}

fn found_at(address: &str, found: &str) -> String {
    match found.trim() {
        "" => address.to_owned(),
        _ => format!("{address} `{found}`"),
    }
}

/// Ignored columns with the sheets that have them: people repeat a column on every sheet.
fn ignored_columns(summary: &RunSummary) -> Vec<(&[String], Vec<Cow<'_, str>>)> {
    let mut grouped: Vec<(&[String], Vec<Cow<'_, str>>)> = Vec::new();
    for sheet in summary.sheets.iter().filter(|sheet| !sheet.ignored.is_empty()) {
        match grouped.iter_mut().find(|(columns, _)| *columns == sheet.ignored.as_slice()) {
            Some((_, sheets)) => sheets.push(summary.label(sheet)),
            None => grouped.push((&sheet.ignored, vec![summary.label(sheet)])),
        }
    }
    grouped
}

/// How the files were read: decoding, ignored columns, sheets that were left out.
fn push_reading(text: &mut String, summary: &RunSummary) {
    for sheet in &summary.sheets {
        if let Some(decoding) = &sheet.decoding {
            push_labelled(text, "read", &format!("{} as {decoding}", summary.label(sheet)));
        }
    }
    for (columns, sheets) in ignored_columns(summary) {
        let of = if summary.sheets.len() == 1 { String::new() } else { format!(" of {}", sheets.join(", ")) };
        let noun = if columns.len() == 1 { "column" } else { "columns" };
        push_labelled(text, "ignored", &format!("{noun} {}{of}", quoted(columns)));
    }
    for (name, why) in &summary.skipped_sheets {
        push_labelled(text, "not read", &format!("sheet `{name}`: {why}"));
    }
}

fn push_plan(text: &mut String, summary: &RunSummary) {
    if let Some(planned) = &summary.planned {
        push_labelled(text, "plan", &plan_sentence(planned));
        return;
    }
    if summary.requests.total > 0 {
        push_labelled(text, "requests", &requests_sentence(summary));
    }
}

/// `1,180 requests, about 1 min at 10,000 an hour; 3 e-mails to 2 people`.
pub(crate) fn plan_sentence(planned: &RunEstimate) -> String {
    let mut sentence = format!("{}, about {}", counted(planned.requests, "request"), duration(planned.seconds as f64));
    if let Some(quota) = planned.quota {
        let _ = write!(sentence, " at {} an hour", thousands(u64::from(quota)));
    }
    if planned.emails > 0 {
        let people = if planned.people == 1 { "1 person" } else { &format!("{} people", thousands(planned.people)) };
        let _ = write!(sentence, "; the service would send {} to {people}", counted(planned.emails, "e-mail"));
    }
    sentence
}

/// `434: 16 to look up, 408 to create or move, 10 to update`. JSON has them by endpoint.
pub(super) fn requests_sentence(summary: &RunSummary) -> String {
    let of = |method: &str| -> u64 {
        let kinds = summary.requests.by_kind.iter();
        kinds.filter(|(kind, _)| kind.split(' ').next() == Some(method)).map(|(_, number)| number).sum()
    };
    let purposes =
        [("GET", "to look up"), ("POST", "to create or move"), ("PUT", "to update"), ("DELETE", "to delete")];
    let spent: Vec<String> = purposes
        .iter()
        .map(|(method, purpose)| (of(method), purpose))
        .filter(|(number, _)| *number > 0)
        .map(|(number, purpose)| format!("{} {purpose}", thousands(number)))
        .collect();
    match spent.as_slice() {
        [] => thousands(summary.requests.total),
        spent => format!("{}: {}", thousands(summary.requests.total), spent.join(", ")),
    }
}

fn push_next(text: &mut String, summary: &RunSummary) {
    let first = first_of_all(summary).filter(|_| !summary.next.is_empty());
    if let Some(first) = first {
        push_labelled(text, "next", &format!("{first}, then run"));
    }
    for (number, command) in summary.next.iter().enumerate() {
        let label = match (number, first) {
            (0, None) => "next",
            (0, Some(_)) => "",
            _ => "or",
        };
        push_labelled(text, label, &format!("{STRONG}{command}{STRONG:#}"));
    }
}

/// What people do before the next command; nothing where a run was cut short, since going on comes first.
fn first_of_all(summary: &RunSummary) -> Option<&'static str> {
    if summary.command != "import" || summary.is_cut_short() {
        return None;
    }
    match (summary.counts().failed, summary.counts().unknown) {
        (0, 0) => None,
        (0, _) => Some("look into the rows that ended unknown"),
        _ if summary.dry_run => Some("correct the cells"),
        _ => Some("correct the red cells in the result"),
    }
}

fn push_labelled(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "  {FAINT}{label:<9}{FAINT:#} {value}");
}

/// What a script gets: the contract's keys first, in its order, then ours.
pub fn json(summary: &RunSummary) -> Value {
    let mut document = Map::new();
    document.insert("run_id".into(), json!(summary.run_id));
    match summary.sheets.as_slice() {
        [sheet] => document.insert("entity".into(), json!(sheet.entity)),
        sheets => document.insert("sheets".into(), sheets.iter().map(sheet_json).collect()),
    };
    document.insert("dry_run".into(), json!(summary.dry_run));
    document.insert("counts".into(), counts_json(summary.counts()));
    document.insert("requests".into(), json!({ "total": summary.requests.total, "by_kind": summary.requests.by_kind }));
    document.insert("seconds".into(), json!((summary.seconds * 1000.0).round() / 1000.0));
    document.insert("result".into(), json!(summary.result.as_ref().map(|path| path.to_string_lossy())));
    push_extras(&mut document, summary);
    Value::Object(document)
}

fn push_extras(document: &mut Map<String, Value>, summary: &RunSummary) {
    document.insert("command".into(), json!(summary.command));
    document.insert("rows".into(), json!(summary.rows()));
    document.insert("files".into(), json!(summary.files));
    if let Some(planned) = &summary.planned {
        document.insert("plan".into(), plan_json(planned));
    }
    document.insert("problems".into(), summary.problems.groups().into_iter().map(group_json).collect());
    if let [sheet] = summary.sheets.as_slice() {
        document.insert("ignored_columns".into(), json!(sheet.ignored));
    }
    document.insert(
        "skipped_sheets".into(),
        summary.skipped_sheets.iter().map(|(sheet, reason)| json!({ "sheet": sheet, "reason": reason })).collect(),
    );
    document.insert("remarks".into(), json!(summary.remarks));
    document.insert("stopped".into(), json!(summary.stopped));
    document.insert("next".into(), json!(summary.next));
}

fn sheet_json(sheet: &SheetSummary) -> Value {
    json!({
        "file": sheet.file,
        "sheet": sheet.sheet,
        "entity": sheet.entity,
        "rows": sheet.rows,
        "counts": counts_json(sheet.counts),
        "ignored_columns": sheet.ignored,
    })
}

/// The contract's six; deletions only where there are some.
pub(crate) fn counts_json(counts: RowCounts) -> Value {
    let mut value = json!({
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "unknown": counts.unknown,
    });
    if counts.deleted > 0 {
        value["deleted"] = json!(counts.deleted);
    }
    value
}

fn plan_json(planned: &RunEstimate) -> Value {
    json!({
        "requests": planned.requests,
        "seconds": planned.seconds,
        "emails": planned.emails,
        "people": planned.people,
        "quota": planned.quota,
    })
}

fn group_json(group: &ProblemGroup) -> Value {
    let examples: Vec<Value> = group
        .examples
        .iter()
        .map(|example| {
            json!({
                "cell": example.address(),
                "row": example.row,
                "found": example.found,
                "message": example.message,
                "hint": Some(&example.hint).filter(|hint| !hint.is_empty()),
            })
        })
        .collect();
    json!({
        "sheet": group.sheet,
        "code": group.code.as_str(),
        "title": group.code.title(),
        "column": group.header,
        "count": group.count,
        "examples": examples,
    })
}

#[cfg(test)]
mod tests;
