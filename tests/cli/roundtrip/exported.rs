//! Sheets as an export writes them, built independently from the records that a service returns.
//!
//! Everything goes through [`Export::of`] and [`Export::write`]: the day `tallyport export` writes the files, the tests
//! of unedited sheets need no more than another body for these two.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Map, Value, json};
use tallyport::schema::{COLLECTIONS, Entity, Field, Kind, Reference, Wire};

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One workbook with a sheet for each collection.
    Xlsx,
    /// A file for each collection.
    Csv,
    Jsonl,
}

pub const FORMS: [Form; 3] = [Form::Xlsx, Form::Csv, Form::Jsonl];

/// A cell in the notation of its format.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    Nothing,
    Text(String),
    Number(f64),
    Truth(bool),
    /// `2024-05-01`
    Day(String),
    /// `2024-05-01T12:34:56.789Z`
    Moment(String),
}

/// The sheets of an export.
pub struct Export {
    pub sheets: Vec<Sheet>,
}

pub struct Sheet {
    pub entity: &'static Entity,
    pub headers: Vec<String>,
    pub rows: Vec<Vec<Shown>>,
}

impl Export {
    /// All collections with records.
    pub fn of(records: &dyn Fn(&str) -> Vec<Value>) -> Self {
        let all: BTreeMap<&str, Vec<Value>> =
            COLLECTIONS.iter().map(|entity| (entity.name, records(entity.name))).collect();
        let held = COLLECTIONS.iter().filter(|entity| !all[entity.name].is_empty());
        Self { sheets: held.map(|entity| Sheet::of(entity, &all)).collect() }
    }

    pub fn only(mut self, collection: &str) -> Self {
        self.sheets.retain(|sheet| sheet.entity.name == collection);
        self
    }

    pub fn sheet(&mut self, collection: &str) -> &mut Sheet {
        self.sheets.iter_mut().find(|sheet| sheet.entity.name == collection).unwrap()
    }

    /// Writes the files and returns their names.
    pub fn write(&self, folder: &Path, form: Form) -> Vec<String> {
        match form {
            Form::Xlsx => {
                let mut book = Workbook::new();
                self.sheets.iter().for_each(|sheet| sheet.to_xlsx(&mut book));
                book.save(folder.join("export.xlsx")).unwrap();
                vec![String::from("export.xlsx")]
            }
            Form::Csv => self.files(folder, "csv", Sheet::to_csv),
            Form::Jsonl => self.files(folder, "jsonl", Sheet::to_jsonl),
        }
    }

    fn files(&self, folder: &Path, extension: &str, text: impl Fn(&Sheet) -> String) -> Vec<String> {
        let write = |sheet: &Sheet| {
            let name = format!("{}.{extension}", sheet.entity.name);
            fs::write(folder.join(&name), text(sheet)).unwrap();
            name
        };
        self.sheets.iter().map(write).collect()
    }
}

impl Sheet {
    fn of(entity: &'static Entity, all: &BTreeMap<&str, Vec<Value>>) -> Self {
        let records = &all[entity.name];
        let custom: BTreeSet<String> = records.iter().flat_map(|record| pairs(record).into_keys()).collect();
        let mut sheet = Self { entity, headers: Vec::new(), rows: vec![Vec::new(); records.len()] };
        sheet.add("id", records, |record| Shown::Text(record["id"].to_string()));
        let written = |field: &&Field| field.is_written() && field.kind != Kind::CustomFields;
        for field in entity.fields.iter().filter(written) {
            match field.kind {
                Kind::Reference(reference) if reference.wire == Wire::Id => {
                    let base = field.name.strip_suffix("_id").unwrap();
                    sheet.add(field.name, records, |record| text_of(&record[field.name]));
                    sheet.add(&format!("{base}_name"), records, |record| {
                        name_of(reference, &record[field.name], &all[reference.to])
                    });
                }
                _ => sheet.add(field.name, records, |record| shown(field.kind, &record[field.name])),
            }
        }
        for name in &custom {
            let value = |record: &Value| pairs(record).remove(name).map_or(Shown::Nothing, Shown::Text);
            sheet.add(&format!("custom:{name}"), records, value);
        }
        let read_only = entity.fields.iter().filter(|field| field.read && !field.is_written());
        read_only.for_each(|field| sheet.add(field.name, records, |record| shown(field.kind, &record[field.name])));
        sheet.add_unknown(records);
        for name in ["created_at", "updated_at"] {
            sheet.add(name, records, |record| Shown::Moment(record[name].as_str().unwrap().to_owned()));
        }
        sheet
    }

    fn add(&mut self, header: &str, records: &[Value], cell: impl Fn(&Value) -> Shown) {
        if self.headers.iter().any(|known| known == header) {
            return;
        }
        self.headers.push(header.to_owned());
        self.rows.iter_mut().zip(records).for_each(|(row, record)| row.push(cell(record)));
    }

    /// Undocumented fields, under their own names.
    fn add_unknown(&mut self, records: &[Value]) {
        let known = |name: &str| {
            self.entity.field(name).is_some() || ["id", "custom_fields", "created_at", "updated_at"].contains(&name)
        };
        let names: Vec<&String> = records.iter().flat_map(|record| record.as_object().unwrap().keys()).collect();
        let names: Vec<String> = names.into_iter().filter(|name| !known(name)).cloned().collect();
        names.iter().for_each(|name| self.add(name, records, |record| text_of(&record[name.as_str()])));
    }

    pub fn column(&self, header: &str) -> usize {
        self.headers.iter().position(|known| known == header).unwrap_or_else(|| panic!("no column {header}"))
    }

    /// Adds a column, such as `_action`, with a text for each row.
    pub fn add_column(&mut self, header: &str, cells: &[&str]) {
        self.headers.push(header.to_owned());
        self.rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(typed(cell)));
    }

    /// Types a text into a cell.
    pub fn edit(&mut self, row: usize, header: &str, text: &str) {
        let column = self.column(header);
        self.rows[row][column] = typed(text);
    }

    /// Removes columns.
    pub fn drop(&mut self, headers: &[&str]) {
        for header in headers {
            let column = self.column(header);
            self.headers.remove(column);
            self.rows.iter_mut().for_each(|row| drop(row.remove(column)));
        }
    }

    fn to_xlsx(&self, book: &mut Workbook) {
        let day = Format::new().set_num_format("yyyy-mm-dd");
        let moment = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000");
        let sheet = book.add_worksheet().set_name(self.entity.name).unwrap();
        for (column, header) in (0..).zip(&self.headers) {
            sheet.write_string(0, column, header).unwrap();
        }
        for (number, row) in (1..).zip(&self.rows) {
            for (column, cell) in (0..).zip(row) {
                match cell {
                    Shown::Nothing => continue,
                    // The limit of a cell.
                    Shown::Text(text) => sheet.write_string(number, column, &text[..text.len().min(32_767)]),
                    Shown::Number(value) => sheet.write_number(number, column, *value),
                    Shown::Truth(truth) => sheet.write_boolean(number, column, *truth),
                    Shown::Day(text) => {
                        let date = ExcelDateTime::parse_from_str(text).unwrap();
                        sheet.write_datetime_with_format(number, column, &date, &day)
                    }
                    Shown::Moment(text) => {
                        let date = ExcelDateTime::parse_from_str(text.trim_end_matches('Z')).unwrap();
                        sheet.write_datetime_with_format(number, column, &date, &moment)
                    }
                }
                .unwrap();
            }
        }
    }

    fn to_csv(&self) -> String {
        let quoted = |text: &str| {
            if text.contains(['"', ',', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let line = |cells: Vec<String>| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\r\n";
        let cell = |shown: &Shown| match shown {
            Shown::Nothing => String::new(),
            Shown::Text(text) => protected(text),
            Shown::Number(value) => value.to_string(),
            Shown::Truth(truth) => truth.to_string(),
            Shown::Day(text) | Shown::Moment(text) => text.clone(),
        };
        let rows = self.rows.iter().map(|row| line(row.iter().map(cell).collect()));
        std::iter::once(line(self.headers.iter().map(|header| protected(header)).collect())).chain(rows).collect()
    }

    fn to_jsonl(&self) -> String {
        let value = |shown: &Shown| match shown {
            Shown::Nothing => Value::Null,
            Shown::Text(text) | Shown::Day(text) | Shown::Moment(text) => json!(text),
            Shown::Number(value) if value.fract() == 0.0 => json!(*value as i64),
            Shown::Number(value) => json!(value),
            Shown::Truth(truth) => json!(truth),
        };
        let object = |row: &Vec<Shown>| {
            let fields: Map<String, Value> = self.headers.iter().cloned().zip(row.iter().map(value)).collect();
            format!("{}\n", Value::Object(fields))
        };
        self.rows.iter().map(object).collect()
    }
}

fn typed(text: &str) -> Shown {
    if text.is_empty() { Shown::Nothing } else { Shown::Text(text.to_owned()) }
}

/// Quotes text that looks like a formula, or like quoted text, with an apostrophe.
fn protected(text: &str) -> String {
    let bare = text.trim_start_matches('\'');
    if bare.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn shown(kind: Kind, value: &Value) -> Shown {
    match (kind, value) {
        (_, Value::Null) => Shown::Nothing,
        (Kind::Money | Kind::Integer { .. }, Value::Number(number)) => Shown::Number(number.as_f64().unwrap()),
        (Kind::Boolean, Value::Bool(truth)) => Shown::Truth(*truth),
        (Kind::Date, Value::String(text)) if is_day(text) => Shown::Day(text[..10].to_owned()),
        _ => text_of(value),
    }
}

/// Whether a text begins with a date that a workbook can represent.
fn is_day(text: &str) -> bool {
    text.get(..10).is_some_and(|day| day.starts_with("20") && day.parse::<jiff::civil::Date>().is_ok())
}

fn text_of(value: &Value) -> Shown {
    match value {
        Value::Null => Shown::Nothing,
        Value::String(text) => typed(text),
        other => Shown::Text(other.to_string()),
    }
}

/// The name of the referenced record, or its id if the name is not unique.
fn name_of(reference: Reference, value: &Value, records: &[Value]) -> Shown {
    let Some(id) = value.as_i64() else { return Shown::Nothing };
    let folded = |record: &Value| record["name"].as_str().unwrap_or_default().trim().to_lowercase();
    let within = |record: &&Value| reference.narrowed.is_none_or(|(field, wanted)| record[field] == wanted);
    let Some(record) = records.iter().find(|record| record["id"] == id) else { return Shown::Text(format!("#{id}")) };
    let same = records.iter().filter(within).filter(|other| folded(other) == folded(record)).count();
    let name = record["name"].as_str().unwrap_or_default();
    let is_plain = name.trim() == name && name.starts_with(|first: char| first.is_alphanumeric()) && name != "n/a";
    if same == 1 && is_plain { Shown::Text(name.to_owned()) } else { Shown::Text(format!("#{id}")) }
}

/// The custom fields of a record by name.
fn pairs(record: &Value) -> BTreeMap<String, String> {
    let fields = record["custom_fields"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    fields.iter().map(|pair| (text(&pair["name"]), text(&pair["value"]))).collect()
}
