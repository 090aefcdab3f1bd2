//! The Summary sheet: what a colleague would write on the first page.

use jiff::civil::DateTime;
use rust_xlsxwriter::{Formula, Url, Worksheet, XlsxError};

use super::super::summary::{plan_sentence, problems_sentence, requests_sentence, title, verdict};
use super::super::words::{capitalised, counted, duration, quoted};
use super::super::{Counts, Group, RunSummary, Status, Tense};
use super::SUMMARY_SHEET;
use super::chart::{self, Table};
use super::page::{LAST, Looks, Page};
use super::paint::tone_of;
use super::xlsx::{Address, Tail};

/// The last column of what stands left of the chart.
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
    tail: &Tail,
    began: DateTime,
) -> Result<(), XlsxError> {
    let looks = Looks::new();
    let mut page = Page::new(sheet, &looks)?;
    head(&mut page, summary)?;
    next_steps(&mut page, summary)?;
    let top = page.row;
    facts(&mut page, summary, began)?;
    let table = counts(&mut page, summary)?;
    beside(&mut page, table, top)?;
    problems(&mut page, summary, tail)?;
    lists(&mut page, summary, tail)
}

/// The title, the verdict, and what is special about this run.
fn head(page: &mut Page<'_>, summary: &RunSummary) -> Result<(), XlsxError> {
    let looks = page.looks;
    page.sheet.set_row_height(0, 32)?;
    page.line(&title(summary), &looks.title)?;
    page.sheet.set_row_height(1, 20)?;
    page.line(&capitalised(&verdict(summary)), &looks.lead)?;
    if let Some((status, text)) = banner(summary) {
        let tone = tone_of(status);
        let format = looks.text.clone().set_bold().set_background_color(tone.fill).set_font_color(tone.ink);
        page.span((0, LAST), &text, &format)?;
        page.row += 1;
    }
    page.row += 1;
    Ok(())
}

fn banner(summary: &RunSummary) -> Option<(Status, String)> {
    if let Some(why) = &summary.stopped {
        return Some((Status::Unknown, format!("Stopped before the last row: {why}")));
    }
    match summary.tense() {
        Tense::Planned => Some((Status::Unknown, "A dry run: nothing was sent, this is what would happen".to_owned())),
        Tense::Checked => {
            Some((Status::Skipped, "An offline check: nothing was sent, and names were not looked up".to_owned()))
        }
        Tense::Done => None,
    }
}

fn next_steps(page: &mut Page<'_>, summary: &RunSummary) -> Result<(), XlsxError> {
    let (looks, counts) = (page.looks, summary.counts());
    let mut steps = Vec::new();
    if summary.is_cut_short() {
        steps.push(String::from(
            "This run is incomplete. Resume it first, then fix the red cells in the new result file.",
        ));
    } else if counts.failed > 0 {
        let failed = Status::Failed.wording(summary.tense());
        steps.push(format!(
            "Filter _status for “{failed}”. Red cells are wrong: point at one to read why and how to fix it."
        ));
        steps.push(String::from(
            "Fix them in this file and save it. The columns _status, _id and _message stay as they are.",
        ));
    }
    if counts.unknown > 0 && !summary.is_cut_short() {
        steps.push(String::from("Look into the rows that ended unknown: _message says what to look for in BlueTally."));
    }
    if steps.is_empty() && summary.next.is_empty() {
        return Ok(());
    }
    page.section("What to do next", LAST)?;
    for (number, step) in (1..).zip(&steps) {
        page.line(&format!("{number}.  {step}"), &looks.text)?;
    }
    for (at, command) in summary.next.iter().enumerate() {
        let number = steps.len() + 1;
        let label = if at == 0 { format!("{number}.  Then run") } else { "     or run".to_owned() };
        page.sheet.write_string_with_format(page.row, 0, label, &looks.text)?;
        page.span((1, LAST), command, &looks.command)?;
        page.row += 1;
    }
    page.row += 1;
    Ok(())
}

fn facts(page: &mut Page<'_>, summary: &RunSummary, began: DateTime) -> Result<(), XlsxError> {
    page.section("The run", LEFT)?;
    fact(page, "Run", &summary.run_id)?;
    fact(page, "Date", &began.strftime("%Y-%m-%d %H:%M").to_string())?;
    fact(page, if summary.files.len() == 1 { "File" } else { "Files" }, &summary.files.join(", "))?;
    fact(page, "Took", &duration(summary.seconds))?;
    match &summary.planned {
        Some(planned) => fact(page, "Would take", &plan_sentence(planned))?,
        None if summary.requests.total > 0 => fact(page, "Requests", &requests_sentence(summary))?,
        None => {}
    }
    if !summary.options.is_empty() {
        let options: Vec<String> = summary.options.iter().map(|(name, value)| format!("{name} {value}")).collect();
        fact(page, "Options", options.join("\n").trim())?;
    }
    page.row += 1;
    Ok(())
}

fn fact(page: &mut Page<'_>, label: &str, value: &str) -> Result<(), XlsxError> {
    let looks = page.looks;
    page.sheet.write_string_with_format(page.row, 0, label, &looks.label)?;
    page.span((1, LEFT), value, &looks.wrapped)?;
    page.fit([((1, LEFT), value)])?;
    page.row += 1;
    Ok(())
}

/// The table of rows by sheet and status; none without a sheet.
fn counts(page: &mut Page<'_>, summary: &RunSummary) -> Result<Option<Table>, XlsxError> {
    let columns: Vec<(Status, &str)> = summary
        .counts()
        .worded(summary.tense())
        .into_iter()
        .filter(|line| line.2 > 0)
        .map(|line| (line.0, line.1))
        .collect();
    if summary.sheets.is_empty() {
        return Ok(None);
    }
    let looks = page.looks;
    page.section("Rows", LEFT)?;
    let head = page.row;
    page.sheet.write_string_with_format(head, 0, "Sheet", &looks.head)?;
    let titles = std::iter::once("Rows").chain(columns.iter().map(|column| column.1));
    for (column, title) in (1..).zip(titles) {
        page.sheet.write_string_with_format(head, column, capitalised(title), &looks.head_right)?;
    }
    page.row += 1;
    for sheet in &summary.sheets {
        let label = summary.label(sheet);
        page.sheet.write_string_with_format(page.row, 0, &*label, &looks.cell)?;
        let numbers =
            std::iter::once(sheet.rows).chain(columns.iter().map(|column| worded(sheet.counts, summary, column.1)));
        for (column, number) in (1..).zip(numbers) {
            page.sheet.write_number_with_format(page.row, column, number as f64, &looks.number)?;
        }
        page.fit([((0, 0), &*label)])?;
        page.row += 1;
    }
    let table = Table { head, last: page.row - 1, columns: columns.iter().map(|column| column.0).collect() };
    if summary.sheets.len() > 1 {
        totals(page, summary, &columns, &table)?;
    }
    Ok(Some(table))
}

fn worded(counts: Counts, summary: &RunSummary, word: &str) -> u64 {
    counts.worded(summary.tense()).into_iter().find(|line| line.1 == word).map_or(0, |line| line.2)
}

/// Real sums, so that the numbers can be checked and the table can be worked with.
fn totals(
    page: &mut Page<'_>,
    summary: &RunSummary,
    columns: &[(Status, &str)],
    table: &Table,
) -> Result<(), XlsxError> {
    let looks = page.looks;
    page.sheet.write_string_with_format(page.row, 0, "Total", &looks.total)?;
    let numbers = columns.iter().map(|column| worded(summary.counts(), summary, column.1));
    for (column, number) in (1..).zip(std::iter::once(summary.rows()).chain(numbers)) {
        let letters = crate::table::ColumnName(u32::from(column));
        let sum = Formula::new(format!("=SUM({letters}{}:{letters}{})", table.head + 2, table.last + 1));
        let sum = sum.set_result(number.to_string());
        page.sheet.write_formula_with_format(page.row, column, sum, &looks.total_number)?;
    }
    page.row += 1;
    Ok(())
}

/// Puts the chart right of the facts and the table, and goes on below both.
fn beside(page: &mut Page<'_>, table: Option<Table>, top: u32) -> Result<(), XlsxError> {
    let Some(table) = table.filter(|table| !table.columns.is_empty()) else {
        page.row += 1;
        return Ok(());
    };
    let rows = (page.row - top).max(CHART_ROWS);
    let chart = chart::chart(SUMMARY_SHEET, &table, rows);
    page.sheet.insert_chart(top, CHART, &chart)?;
    page.row = top + rows + 1;
    Ok(())
}

fn problems(page: &mut Page<'_>, summary: &RunSummary, tail: &Tail) -> Result<(), XlsxError> {
    let groups = summary.problems.groups();
    if groups.is_empty() {
        return Ok(());
    }
    let looks = page.looks;
    page.section(&capitalised(&problems_sentence(summary)), LAST)?;
    for (title, span) in PROBLEM_COLUMNS {
        let format = if title == "Count" { &looks.head_centre } else { &looks.head };
        page.span(span, title, format)?;
    }
    page.row += 1;
    for group in groups.iter().take(MAX_GROUPS) {
        problem(page, group, tail)?;
    }
    if let Some(hidden) = groups.len().checked_sub(MAX_GROUPS).filter(|&hidden| hidden > 0) {
        let kinds = counted(hidden as u64, "more kind");
        page.line(&format!("{kinds}: see the column _message of the sheets"), &looks.label)?;
    }
    page.row += 1;
    Ok(())
}

fn problem(page: &mut Page<'_>, group: &Group, tail: &Tail) -> Result<(), XlsxError> {
    let looks = page.looks;
    let Some(first) = group.examples.first() else { return Ok(()) };
    let spans = PROBLEM_COLUMNS.map(|column| column.1);
    let texts: [&str; 8] = [
        &group.sheet,
        "",
        group.header.as_deref().unwrap_or_default(),
        &capitalised(group.code.title()),
        "",
        &first.found,
        &first.message,
        &first.hint,
    ];
    for (span, text) in spans.into_iter().zip(texts) {
        page.span(span, text, &looks.cell)?;
    }
    page.sheet.write_number_with_format(page.row, spans[1].0, group.count as f64, &looks.centre)?;
    match tail.place(&group.sheet, group.code, first) {
        Some(address) => link(page, spans[4].0, address)?,
        None => page.span(spans[4], &first.address(), &looks.cell)?,
    }
    page.fit(spans.into_iter().zip(texts))?;
    page.row += 1;
    Ok(())
}

/// A link to a cell of this workbook.
fn link(page: &mut Page<'_>, column: u16, address: &Address) -> Result<(), XlsxError> {
    let sheet = address.sheet.replace('\'', "''");
    let url = Url::new(format!("internal:'{sheet}'!{}", address.cell)).set_text(address.cell.to_string());
    page.sheet.write_url_with_format(page.row, column, url, &page.looks.link).map(drop)
}

/// What was left out, and whatever else there is to know.
fn lists(page: &mut Page<'_>, summary: &RunSummary, tail: &Tail) -> Result<(), XlsxError> {
    let ignoring = summary.sheets.iter().filter(|sheet| !sheet.ignored.is_empty());
    let ignored = ignoring.map(|sheet| (summary.label(sheet).into_owned(), quoted(&sheet.ignored))).collect();
    list(page, "Columns that were ignored", ignored)?;
    list(page, "Sheets that were not read", summary.skipped_sheets.clone())?;
    let decoded =
        summary.sheets.iter().filter_map(|sheet| Some((summary.label(sheet).into_owned(), sheet.decoding.clone()?)));
    list(page, "How the text was read", decoded.collect())?;
    let remarks = summary.remarks.iter().cloned().chain(tail.remarks());
    list(page, "Remarks", remarks.map(|remark| (String::new(), remark)).collect())
}

/// Labelled lines; a line without a label takes the whole width.
fn list(page: &mut Page<'_>, title: &str, lines: Vec<(String, String)>) -> Result<(), XlsxError> {
    if lines.is_empty() {
        return Ok(());
    }
    let looks = page.looks;
    page.section(title, LAST)?;
    for (label, text) in &lines {
        let first = u16::from(!label.is_empty());
        if first == 1 {
            page.sheet.write_string_with_format(page.row, 0, label, &looks.text)?;
        }
        page.span((first, LAST), text, &looks.wrapped)?;
        page.fit([((first, LAST), text.as_str())])?;
        page.row += 1;
    }
    page.row += 1;
    Ok(())
}
