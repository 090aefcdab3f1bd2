//! OpenDocument files mean what the same sheets mean as .xlsx, and exports stay what they are in other formats.

use std::io::{Cursor, Write};

use rust_xlsxwriter::{Format, Workbook};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use crate::harness::CliTest;

/// An .ods file with one sheet of cells as LibreOffice writes them, and its number styles.
fn ods(sheet: &str, rows: &[String], styles: &str) -> Vec<u8> {
    let rows: String = rows.iter().map(|cells| format!("<table:table-row>{cells}</table:table-row>")).collect();
    let content = format!(
        "<office:document-content><office:automatic-styles>{styles}</office:automatic-styles><office:body>\
         <office:spreadsheet><table:table table:name=\"{sheet}\">{rows}</table:table></office:spreadsheet></office:body>\
         </office:document-content>"
    );
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
        ("content.xml", content.as_str()),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(part.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn text(text: &str) -> String {
    format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
}

fn moment(iso: &str) -> String {
    format!(
        "<table:table-cell office:value-type=\"date\" office:date-value=\"{iso}\"><text:p>{iso}</text:p></table:table-cell>"
    )
}

/// A column with its format code in .xlsx, the elements of its number style, and what its cells hold and show.
type NumberColumn = (&'static str, &'static str, &'static str, [(f64, &'static str); 3]);

const DIGITS: &str = "<number:number number:decimal-places=\"0\" number:min-integer-digits=\"1\"/>";

/// The same numbers as .xlsx and as .ods, both in accounts of their own.
fn both(tag: &str, columns: &[NumberColumn]) -> [(CliTest, &'static str); 2] {
    let headers = ["Model", "Status"].into_iter().chain(columns.iter().map(|column| column.0));
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Assets").unwrap();
    let mut rows: Vec<String> = vec![headers.clone().map(text).collect()];
    headers.enumerate().for_each(|(at, header)| {
        sheet.write_string(0, at as u16, header).unwrap();
    });
    let mut styles = String::new();
    for (at, (_, code, elements, _)) in columns.iter().enumerate() {
        let (kind, elements) = elements.split_once(':').unwrap();
        let elements = elements.replace("{0}", DIGITS);
        styles += &format!(
            "<number:{kind}-style style:name=\"N{at}\">{elements}</number:{kind}-style><style:style style:name=\"ce{at}\" \
             style:family=\"table-cell\" style:data-style-name=\"N{at}\"/>"
        );
        assert!(!code.is_empty(), "{tag}");
    }
    for row in 0..3 {
        let mut cells = text("MacBook Pro 14") + &text("Ready");
        sheet.write_string(row as u32 + 1, 0, "MacBook Pro 14").unwrap();
        sheet.write_string(row as u32 + 1, 1, "Ready").unwrap();
        for (at, (_, code, _, numbers)) in columns.iter().enumerate() {
            let (number, shown) = numbers[row];
            cells += &format!(
                "<table:table-cell table:style-name=\"ce{at}\" office:value-type=\"float\" office:value=\"{number}\"><text:p>{shown}\
                 </text:p></table:table-cell>"
            );
            let format = Format::new().set_num_format(*code);
            sheet.write_number_with_format(row as u32 + 1, at as u16 + 2, number, &format).unwrap();
        }
        rows.push(cells);
    }
    let account = || CliTest::new().with_lookups();
    [
        (account().bytes("assets.xlsx", &book.save_to_buffer().unwrap()), "assets.xlsx"),
        (account().bytes("assets.ods", &ods("Assets", &rows, &styles)), "assets.ods"),
    ]
}

/// What an import of the file and of its result say, and what the account holds then.
fn outcome((account, file): &(CliTest, &str)) -> Value {
    let import = |file: &str, more: &[&str]| {
        let (code, summary) = account.json(&[&["import", file, "--entity", "assets"], more].concat());
        json!([code, summary["counts"], summary["problems"], summary["remarks"]])
    };
    let first = import(file, &["--result", "first.xlsx"]);
    let again = import("first.xlsx", &["--dry-run"]);
    let fields = ["asset_id", "asset_serial", "purchase_cost", "currency", "notes"];
    let mut held =
        account.records("assets").iter().map(|asset| fields.map(|field| asset[field].clone())).collect::<Vec<_>>();
    // They are created at the same time, in any order.
    held.sort_by_key(|fields| fields[0].to_string());
    let whole = json!({"import": first, "again": again, "held": held}).to_string();
    serde_json::from_str(&whole.replace(".ods", ".xlsx")).unwrap()
}

#[test]
fn numbers_mean_the_same_in_ods_as_in_xlsx_and_so_do_results() {
    let good: &[NumberColumn] = &[
        (
            "Asset Tag",
            "00000",
            "number:<number:number number:decimal-places=\"0\" number:min-integer-digits=\"5\"/>",
            [(42.0, "00042"), (43.0, "00043"), (6083.0, "06083")],
        ),
        (
            "Serial",
            "\"SN-\"0",
            "number:<number:text>SN-</number:text>{0}",
            [(7003.0, "SN-7003"), (7004.0, "SN-7004"), (7005.0, "SN-7005")],
        ),
        ("Notes", "0%", "percentage:{0}<number:text>%</number:text>", [(0.19, "19%"), (0.5, "50%"), (1.0, "100%")]),
    ];
    let [xlsx, ods] = both("good", good).map(|case| outcome(&case));
    assert_eq!(ods, xlsx);
    assert_eq!(ods["held"][0], json!(["00042", "SN-7003", null, null, "19%"]), "{ods}");
    assert_eq!((&ods["import"][0], &ods["again"][0]), (&json!(0), &json!(0)));
    let bad: &[NumberColumn] = &[
        ("Asset Tag", "0", "number:{0}", [(1234.5, "1235"), (2.0, "2"), (3.0, "3")]),
        ("Cost", "0%", "percentage:{0}<number:text>%</number:text>", [(2.0, "200%"), (3.0, "300%"), (4.0, "400%")]),
        (
            "Serial",
            "0,",
            "number:<number:number number:decimal-places=\"0\" number:min-integer-digits=\"1\" \
          number:display-factor=\"1000\"/>",
            [(5000.0, "5"), (1_234_500.0, "1235"), (7.0, "0")],
        ),
    ];
    let [xlsx, ods] = both("bad", bad).map(|case| outcome(&case));
    assert_eq!(ods, xlsx);
    assert_eq!((&ods["import"][0], &ods["held"]), (&json!(1), &json!([])), "{ods}");
}

#[test]
fn an_export_saved_as_ods_finds_what_somebody_else_has_changed() {
    let account = CliTest::new();
    let account =
        (0..6).fold(account, |account, at| account.holds("suppliers", json!({"name": format!("S{at}"), "phone": "1"})));
    let headers: String = ["id", "name", "phone", "created_at", "updated_at"].map(text).concat();
    let suppliers = account.records("suppliers");
    let rows = suppliers.iter().map(|supplier| {
        // LibreOffice rounds to hundredths, but not up to the next second.
        let hundredths = |field: &str| {
            let text = supplier[field].as_str().unwrap().trim_end_matches('Z').to_owned();
            let (second, fraction) = text.split_once('.').unwrap();
            let hundredths = (fraction.parse::<f64>().unwrap() / 10.0).round().min(99.0);
            let fraction = format!(".{hundredths:02}");
            format!("{second}{}", fraction.trim_end_matches('0').trim_end_matches('.'))
        };
        let name = supplier["name"].as_str().unwrap();
        let number = supplier["id"].as_i64().unwrap();
        format!("<table:table-cell office:value-type=\"float\" office:value=\"{number}\"><text:p>{number}</text:p></table:table-cell>")
            + &[text(name), text("mine")].concat()
            + &moment(&hundredths("created_at"))
            + &moment(&hundredths("updated_at"))
    });
    let rows: Vec<String> = [headers].into_iter().chain(rows).collect();
    std::fs::write(account.path("suppliers.ods"), ods("suppliers", &rows, "")).unwrap();
    let other = &suppliers[2];
    // Until the change is more than hundredths away from what the sheet shows.
    let mut moments = std::collections::BTreeSet::new();
    while moments.len() < 4 {
        let path = format!("suppliers/{}", other["id"]);
        let (status, _) = account.request("PUT", &path, Some(&json!({"phone": "theirs"})));
        assert_eq!(status, 200);
        let changed = account.record("suppliers", "phone", "theirs")["updated_at"].as_str().unwrap().to_owned();
        moments.insert(changed[..changed.len() - 2].to_owned());
    }
    let (code, summary) = account.json(&["import", "suppliers.ods", "--yes"]);
    assert_eq!((code, &summary["counts"]["failed"]), (1, &json!(1)), "{summary:#}");
    assert_eq!(summary["problems"][0]["code"], "record.conflict", "{summary:#}");
    assert_eq!(account.record("suppliers", "phone", "theirs")["id"], other["id"]);
    assert_eq!(summary["counts"]["updated"], 5, "{summary:#}");
}

#[test]
fn an_export_to_csv_saved_as_a_workbook_keeps_no_escapes() {
    let phones = ["+351 21 123", "-", "@home", "'quoted'", "'+1"];
    let account = phones.iter().enumerate().fold(CliTest::new(), |account, (at, phone)| {
        account.holds("suppliers", json!({"name": format!("={at}"), "phone": phone}))
    });
    account.run(&["export", "suppliers", "-o", "suppliers.csv"]).exits(0);
    let csv = std::fs::read_to_string(account.path("suppliers.csv")).unwrap();
    assert!(csv.contains("'+351 21 123") && csv.contains("''+1"), "{csv}");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("suppliers").unwrap();
    let mut rows = Vec::new();
    for (row, line) in csv.trim_start_matches('\u{feff}').lines().enumerate() {
        line.split(',').enumerate().for_each(|(column, cell)| {
            sheet.write_string(row as u32, column as u16, cell).unwrap();
        });
        rows.push(line.split(',').map(text).collect::<String>());
    }
    book.save(account.path("saved.xlsx")).unwrap();
    std::fs::write(account.path("saved.ods"), ods("suppliers", &rows, "")).unwrap();
    // An export to .xlsx has the texts as they are.
    account.run(&["export", "suppliers", "-o", "own.xlsx"]).exits(0);
    for file in ["saved.xlsx", "saved.ods", "own.xlsx", "suppliers.csv"] {
        let (code, summary) = account.json(&["import", file, "--entity", "suppliers", "--dry-run"]);
        assert_eq!((code, &summary["counts"]["unchanged"]), (0, &json!(phones.len())), "{file} {summary:#}");
    }
}
