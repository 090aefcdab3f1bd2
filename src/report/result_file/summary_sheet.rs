//! The Summary sheet: the outcome, what to do next, counts with a chart, and problems.

use jiff::civil::DateTime;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::change_tally::change_text;
use super::super::run_summary::{RunCommand, RunSummary};
use super::super::summary::{plan_sentence, problems_sentence, requests_sentence, result_extent, title, verdict};
use super::super::tally::ProblemGroup;
use super::super::text::{by_reason, capitalised, quoted};
use super::chart::{self, CountsTable};
use super::styles::status_colors;
use super::summary_grid::{self, LAST, SummaryGrid};
use super::summary_notes::{ResultCell, SummaryNotes};
use crate::mapping::SheetMapping;
use crate::plan::{ReportMode, RowCounts, RowStatus};
use crate::run::input::own_sheets::{EARLIER_RUN_FACT, RUN_FACT, SUMMARY_SHEET};
use crate::table::ColumnName;
use crate::table::write::page::{write_formula, write_link};
use crate::wording::{counted, duration};

/// The last column left of the chart.
const LEFT: u16 = 8;
/// The chart's left edge.
const CHART: u16 = 10;
/// The rows the chart needs at least.
const CHART_ROWS: u32 = 12;
/// Kinds of problems listed; the rows themselves tell the rest.
const MAX_GROUPS: usize = 50;

/// The columns of the problems' table: title, first and last column of the grid.
const PROBLEM_COLUMNS: [(&str, (u16, u16)); 8] = [
    ("Sheet", (0, 0)),
    ("Count", (1, 1)),
    ("Column", (2, 3)),
    ("Problem", (4, 6)),
    ("First at", (7, 7)),
    ("Found", (8, 9)),
    ("Message", (10, 12)),
    ("Hint", (13, LAST)),
];

/// Writes the Summary of a run that began at `began`.
pub(super) fn write(
    sheet: &mut Worksheet,
    summary: &RunSummary,
    notes: &SummaryNotes,
    began: DateTime,
) -> Result<(), XlsxError> {
    let styles = summary_grid::styles();
    let mut grid = SummaryGrid::new(sheet, &styles)?;
    head(&mut grid, summary)?;
    next_steps(&mut grid, summary)?;
    let top = grid.row;
    facts(&mut grid, summary, began)?;
    let table = counts(&mut grid, summary)?;
    place_chart(&mut grid, table, top)?;
    problems(&mut grid, summary, notes)?;
    lists(&mut grid, summary, notes)
}

/// The title, the verdict, and what is special about this run.
fn head(grid: &mut SummaryGrid<'_>, summary: &RunSummary) -> Result<(), XlsxError> {
    let styles = grid.styles;
    grid.sheet.set_row_height(0, 32)?;
    grid.line(&title(summary), &styles.title)?;
    grid.sheet.set_row_height(1, 20)?;
    grid.line(&capitalised(&verdict(summary)), &styles.lead)?;
    if let Some((status, text)) = banner(summary) {
        let colors = status_colors(status);
        let format = styles.plain.clone().set_bold().set_background_color(colors.fill).set_font_color(colors.ink);
        grid.span((0, LAST), &text, &format)?;
        grid.row += 1;
    }
    grid.row += 1;
    Ok(())
}

fn banner(summary: &RunSummary) -> Option<(RowStatus, String)> {
    if let Some(why) = &summary.stopped {
        return Some((RowStatus::Unknown, format!("Stopped before the last row: {why}")));
    }
    match summary.report_mode() {
        ReportMode::DryRun => {
            Some((RowStatus::Unknown, "A dry run: nothing was sent, this is what would happen".to_owned()))
        }
        ReportMode::Check => {
            Some((RowStatus::Skipped, "An offline check: nothing was sent, and names were not looked up".to_owned()))
        }
        ReportMode::Done => None,
    }
}

fn next_steps(grid: &mut SummaryGrid<'_>, summary: &RunSummary) -> Result<(), XlsxError> {
    let (styles, counts) = (grid.styles, summary.counts());
    let mut steps = Vec::new();
    if summary.is_cut_short() {
        steps.push(String::from(
            "This run is incomplete. Resume it first, then fix the red cells in the new result file.",
        ));
    } else if let Some(extent) = result_extent(summary) {
        steps.push(format!("This file holds {extent}."));
        if counts.failed > 0 {
            steps.extend([
                "Red cells are wrong: point at one to read why and how to fix it.".to_owned(),
                "Correct these rows in the original file: _message has their row numbers there.".to_owned(),
            ]);
        }
    } else if counts.failed > 0 {
        let failed = RowStatus::Failed.label(summary.report_mode());
        steps.push(format!(
            "Filter _status for “{failed}”. Red cells are wrong: point at one to read why and how to fix it."
        ));
        steps.push(String::from(match summary.command {
            RunCommand::Apply => {
                "A plan is applied once. For what is left, make a new plan from the sources and have it approved."
            }
            RunCommand::Undo => "Undo the run again. What is undone already stays as it is.",
            _ => "Fix them in this file and save it. The columns _status, _id and _message stay as they are.",
        }));
    }
    if counts.unknown > 0 && !summary.is_cut_short() {
        steps.push(String::from("Review rows with status “unknown”: _message says what to look for in BlueTally."));
    }
    if steps.is_empty() && summary.next.is_empty() {
        return Ok(());
    }
    grid.section("What to do next", LAST)?;
    for (number, step) in (1..).zip(&steps) {
        grid.line(&format!("{number}.  {step}"), &styles.plain)?;
    }
    for (at, command) in summary.next.iter().enumerate() {
        let number = steps.len() + 1;
        let label = if at == 0 { format!("{number}.  Then run") } else { "     or run".to_owned() };
        grid.sheet.write_string_with_format(grid.row, 0, label, &styles.plain)?;
        grid.span((1, LAST), command, &styles.command)?;
        grid.row += 1;
    }
    grid.row += 1;
    Ok(())
}

fn facts(grid: &mut SummaryGrid<'_>, summary: &RunSummary, began: DateTime) -> Result<(), XlsxError> {
    grid.section("The run", LEFT)?;
    fact(grid, RUN_FACT, &summary.run_id)?;
    if let Some(earlier) = &summary.earlier_run {
        fact(grid, EARLIER_RUN_FACT, earlier)?;
    }
    fact(grid, "Date", &began.strftime("%Y-%m-%d %H:%M").to_string())?;
    fact(grid, if summary.files.len() == 1 { "File" } else { "Files" }, &summary.files.join(", "))?;
    for (label, text) in &summary.approval {
        fact(grid, label, text)?;
    }
    fact(grid, "Took", &duration(summary.seconds))?;
    match &summary.planned {
        Some(planned) => fact(grid, "Would take", &plan_sentence(planned))?,
        None if summary.requests.total > 0 => fact(grid, "Requests", &requests_sentence(summary))?,
        None => {}
    }
    if !summary.options.is_empty() {
        let options: Vec<String> = summary.options.iter().map(|(name, value)| format!("{name} {value}")).collect();
        fact(grid, "Options", options.join("\n").trim())?;
    }
    grid.row += 1;
    Ok(())
}

fn fact(grid: &mut SummaryGrid<'_>, label: &str, value: &str) -> Result<(), XlsxError> {
    let styles = grid.styles;
    grid.sheet.write_string_with_format(grid.row, 0, label, &styles.label)?;
    grid.span((1, LEFT), value, &styles.wrapped)?;
    grid.fit([((1, LEFT), value)])?;
    grid.row += 1;
    Ok(())
}

/// The table of rows by sheet and status; none without a sheet.
fn counts(grid: &mut SummaryGrid<'_>, summary: &RunSummary) -> Result<Option<CountsTable>, XlsxError> {
    let columns: Vec<(RowStatus, &str)> = summary
        .counts()
        .by_label(summary.report_mode())
        .into_iter()
        .filter(|line| line.2 > 0)
        .map(|line| (line.0, line.1))
        .collect();
    if summary.sheets.is_empty() {
        return Ok(None);
    }
    let styles = grid.styles;
    grid.section("Rows", LEFT)?;
    let head = grid.row;
    grid.sheet.write_string_with_format(head, 0, "Sheet", &styles.head)?;
    let titles = std::iter::once("Rows").chain(columns.iter().map(|column| column.1));
    for (column, title) in (1..).zip(titles) {
        grid.sheet.write_string_with_format(head, column, capitalised(title), &styles.head_right)?;
    }
    grid.row += 1;
    for sheet in &summary.sheets {
        let label = summary.label(sheet);
        grid.sheet.write_string_with_format(grid.row, 0, &*label, &styles.cell)?;
        let numbers =
            std::iter::once(sheet.rows).chain(columns.iter().map(|column| count_of(sheet.counts, summary, column.1)));
        for (column, number) in (1..).zip(numbers) {
            grid.sheet.write_number_with_format(grid.row, column, number as f64, &styles.number)?;
        }
        grid.fit([((0, 0), &*label)])?;
        grid.row += 1;
    }
    let table = CountsTable { head, last: grid.row - 1, columns: columns.iter().map(|column| column.0).collect() };
    if summary.sheets.len() > 1 {
        totals(grid, summary, &columns, &table)?;
    }
    Ok(Some(table))
}

fn count_of(counts: RowCounts, summary: &RunSummary, word: &str) -> u64 {
    counts.by_label(summary.report_mode()).into_iter().find(|line| line.1 == word).map_or(0, |line| line.2)
}

/// Real sums, so that the numbers can be checked and the table can be worked with.
fn totals(
    grid: &mut SummaryGrid<'_>,
    summary: &RunSummary,
    columns: &[(RowStatus, &str)],
    table: &CountsTable,
) -> Result<(), XlsxError> {
    let styles = grid.styles;
    grid.sheet.write_string_with_format(grid.row, 0, "Total", &styles.total)?;
    let numbers = columns.iter().map(|column| count_of(summary.counts(), summary, column.1));
    for (column, number) in (1..).zip(std::iter::once(summary.rows()).chain(numbers)) {
        let letters = ColumnName(u32::from(column));
        let sum = format!("=SUM({letters}{}:{letters}{})", table.head + 2, table.last + 1);
        write_formula(grid.sheet, (grid.row, column), &sum, number, &styles.total_number)?;
    }
    grid.row += 1;
    Ok(())
}

/// Places the chart right of the facts and the table, and continues below both.
fn place_chart(grid: &mut SummaryGrid<'_>, table: Option<CountsTable>, top: u32) -> Result<(), XlsxError> {
    let Some(table) = table.filter(|table| !table.columns.is_empty()) else {
        grid.row += 1;
        return Ok(());
    };
    let rows = (grid.row - top).max(CHART_ROWS);
    let chart = chart::chart(SUMMARY_SHEET, &table, rows);
    grid.sheet.insert_chart(top, CHART, &chart)?;
    grid.row = top + rows + 1;
    Ok(())
}

fn problems(grid: &mut SummaryGrid<'_>, summary: &RunSummary, notes: &SummaryNotes) -> Result<(), XlsxError> {
    let groups = summary.problems.groups();
    if groups.is_empty() {
        return Ok(());
    }
    let styles = grid.styles;
    grid.section(&capitalised(&problems_sentence(summary)), LAST)?;
    for (title, span) in PROBLEM_COLUMNS {
        let format = if title == "Count" { &styles.head_centre } else { &styles.head };
        grid.span(span, title, format)?;
    }
    grid.row += 1;
    for group in groups.iter().take(MAX_GROUPS) {
        problem(grid, group, notes)?;
    }
    if let Some(hidden) = groups.len().checked_sub(MAX_GROUPS).filter(|&hidden| hidden > 0) {
        let kinds = counted(hidden as u64, "more kind");
        grid.line(&format!("{kinds}: see the column _message of the sheets"), &styles.label)?;
    }
    grid.row += 1;
    Ok(())
}

fn problem(grid: &mut SummaryGrid<'_>, group: &ProblemGroup, notes: &SummaryNotes) -> Result<(), XlsxError> {
    let styles = grid.styles;
    let Some(first) = group.examples.first() else { return Ok(()) };
    let spans = PROBLEM_COLUMNS.map(|column| column.1);
    let place = notes.place(&group.sheet, group.code, first);
    let message = place.and_then(|place| place.message.as_deref()).unwrap_or(&first.message);
    let texts: [&str; 8] = [
        &group.sheet,
        "",
        group.header.as_deref().unwrap_or_default(),
        &capitalised(group.code.title()),
        "",
        &first.found,
        message,
        &first.hint,
    ];
    for (span, text) in spans.into_iter().zip(texts) {
        grid.span(span, text, &styles.cell)?;
    }
    grid.sheet.write_number_with_format(grid.row, spans[1].0, group.count as f64, &styles.centre)?;
    match place {
        Some(ResultCell { sheet, cell, .. }) => {
            write_link(grid.sheet, (grid.row, spans[4].0), (sheet, *cell), &cell.to_string(), &styles.link)?;
        }
        None => grid.span(spans[4], &first.address(), &styles.cell)?,
    }
    grid.fit(spans.into_iter().zip(texts))?;
    grid.row += 1;
    Ok(())
}

/// What was left out, and the remarks.
fn lists(grid: &mut SummaryGrid<'_>, summary: &RunSummary, notes: &SummaryNotes) -> Result<(), XlsxError> {
    let ignored = summary.sheets.iter().flat_map(|sheet| {
        let line = |(reason, names): (Option<&str>, Vec<&str>)| match reason {
            Some(reason) => format!("{}: {reason}", quoted(names)),
            None => quoted(names),
        };
        by_reason(&sheet.ignored).into_iter().map(move |group| (summary.label(sheet).into_owned(), line(group)))
    });
    list(grid, "Columns that were ignored", ignored.collect())?;
    list(grid, "Sheets that were not read", summary.skipped_sheets.clone())?;
    let decoded =
        summary.sheets.iter().filter_map(|sheet| Some((summary.label(sheet).into_owned(), sheet.decoding.clone()?)));
    list(grid, "How the text was read", decoded.collect())?;
    list(grid, "Columns and their fields", summary.mapping.iter().flat_map(mapping_lines).collect())?;
    let changes = summary.changes.groups().iter().map(|group| {
        let examples: Vec<String> = group
            .examples
            .iter()
            .map(|example| format!("{} {}", example.cell, change_text(&example.old, &example.new)))
            .collect();
        let more = if group.count > examples.len() as u64 { ", …" } else { "" };
        let text = format!("{} in {}: {}{more}", group.field, counted(group.count, "row"), examples.join(", "));
        (group.sheet.to_string(), text)
    });
    let title = if summary.dry_run { "What updates would change" } else { "What updates changed" };
    list(grid, title, changes.collect())?;
    let remarks = summary.remarks.iter().map(|remark| remark.message.clone()).chain(notes.remarks());
    list(grid, "Remarks", remarks.map(|remark| (String::new(), remark)).collect())
}

/// A line per column of a sheet: where its header is, what it feeds, and why.
fn mapping_lines(mapping: &SheetMapping) -> impl Iterator<Item = (String, String)> + '_ {
    mapping.columns.iter().map(|column| {
        let header = if column.header.is_empty() { "no header" } else { &column.header };
        let text = match (&column.field, &column.reading) {
            (Some(field), None) => format!("{}  {header} → {field}  ({})", column.cell, column.why),
            (Some(field), Some(reading)) => format!("{}  {header} → {field}  ({}; {reading})", column.cell, column.why),
            (None, _) => format!("{}  {header}: ignored, {}", column.cell, column.why),
        };
        (mapping.sheet.clone(), text)
    })
}

/// Labelled lines; a line without a label takes the whole width.
fn list(grid: &mut SummaryGrid<'_>, title: &str, lines: Vec<(String, String)>) -> Result<(), XlsxError> {
    if lines.is_empty() {
        return Ok(());
    }
    let styles = grid.styles;
    grid.section(title, LAST)?;
    for (label, text) in &lines {
        let first = u16::from(!label.is_empty());
        if first == 1 {
            grid.sheet.write_string_with_format(grid.row, 0, label, &styles.plain)?;
        }
        grid.span((first, LAST), text, &styles.wrapped)?;
        grid.fit([((first, LAST), text.as_str())])?;
        grid.row += 1;
    }
    grid.row += 1;
    Ok(())
}
