//! Small files that ask for all the memory and time there is: each is refused, or read, in little of both.

use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use zip::write::SimpleFileOptions;

use crate::harness::{CliTest, CommandOutput, tallyport};

/// Checks bytes as a file of this name, with 256 MB of memory where the system lets us say so.
fn checked(name: &str, bytes: &[u8]) -> CommandOutput {
    let account = CliTest::new().bytes(name, bytes);
    let plain = tallyport(account.folder(), &["check", name, "--entity", "assets"]);
    if !cfg!(unix) {
        return CommandOutput::run(plain);
    }
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -d 262144; exec \"$@\"", "sh"]).arg(plain.get_program()).args(plain.get_args());
    limited.current_dir(account.folder());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    CommandOutput::run(limited)
}

/// That a file is refused, in these words. Where exactly depends on how well it packs.
#[track_caller]
fn assert_refused(output: CommandOutput, error: &str) {
    let lines = output.stderr.lines().filter(|line| !line.starts_with("checking:"));
    let stderr: Vec<&str> = lines.collect();
    let [message, hint] = stderr.as_slice() else { panic!("{}", output.text()) };
    let without_row: String =
        message.split(", row ").map(|part| part.trim_start_matches(|it: char| it.is_ascii_digit())).collect();
    assert_eq!(without_row, format!("error: {error}"));
    assert!(hint.starts_with("  hint: "), "{hint}");
    output.exits(2);
}

fn packed(parts: &[(&str, String)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in parts {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn xlsx(rows: &str, more: &[(&str, String)]) -> Vec<u8> {
    let relations = |kind: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id=\"r1\" Type=\"x/relationships/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let mut parts = vec![
        ("[Content_Types].xml", String::from("<Types>spreadsheetml.sheet.main+xml</Types>")),
        ("_rels/.rels", relations("officeDocument", "xl/workbook.xml")),
        ("xl/workbook.xml", "<workbook><sheets><sheet name=\"Assets\" r:id=\"r1\"/></sheets></workbook>".into()),
        ("xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml")),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>asset_id</t></is></c></row>{rows}</sheetData></worksheet>"
            ),
        ),
    ];
    parts.extend_from_slice(more);
    packed(&parts)
}

fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><table:table table:name=\"Assets\"><table:table-row><table:table-cell \
         office:value-type=\"string\"><text:p>asset_id</text:p></table:table-cell></table:table-row>{rows}</table:table>\
         </office:document-content>"
    );
    packed(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet".into()), ("content.xml", content)])
}

#[test]
fn a_second_part_of_the_same_name() {
    assert_refused(
        checked("a.xlsx", &xlsx("", &[("xl/Worksheets/Sheet1.xml", String::from("<worksheet/>"))])),
        "`a.xlsx`: the file is damaged (two of its parts have the same name)",
    );
}

#[test]
fn a_packed_part_of_a_hundred_megabytes() {
    assert_refused(
        checked("a.xlsx", &xlsx(&" ".repeat(100 << 20), &[])),
        "`a.xlsx`: it unpacks to a suspicious multiple of its size, so it was not read",
    );
}

#[test]
fn one_text_in_half_a_million_cells() {
    let text = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(32_000));
    let rows = format!("<row>{}</row>", "<c t=\"s\"><v>0</v></c>".repeat(100)).repeat(5_000);
    assert_refused(
        checked("a.xlsx", &xlsx(&rows, &[("xl/sharedStrings.xml", text)])),
        "`a.xlsx`, sheet `Assets`: too large: its cells show far more text than a file of this size can hold",
    );
}

#[test]
fn cells_at_the_end_of_every_row() {
    let rows: String = (2..5_000).map(|row| format!("<row r=\"{row}\"><c r=\"XFD{row}\"><v>1</v></c></row>")).collect();
    assert_refused(
        checked("a.xlsx", &xlsx(&rows, &[])),
        "`a.xlsx`, sheet `Assets`: too large: its sheets have far more cells than a file of this size can hold",
    );
}

#[test]
fn a_billion_blanks_in_a_cell() {
    let cell = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p><text:s text:c=\"1000000000\"/></text:p></table:table-cell></table:table-row>";
    assert_refused(
        checked("a.ods", &ods(cell)),
        "`a.ods`, sheet `Assets`: too large: a row with more than 8 MiB of text",
    );
}

#[test]
fn a_quarter_of_a_million_rows_alike() {
    let row = "<table:table-row table:number-rows-repeated=\"250000\"><table:table-cell office:value-type=\"string\"><text:p>A-1</text:p></table:table-cell></table:table-row>";
    assert_refused(
        checked("a.ods", &ods(row)),
        "`a.ods`, sheet `Assets`: too large: its sheets have far more rows than a file of this size can hold",
    );
}

#[test]
fn sixteen_thousand_headers() {
    let wide = |header: &str, count: usize| {
        let headers: Vec<String> = (0..count).map(|index| header.replace('#', &index.to_string())).collect();
        format!("{}\n{}\n", headers.join(","), vec!["1"; count].join(","))
    };
    assert_refused(
        checked("a.csv", wide("name", 16_384).as_bytes()),
        "a.csv: columns `name` and `name` (B1) both map to `asset_name`, and 16382 more",
    );
    for headers in ["hostnam#", "custom:#", "purchase cost (k#)"] {
        let output = checked("a.csv", wide(headers, 2_000).as_bytes());
        assert!((0..=4).contains(&output.code), "{headers}: {}", output.text());
    }
}

#[test]
fn what_stdin_brought_has_no_name() {
    let account = CliTest::new();
    let temporary = account.path("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = tallyport(account.folder(), &["check", "-", "--entity", "assets"]);
    command.env("TMPDIR", &temporary).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // More than a pipe holds, so that some of it has been read.
    let mut input = child.stdin.take().unwrap();
    input.write_all("asset_id\n".repeat(100_000).as_bytes()).unwrap();
    if cfg!(unix) {
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}
