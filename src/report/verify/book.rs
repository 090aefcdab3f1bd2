//! A comparison as a workbook: a page with counts, sums and digests, and a sheet with every difference.

use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Color, DocProperties, Format, FormatBorder, Worksheet, XlsxError};

use super::VerifyReport;
use crate::error::Result;
use crate::run::verify::{Difference, DifferenceKind, SheetSums};
use crate::table::write::page::{fit_lines, write_section, write_span, write_text};
use crate::table::write::styles::{INK, LINE, PageStyles, PageTheme, SHADE, header_format, plain, underlined};
use crate::table::write::workbook::{HeaderCell, TableSheet, WorkbookWriter};
use crate::table::write::xlsx::{MAX_ROWS, text_width, truncate_to_cell, wrapped_lines};
use crate::table::write::{AtomicFile, WriteError};
use crate::wording::{counted, thousands};
use crate::written_files::WrittenFiles;

const PAGE: &str = "Verify";
const DIFFERENCES: &str = "Differences";

/// The columns of the sheet with the differences.
const HEADERS: [&str; 9] =
    ["kind", "collection", "record", "field", "expected", "found", "changed by", "changed at", "source"];

/// Widths of the page's columns in characters: what, then its currency, both sides, and what differs.
const WIDTHS: [f64; 6] = [26.0, 26.0, 12.0, 18.0, 18.0, 18.0];
const LAST: u16 = 5;
/// What the columns from the second on hold of a text.
const TEXT_CHARS: usize = 88;
const NARROWEST: usize = 8;

pub(super) fn write(path: &Path, report: &VerifyReport, list: Option<&WrittenFiles>) -> Result<PathBuf> {
    let file = AtomicFile::create_for(path, report.access)?.listed_in(list);
    let mut writer = WorkbookWriter::new(file.path(), Some(file.folder()))?;
    let page = writer.add_sheet(PAGE)?;
    writer.edit_sheet(page, |sheet| VerifyPage::new(sheet).write(report))?;
    write_differences(&mut writer, report.differences())?;
    writer.set_properties(
        &DocProperties::new()
            .set_title(format!("Verify of {}", report.title))
            .set_author("tallyport")
            .set_comment(format!("Made by tallyport {}", env!("CARGO_PKG_VERSION"))),
    );
    writer.save(file.as_file())?;
    Ok(file.commit_or_numbered()?)
}

struct VerifyPage<'p> {
    sheet: &'p mut Worksheet,
    styles: PageStyles,
    row: u32,
}

impl<'p> VerifyPage<'p> {
    fn new(sheet: &'p mut Worksheet) -> Self {
        let styles = PageStyles::new(PageTheme {
            head: underlined(plain().set_bold().set_background_color(SHADE), FormatBorder::Thin, LINE),
            cell: underlined(plain().set_text_wrap(), FormatBorder::Thin, SHADE),
            total: plain().set_bold(),
            count_code: "#,##0",
        });
        Self { sheet, styles, row: 0 }
    }

    fn write(mut self, report: &VerifyReport) -> Result<(), XlsxError> {
        self.sheet.set_screen_gridlines(false);
        for (column, width) in (0..).zip(WIDTHS) {
            self.sheet.set_column_width(column, width)?;
        }
        self.sheet.set_landscape().set_print_fit_to_pages(1, 0).set_tab_color(INK);
        self.sheet.set_footer("&L&A&RPage &P of &N");
        self.sheet.set_row_height(0, 30)?;
        write_text(self.sheet, (0, 0), &format!("Verify of {}", report.title), &self.styles.title)?;
        let lead = format!("{}; compared {} with {}", report.verdict(), report.began, report.account);
        write_text(self.sheet, (1, 0), &lead, &self.styles.lead)?;
        self.row = 2;
        self.write_counts(report)?;
        self.write_sums(report.sums())?;
        self.write_problems(report)?;
        self.write_facts(report)
    }

    fn section(&mut self, title: &str) -> Result<(), XlsxError> {
        self.row += 1;
        write_section(self.sheet, &self.styles, self.row, title, LAST)?;
        self.row += 1;
        Ok(())
    }

    /// A label and a text over the columns behind it.
    fn fact(&mut self, label: &str, text: &str) -> Result<(), XlsxError> {
        write_text(self.sheet, (self.row, 0), label, &self.styles.label)?;
        let lines = wrapped_lines(text, TEXT_CHARS);
        if lines > 1 {
            fit_lines(self.sheet, self.row, lines)?;
        }
        write_span(self.sheet, self.row, (1, LAST), text, &self.styles.wrapped)?;
        self.row += 1;
        Ok(())
    }

    fn write_counts(&mut self, report: &VerifyReport) -> Result<(), XlsxError> {
        self.section("What was found")?;
        let counts = report.counts();
        for (label, number, noun, text) in [
            ("equal", counts.equal, "value", "as expected in the account"),
            ("different", counts.different, "value", "not as expected in the account"),
            ("missing", counts.missing, "record", "not in the account"),
            ("extra", counts.extra, "record", "only in the account"),
        ] {
            self.fact(label, &format!("{} {text}", counted(number, noun)))?;
        }
        Ok(())
    }

    fn write_sums(&mut self, sums: &[SheetSums]) -> Result<(), XlsxError> {
        if sums.is_empty() {
            return Ok(());
        }
        self.section("Both sides")?;
        for (column, text) in (0..).zip(["sheet", "what", "currency", "expected", "found", "difference"]) {
            let format = if column > 2 { &self.styles.head_right } else { &self.styles.head };
            write_text(self.sheet, (self.row, column), text, format)?;
        }
        self.row += 1;
        for sheet in sums {
            let (expected, found) = (i128::from(sheet.expected).into(), i128::from(sheet.found).into());
            self.sum(&sheet.sheet, sheet.collection, "", (expected, found))?;
            for sum in &sheet.money {
                self.sum("", sum.field, &sum.currency, (sum.expected, sum.found))?;
            }
            for without in sheet.without.iter().filter(|without| without.records > 0) {
                let texts = ["", &format!("without {}", without.what), "", "", "", ""];
                for (column, text) in (0..).zip(texts) {
                    write_text(self.sheet, (self.row, column), text, &self.styles.cell)?;
                }
                self.number(4, i128::from(without.records).into())?;
                self.row += 1;
            }
        }
        Ok(())
    }

    fn sum(
        &mut self,
        sheet: &str,
        what: &str,
        currency: &str,
        (expected, found): (rust_decimal::Decimal, rust_decimal::Decimal),
    ) -> Result<(), XlsxError> {
        for (column, text) in (0..).zip([sheet, what, currency, "", "", ""]) {
            write_text(self.sheet, (self.row, column), text, &self.styles.cell)?;
        }
        self.number(3, expected)?;
        self.number(4, found)?;
        if expected != found {
            self.number(5, found - expected)?;
        }
        self.row += 1;
        Ok(())
    }

    fn number(&mut self, column: u16, number: rust_decimal::Decimal) -> Result<(), XlsxError> {
        let format = self.styles.number.clone().set_num_format("#,##0.##;-#,##0.##").set_indent(1);
        let format = if number.is_integer() { format.set_num_format("#,##0") } else { format };
        let number = rust_decimal::prelude::ToPrimitive::to_f64(&number).unwrap_or_default();
        self.sheet.write_number_with_format(self.row, column, number, &format).map(drop)
    }

    fn write_problems(&mut self, report: &VerifyReport) -> Result<(), XlsxError> {
        let groups = report.problems().groups();
        if groups.is_empty() {
            return Ok(());
        }
        self.section("Rows that were not compared")?;
        for group in groups {
            let example = group.examples.first();
            let example = example.map(|example| format!(": {}, {}", example.address(), example.message));
            let text =
                format!("{} times {}{}", thousands(group.count), group.code.as_str(), example.unwrap_or_default());
            self.fact(&group.sheet, &text)?;
        }
        Ok(())
    }

    /// What the comparison is about, so that it can be told later.
    fn write_facts(&mut self, report: &VerifyReport) -> Result<(), XlsxError> {
        self.section("About this comparison")?;
        for remark in &report.findings.remarks {
            self.fact("note", &remark.message)?;
        }
        if let Some(run) = &report.run_id {
            self.fact("run", run)?;
        }
        for (name, digest) in &report.file_digests {
            self.fact("file", &format!("{name}, SHA-256 {digest}"))?;
        }
        if let Some(journal) = &report.findings.journal {
            self.fact("what the run sent", &format!("SHA-256 {journal}"))?;
        }
        self.fact("what was read", &format!("SHA-256 {}", report.findings.read))?;
        self.fact("requests", &thousands(report.requests.total))
    }
}

/// Writes every difference, over several sheets if need be.
fn write_differences(writer: &mut WorkbookWriter, differences: &[Difference]) -> Result<(), WriteError> {
    let header = header_format(INK);
    let styles = DifferenceStyles::new();
    for part in differences.chunks(MAX_ROWS as usize - 1) {
        let headers = HEADERS.map(|text| HeaderCell { text, format: &header, column_format: None });
        let mut table = writer.add_table(DIFFERENCES, NARROWEST, headers)?;
        for difference in part {
            write_difference(writer, &mut table, difference, &styles)?;
        }
        writer.finish_table(&table, 4)?;
    }
    Ok(())
}

struct DifferenceStyles {
    cell: Format,
    different: Format,
    missing: Format,
    extra: Format,
}

impl DifferenceStyles {
    fn new() -> Self {
        let cell = underlined(plain(), FormatBorder::Thin, SHADE);
        let filled =
            |fill, ink| cell.clone().set_bold().set_background_color(Color::RGB(fill)).set_font_color(Color::RGB(ink));
        Self {
            different: filled(0x00FF_EB9C, 0x007F_6000),
            missing: filled(0x00FF_C7CE, 0x009C_0006),
            extra: filled(0x00DD_EBF7, 0x001F_4E78),
            cell,
        }
    }

    fn of(&self, kind: DifferenceKind) -> &Format {
        match kind {
            DifferenceKind::Different => &self.different,
            DifferenceKind::Missing => &self.missing,
            DifferenceKind::Extra => &self.extra,
        }
    }
}

fn write_difference(
    writer: &mut WorkbookWriter,
    table: &mut TableSheet,
    difference: &Difference,
    styles: &DifferenceStyles,
) -> Result<(), WriteError> {
    let row = table.next_row;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let texts = [
        difference.kind.as_str(),
        difference.collection,
        &difference.record,
        &optional(&difference.field),
        &difference.expected,
        &difference.found,
        &optional(&difference.changed_by),
        &optional(&difference.changed_at),
        &difference.source,
    ];
    writer.edit_sheet(table.index, |sheet| {
        for (column, text) in (0..).zip(texts) {
            let format = if column == 0 { styles.of(difference.kind) } else { &styles.cell };
            sheet.write_string_with_format(row, column, truncate_to_cell(text), format)?;
        }
        Ok(())
    })?;
    for (column, text) in (0..).zip(texts) {
        table.widths.observe_width(row, column, || text_width(text));
    }
    table.next_row += 1;
    Ok(())
}
