//! The first sheet: what the plan is, what it costs, and the groups to approve.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

use super::digest::SheetDigest;
use super::stored::PlanHead;
use super::write::{INPUT, approval_choice};
use super::{NO, YES};
use crate::run::journal::ApprovedPage;
use crate::table::write::page::{fit_lines, write_section};
use crate::table::write::styles::{INK, LINE, PageStyles, PageTheme, SHADE, plain, right, underlined};
use crate::table::write::xlsx::{truncate_to_cell, wrapped_lines};
use crate::wording::thousands;

/// The texts of the first sheet.
#[derive(Debug, Default)]
pub(crate) struct PageText {
    pub title: String,
    pub lead: String,
    /// What the plan does and costs: label and text.
    pub facts: Vec<(&'static str, String)>,
    /// Problems, by kind.
    pub problems: Vec<String>,
    pub notes: Vec<String>,
    /// What to type once it is approved.
    pub command: String,
}

/// The section that says how to approve; the last one.
const HOW_TO_APPROVE: &str = "How to approve";
/// What a copy in a result begins with.
const APPLIED: &str = "The plan as it was applied. What became of each line stands in its sheet.";

/// In characters: `approve`, then what is described, its kind, its count, and text.
const WIDTHS: [f64; 5] = [16.0, 24.0, 14.0, 12.0, 74.0];
const LAST: u16 = 4;
/// What the columns from the second on hold of a text.
const TEXT_CHARS: usize = 124;

struct PlanPage<'p> {
    sheet: &'p mut Worksheet,
    digest: &'p mut SheetDigest,
    row: u32,
}

impl PlanPage<'_> {
    fn text(&mut self, column: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        let text = truncate_to_cell(text);
        self.digest.cell(self.row, column.into(), text);
        self.sheet.write_string_with_format(self.row, column, text, format).map(drop)
    }

    /// A text over the columns from `first` on.
    fn span(&mut self, first: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        let text = truncate_to_cell(text);
        self.digest.cell(self.row, first.into(), text);
        let lines = wrapped_lines(text, TEXT_CHARS);
        if lines > 1 {
            fit_lines(self.sheet, self.row, lines)?;
        }
        self.sheet.merge_range(self.row, first, self.row, LAST, text, format).map(drop)
    }

    fn section(&mut self, styles: &PageStyles, title: &str) -> Result<(), XlsxError> {
        self.row += 1;
        self.digest.cell(self.row, 0, title);
        write_section(self.sheet, styles, self.row, title, LAST)?;
        self.row += 1;
        Ok(())
    }
}

fn styles() -> PageStyles {
    PageStyles::new(PageTheme {
        head: underlined(plain().set_bold().set_background_color(SHADE), FormatBorder::Thin, LINE),
        cell: underlined(plain().set_text_wrap(), FormatBorder::Thin, SHADE),
        total: plain().set_bold(),
        count_code: "#,##0",
    })
}

fn set_up(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_screen_gridlines(false);
    for (column, width) in (0..).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_tab_color(INK);
    sheet.set_footer("&L&A&RPage &P of &N");
    sheet.set_row_height(0, 30).map(drop)
}

/// Writes the sheet of a plan that was applied, as it was read back: what it was to do, and what was approved of it.
pub(crate) fn write_approved_page(sheet: &mut Worksheet, page: &ApprovedPage) -> Result<(), XlsxError> {
    let styles = styles();
    set_up(sheet)?;
    let groups = page.groups_at..page.groups_at + page.groups;
    let mut above = None;
    let mut copy = PlanPage { sheet, digest: &mut SheetDigest::default(), row: 0 };
    for (row, texts) in &page.rows {
        copy.row = *row;
        let is_filled = |text: &String| !text.trim().is_empty();
        let is_alone = !texts.iter().skip(1).any(is_filled);
        // A section begins below a blank row.
        let is_section = is_alone && above.is_none_or(|above| above + 1 < *row);
        above = Some(*row);
        let first = texts.first().map(String::as_str).unwrap_or_default();
        match row {
            0 => copy.text(0, first, &styles.title)?,
            1 => copy.text(0, APPLIED, &styles.lead)?,
            row if groups.contains(row) || (page.groups > 0 && row + 1 == groups.start) => {
                let format = if groups.contains(row) { &styles.cell } else { &styles.head };
                for (column, text) in (0..=LAST).zip(texts) {
                    copy.text(column, text, format)?;
                }
            }
            _ if is_section && first == HOW_TO_APPROVE => break,
            row if is_section => write_section(copy.sheet, &styles, *row, truncate_to_cell(first), LAST)?,
            _ if is_alone => copy.span(0, first, &styles.wrapped)?,
            _ => {
                copy.text(0, first, &styles.label)?;
                copy.span(1, texts.get(1).map(String::as_str).unwrap_or_default(), &styles.wrapped)?;
            }
        }
    }
    Ok(())
}

/// Writes the sheet, and puts into `head` where the groups stand.
pub(super) fn write_page(
    sheet: &mut Worksheet,
    page: &PageText,
    head: &mut PlanHead,
    digest: &mut SheetDigest,
) -> Result<(), XlsxError> {
    let styles = styles();
    set_up(sheet)?;
    let mut page_at = PlanPage { sheet, digest, row: 0 };
    page_at.text(0, &page.title, &styles.title)?;
    page_at.row = 1;
    page_at.text(0, &page.lead, &styles.lead)?;
    page_at.row = 2;
    page_at.section(&styles, "What it does")?;
    for (label, text) in &page.facts {
        page_at.text(0, label, &styles.label)?;
        page_at.span(1, text, &styles.wrapped)?;
        page_at.row += 1;
    }
    write_groups(&mut page_at, &styles, head, !page.problems.is_empty())?;
    write_list(&mut page_at, &styles, "Problems: these rows are not in the plan", &page.problems)?;
    write_list(&mut page_at, &styles, "Notes", &page.notes)?;
    page_at.section(&styles, HOW_TO_APPROVE)?;
    for text in [
        "Say yes or no for each group above. On the sheet of a collection, a yes or no on the first line of a record goes before its group; blank means as the group.",
        "Change nothing else: a plan whose other cells were changed is refused. Sorting is a change; filters and colours are not.",
    ] {
        page_at.span(0, text, &styles.wrapped)?;
        page_at.row += 1;
    }
    page_at.text(0, &page.command, &styles.command)?;
    Ok(())
}

fn write_groups(
    page: &mut PlanPage<'_>,
    styles: &PageStyles,
    head: &mut PlanHead,
    has_problems: bool,
) -> Result<(), XlsxError> {
    page.section(styles, "Approve")?;
    let right = right(&styles.head).set_indent(2);
    for (column, text) in (0..).zip(["approve", "collection", "action", "records", "what it is"]) {
        page.text(column, text, if column == 3 { &right } else { &styles.head })?;
    }
    page.row += 1;
    head.groups_at = page.row;
    let input = styles.cell.clone().set_background_color(INPUT).set_align(FormatAlign::Center).set_bold();
    let number = crate::table::write::styles::right(&styles.cell).set_indent(2);
    for group in &head.groups {
        let approved = if group.action.starts_approved() { YES } else { NO };
        page.sheet.write_string_with_format(page.row, 0, approved, &input)?;
        page.text(1, &group.entity, &styles.cell)?;
        page.text(2, group.action.as_str(), &styles.cell)?;
        page.text(3, &thousands(group.records), &number)?;
        page.text(4, group.action.help(), &styles.cell)?;
        page.row += 1;
    }
    if head.groups.is_empty() {
        let why = match has_problems {
            true => "nothing to send; the rows with problems are told below",
            false => "nothing to do: the account is as the rows say",
        };
        page.span(0, why, &styles.wrapped)?;
        page.row += 1;
        return Ok(());
    }
    page.sheet.add_data_validation(head.groups_at, 0, page.row - 1, 0, &approval_choice()?)?;
    Ok(())
}

fn write_list(page: &mut PlanPage<'_>, styles: &PageStyles, title: &str, texts: &[String]) -> Result<(), XlsxError> {
    if texts.is_empty() {
        return Ok(());
    }
    page.section(styles, title)?;
    for text in texts {
        page.span(0, text, &styles.wrapped)?;
        page.row += 1;
    }
    Ok(())
}
