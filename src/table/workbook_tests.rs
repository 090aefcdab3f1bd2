#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::table::cell::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(path: &Path) -> Result<Workbook, ReadError> {
    Workbook::open(&Input::Path(path.to_path_buf()), &ReadOptions::default())
}

/// Sheets and rows as text: `=` number, `@` date, `?` boolean, `!` error, `~` unevaluated, in front of the text; the
/// number format behind it.
fn dump(workbook: &mut Workbook) -> Result<String, ReadError> {
    let mut text = String::new();
    for index in 0..workbook.sheets().len() {
        let Sheet { name, visibility } = workbook.sheets()[index].clone();
        writeln!(text, "[{} {visibility:?}]", name.unwrap_or_default()).unwrap();
        workbook.each_row(index, &mut |row| {
            write!(text, "{}:", row.number).unwrap();
            for cell in row.cells() {
                let sign = match cell.value {
                    Value::Blank | Value::Text => "",
                    Value::Number(_) => "=",
                    Value::Date(_) => "@",
                    Value::Boolean(_) => "?",
                    Value::Error => "!",
                    Value::Unevaluated => "~",
                };
                let format = cell.format.map(|format| format!(" `{format}`")).unwrap_or_default();
                write!(text, " {sign}{:?}{format}", cell.text).unwrap();
            }
            text.push('\n');
            ControlFlow::Continue(())
        })?;
    }
    Ok(text)
}

#[test]
fn show() {
    for name in ["openpyxl.xlsx", "libreoffice.xlsx", "epoch1904.xlsx", "xlwt.xls", "libreoffice.xls", "libreoffice.ods"] {
        println!("== {name}\n{}", dump(&mut open(&fixture(name)).unwrap()).unwrap());
    }
}
