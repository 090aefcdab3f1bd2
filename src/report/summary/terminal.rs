//! The summary of a run for a terminal.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

use super::super::change_tally::{ChangeGroup, change_text};
use super::super::run_summary::{RunCommand, RunSummary, SheetSummary};
use super::super::tally::ProblemGroup;
use super::super::tally::shortened;
use super::super::text::{by_reason, quoted};
use super::sentences::{plan_sentence, problems_sentence, requests_sentence, result_extent, sentence, title, verdict};
use crate::mapping::{IgnoredColumn, MappedColumn, SheetMapping};
use crate::plan::{ReportMode, RowCounts, RowStatus};
use crate::schema::TELLING_FIELDS;
use crate::terminal::{ERROR as BAD, FAINT, GOOD, STRONG, Style, WARNING as DOUBTFUL};
use crate::wording::{counted, duration, thousands};

/// How many kinds of problems the terminal shows; the result file has them all.
const SHOWN_GROUPS: usize = 5;

/// How many changed fields the terminal shows.
const SHOWN_CHANGES: usize = 10;

/// Up to so many sheets, their mappings are shown whole.
const WHOLE_MAPPINGS: usize = 3;

/// The characters of a header that the mapping shows.
const LONGEST_HEADER: usize = 40;

/// Where the text behind a label begins.
const INDENT: usize = 12;

/// The summary for a terminal, with colours as escape codes; ends with a line feed. Lists go up to column `width`.
pub(crate) fn text(summary: &RunSummary, width: usize) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", headline(summary));
    push_counts(&mut text, summary);
    push_problems(&mut text, summary);
    push_changes(&mut text, summary);
    push_reading(&mut text, summary, width);
    push_plan(&mut text, summary);
    for remark in &summary.remarks {
        push_labelled(&mut text, "note", &remark.message);
    }
    if let Some(result) = &summary.result {
        let extent = result_extent(summary).map(|extent| format!(" ({extent})")).unwrap_or_default();
        push_labelled(&mut text, "result", &format!("{STRONG}{}{STRONG:#}{extent}", result.display()));
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
    // A check or a dry run leaves nothing behind that could be named by its id.
    let id = match summary.report_mode() {
        ReportMode::Done => format!(" {FAINT}(run {}){FAINT:#}", summary.run_id),
        ReportMode::DryRun | ReportMode::Check => String::new(),
    };
    format!("{STRONG}{what}{STRONG:#}: {ending}{id}")
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

fn push_counts(text: &mut String, summary: &RunSummary) {
    match summary.sheets.as_slice() {
        [] if summary.command == RunCommand::Apply => {
            text.push_str("  the plan holds no changes\n");
        }
        [] => text.push_str("  no sheet was read\n"),
        [sheet] => {
            let sentence = sentence(sheet.rows, sheet.counts, summary.report_mode());
            let _ =
                writeln!(text, "  {} {FAINT}({}){FAINT:#}", highlight_failed(&sentence, sheet.counts), sheet.entity);
        }
        sheets => push_table(text, summary, sheets),
    }
}

/// Highlights the number of failed rows, if there are any.
fn highlight_failed(sentence: &str, counts: RowCounts) -> String {
    let failed = format!("{} failed", thousands(counts.failed));
    match counts.failed {
        0 => sentence.to_owned(),
        _ => sentence.replacen(&failed, &format!("{BAD}{failed}{BAD:#}"), 1),
    }
}

/// Appends a line per sheet and one for the total, without columns that are empty throughout.
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

/// Appends lines of a table: the first two columns left-aligned, numbers right-aligned.
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
            _ => Style::PLAIN,
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

/// Such as `` in `Location` of assets``, as far as it is known and needed.
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

/// The fields of those that are shown of a run, beside the telling ones.
const SHOWN_DONE: usize = 1;

/// Appends what updates change: a line per field with the first change.
fn push_changes(text: &mut String, summary: &RunSummary) {
    let is_telling = |group: &&ChangeGroup| TELLING_FIELDS.contains(&&*group.field);
    let (telling, others): (Vec<_>, Vec<_>) = summary.changes.groups().iter().partition(is_telling);
    let groups = [telling.as_slice(), &others].concat();
    let several = summary.sheets.len() > 1;
    // What was done is marked in the result; what would be done is to be looked at before.
    let most = if summary.dry_run { SHOWN_CHANGES } else { SHOWN_DONE.max(telling.len()) };
    for (number, group) in groups.iter().take(most).enumerate() {
        let Some(first) = group.examples.first() else { continue };
        let of = if several { format!(" of {}", group.sheet) } else { String::new() };
        let (count, change) = (counted(group.count, "row"), change_text(&first.old, &first.new));
        let more = if group.count > 1 { ", …" } else { "" };
        let label = if number == 0 { "changes" } else { "" };
        push_labelled(text, label, &format!("{}{of} in {count}: {} {change}{more}", group.field, first.cell));
    }
    let hidden = groups.len().saturating_sub(most);
    if hidden > 0 {
        push_labelled(text, "", &format!("and {}: see the result file", counted(hidden as u64, "more field")));
    }
}

/// Ignored columns, grouped by the sheets that have the same ones.
fn ignored_columns(summary: &RunSummary) -> Vec<(&[IgnoredColumn], Vec<Cow<'_, str>>)> {
    let mut grouped: Vec<(&[IgnoredColumn], Vec<Cow<'_, str>>)> = Vec::new();
    for sheet in summary.sheets.iter().filter(|sheet| !sheet.ignored.is_empty()) {
        match grouped.iter_mut().find(|(columns, _)| *columns == sheet.ignored.as_slice()) {
            Some((_, sheets)) => sheets.push(summary.label(sheet)),
            None => grouped.push((&sheet.ignored, vec![summary.label(sheet)])),
        }
    }
    grouped
}

/// Why a column is ignored that a preset knows and leaves out.
const BY_PRESET: &str = "ignored by the preset";

/// The columns of those that are named: an export of another tool has dozens.
const SHOWN_BY_PRESET: usize = 4;

/// Appends ignored columns, a line for each reason, and below it what the user may do about them.
fn push_ignored(text: &mut String, columns: &[IgnoredColumn], of: &str, width: usize) {
    for (reason, names) in by_reason(columns) {
        let noun = if names.len() == 1 { "column" } else { "columns" };
        let Some(reason) = reason else {
            push_labelled(text, "ignored", &wrapped(&format!("{noun} {}{of}", quoted(&names)), width));
            continue;
        };
        if reason == BY_PRESET && names.len() > SHOWN_BY_PRESET {
            let (count, shown) = (thousands(names.len() as u64), quoted(&names[..SHOWN_BY_PRESET]));
            push_labelled(text, "ignored", &format!("{count} columns that the preset leaves out{of}: {shown}, …"));
            continue;
        }
        let (why, hint) = reason.split_once("; ").map_or((reason, None), |(why, hint)| (why, Some(hint)));
        push_labelled(text, "ignored", &wrapped(&format!("{}{of}: {why}", quoted(&names)), width));
        if let Some(hint) = hint {
            push_labelled(text, "", hint);
        }
    }
}

/// Appends how the files were read: decoding, ignored columns, skipped sheets.
fn push_reading(text: &mut String, summary: &RunSummary, width: usize) {
    for sheet in &summary.sheets {
        if let Some(decoding) = &sheet.decoding {
            push_labelled(text, "read", &format!("{} as {decoding}", summary.label(sheet)));
        }
    }
    for mapping in &summary.mapping {
        push_mapping(text, mapping, summary.mapping.len(), width);
    }
    for (columns, sheets) in ignored_columns(summary) {
        let of = if summary.sheets.len() == 1 { String::new() } else { format!(" of {}", sheets.join(", ")) };
        push_ignored(text, columns, &of, width);
    }
    for (name, why) in &summary.skipped_sheets {
        push_labelled(text, "not read", &format!("{name}: {why}"));
    }
}

/// The header row and what its columns feed: `row 1: Tag → asset_id, notes`.
fn push_mapping(text: &mut String, mapping: &SheetMapping, sheets: usize, width: usize) {
    let of = if sheets > 1 { format!(" of {}", mapping.sheet) } else { String::new() };
    let row = match mapping.header_row {
        0 => String::new(),
        row => format!("row {}{of}: ", thousands(row)),
    };
    let columns: Vec<String> = mapping.used().map(mapped_column).collect();
    let line = format!("{row}{}", columns.join(", "));
    // Many sheets get a line each; the result file and `--json` have the rest.
    let line = if sheets > WHOLE_MAPPINGS { shortened(&line, width - INDENT) } else { wrapped(&line, width) };
    push_labelled(text, "header", &line);
    let read_only: Vec<&str> =
        mapping.ignored().filter(|column| column.is_read_only()).map(|column| column.header.as_str()).collect();
    if mapping.is_exported && !read_only.is_empty() {
        push_labelled(text, "read-only", &wrapped(&format!("{}{of}", read_only.join(", ")), width));
    }
}

/// `Tag → asset_id`, or the name alone where the header is the field's own; with how the values are read.
fn mapped_column(column: &MappedColumn) -> String {
    let field = column.field.as_deref().unwrap_or_default();
    let header = shortened(&column.header, LONGEST_HEADER);
    let mapped = if header == field { header } else { format!("{header} → {field}") };
    match &column.reading {
        Some(reading) => format!("{mapped} ({reading})"),
        None => mapped,
    }
}

/// A list over as many lines as it takes, broken between its parts.
fn wrapped(list: &str, width: usize) -> String {
    let (mut text, mut column) = (String::new(), INDENT);
    for part in list.split_inclusive(", ") {
        let length = part.trim_end().chars().count();
        if column > INDENT && column + length > width {
            text.truncate(text.trim_end().len());
            let _ = write!(text, "\n{:INDENT$}", "");
            column = INDENT;
        }
        text.push_str(part);
        column += part.chars().count();
    }
    text
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

fn push_next(text: &mut String, summary: &RunSummary) {
    let first = step_before_next(summary).filter(|_| !summary.next.is_empty());
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

/// What to do before the next command; nothing if the run was cut short, because resuming comes first, or if no command
/// reads the rows again.
fn step_before_next(summary: &RunSummary) -> Option<&'static str> {
    let reads_rows = |command: &String| [" import ", " check "].iter().any(|verb| command.contains(verb));
    if summary.is_cut_short() || !summary.next.first().is_some_and(reads_rows) {
        return None;
    }
    match (summary.counts().failed, summary.counts().unknown) {
        (0, 0) => None,
        (0, _) => Some("review the rows with status `unknown`"),
        _ if summary.result.is_none() && summary.command == RunCommand::Check => None,
        _ if summary.result.is_none() => Some("correct the cells"),
        _ if summary.command == RunCommand::Check => {
            Some("correct the failed rows in the original file (`_message` has their row numbers)")
        }
        _ if summary.result.as_deref().is_some_and(is_plain_text) => Some("correct the failed rows in the result"),
        _ => Some("correct the red cells in the result"),
    }
}

/// Whether a result has no colours.
fn is_plain_text(result: &Path) -> bool {
    !result.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"))
}

fn push_labelled(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "  {FAINT}{label:<9}{FAINT:#} {value}");
}
