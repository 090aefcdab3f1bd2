//! A row's cells as one line of JSON, and back: text, value and number format as they were read.
//!
//! A text is a string, a blank `null`; anything else an object: `{"t": text, "n": number}`, `"b"` a Boolean, `"d"` a
//! date, `"e"` an error, `"j"` a structure of JSON, `"u"` a formula without a result, `"f"` the number format; `"c"` a CSV
//! cell with its guarding apostrophe.

use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::table::{Cell, Row, Value};

/// The cells of a row as they are stored; those in `withheld` columns become blank.
pub(super) struct StoredCells<'r> {
    pub(super) row: &'r Row,
    pub(super) withheld: &'r dyn Fn(usize) -> bool,
}

impl Serialize for StoredCells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.row.cells().enumerate().map(|(column, cell)| self.cell(column, cell)))
    }
}

/// Most cells are texts, so they skip the object.
#[derive(Serialize)]
#[serde(untagged)]
enum StoredCell<'r> {
    Blank,
    Text(&'r str),
    Described(Map<String, Json>),
}

impl<'r> StoredCells<'r> {
    fn cell(&self, column: usize, cell: Cell<'r>) -> StoredCell<'r> {
        if (self.withheld)(column) {
            return StoredCell::Blank;
        }
        if let Some(text) = self.row.escaped_text(column) {
            return StoredCell::Described(Map::from_iter([(String::from("c"), Json::from(text))]));
        }
        match cell.value {
            Value::Blank if cell.text.is_empty() && cell.format.is_none() => StoredCell::Blank,
            // White space alone reads back as a blank.
            Value::Blank => StoredCell::Text(cell.text),
            Value::Text if cell.format.is_none() => StoredCell::Text(cell.text),
            _ => StoredCell::Described(described(cell)),
        }
    }
}

fn described(cell: Cell<'_>) -> Map<String, Json> {
    let (name, value) = match cell.value {
        Value::Blank | Value::Text => ("s", json!(true)),
        Value::Number(number) => ("n", json!(number)),
        Value::Boolean(truth) => ("b", json!(truth)),
        Value::Date(date) => ("d", json!(date.to_string())),
        Value::Error => ("e", json!(true)),
        Value::Structure => ("j", json!(true)),
        Value::Unevaluated => ("u", json!(true)),
    };
    let mut object = Map::new();
    object.insert(String::from("t"), Json::from(cell.text));
    object.insert(String::from(name), value);
    if let Some(format) = cell.format {
        object.insert(String::from("f"), Json::from(format));
    }
    object
}

/// Decodes rows. Collects their number formats, as a sheet does.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    formats: Arc<[String]>,
}

impl Decoder {
    /// Fills `row`; none where the text has another form.
    pub(super) fn decode(&mut self, number: u64, text: &str, row: &mut Row) -> Option<()> {
        row.restart(number, &self.formats);
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_seq(RowVisitor { decoder: self, row }).ok()?;
        json.end().ok()?;
        row.set_formats(&self.formats);
        Some(())
    }

    /// The index of a number format, from 1.
    fn format_index(&mut self, format: &str) -> Option<u16> {
        let position = self.formats.iter().position(|known| known == format);
        let position = position.unwrap_or_else(|| {
            self.formats = self.formats.iter().cloned().chain([format.to_owned()]).collect();
            self.formats.len() - 1
        });
        u16::try_from(position + 1).ok()
    }

    fn push_described(&mut self, cell: &Map<String, Json>, row: &mut Row) -> Option<()> {
        if let Some(text) = cell.get("c") {
            row.push_csv(text.as_str()?);
            return Some(());
        }
        let format = cell.get("f").and_then(Json::as_str);
        let index = format.map_or(Some(0), |format| self.format_index(format))?;
        row.push_formatted(cell.get("t")?.as_str()?, value(cell)?, index);
        Some(())
    }
}

/// Reads the cells of a row one by one.
struct RowVisitor<'d> {
    decoder: &'d mut Decoder,
    row: &'d mut Row,
}

impl<'de> Visitor<'de> for RowVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of cells")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<(), A::Error> {
        while cells.next_element_seed(CellSeed { decoder: self.decoder, row: self.row })?.is_some() {}
        Ok(())
    }
}

/// Reads one cell.
struct CellSeed<'d> {
    decoder: &'d mut Decoder,
    row: &'d mut Row,
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, cell: D) -> Result<(), D::Error> {
        cell.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a cell")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.row.push("", Value::Blank);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.row.push_text(text);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, cell: A) -> Result<(), A::Error> {
        let cell = Map::deserialize(MapAccessDeserializer::new(cell))?;
        let pushed = self.decoder.push_described(&cell, self.row);
        pushed.ok_or_else(|| de::Error::custom("a cell of an unknown form"))
    }
}

fn value(cell: &Map<String, Json>) -> Option<Value> {
    let has = |name: &str| cell.contains_key(name);
    Some(match () {
        () if has("n") => Value::Number(number(cell.get("n")?)?),
        () if has("b") => Value::Boolean(cell.get("b")?.as_bool()?),
        () if has("d") => Value::Date(cell.get("d")?.as_str()?.parse().ok()?),
        () if has("e") => Value::Error,
        () if has("j") => Value::Structure,
        () if has("u") => Value::Unevaluated,
        () => Value::Text,
    })
}

/// A number beyond JSON, such as infinity, is stored as null.
fn number(value: &Json) -> Option<f64> {
    if value.is_null() { Some(f64::NAN) } else { value.as_f64() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn encode(row: &Row, withheld: &dyn Fn(usize) -> bool) -> String {
        serde_json::to_string(&StoredCells { row, withheld }).unwrap()
    }

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Text),
            any::<i32>().prop_map(|number| Value::Number(f64::from(number) / 8.0)),
            any::<bool>().prop_map(Value::Boolean),
            (1901_i16..2200, 1_i8..13, 1_i8..29)
                .prop_map(|(year, month, day)| Value::Date(jiff::civil::date(year, month, day).at(9, 30, 0, 0))),
            Just(Value::Error),
            Just(Value::Structure),
            Just(Value::Unevaluated),
        ]
    }

    proptest! {
        #[test]
        fn rows_round_trip(
            cells in prop::collection::vec((any::<String>(), values(), 0_u16..4), 0..9),
        ) {
            let formats: Arc<[String]> = ["0.00", "yyyy-mm-dd", "00000"].map(String::from).into_iter().collect();
            let mut row = Row::default();
            row.restart(7, &formats);
            for (text, value, format) in &cells {
                match value {
                    Value::Text if *format == 0 => row.push_text(text),
                    value => row.push_formatted(text, *value, *format),
                }
            }
            let mut read = Row::default();
            Decoder::default().decode(7, &encode(&row, &|_| false), &mut read).unwrap();
            prop_assert_eq!(read.number, 7);
            prop_assert!(read.cells().eq(row.cells()), "{:?} {:?}", read, row);
        }
    }

    #[test]
    fn withheld_cells_are_not_encoded() {
        let mut row = Row::default();
        row.clear(2);
        row.push_text("LAP-1");
        row.push_text("hunter2");
        let text = encode(&row, &|column| column == 1);
        assert_eq!(text, r#"["LAP-1",null]"#);
    }

    #[test]
    fn each_kind_of_cell_has_a_form_of_its_own() {
        let mut row = Row::default();
        row.restart(2, &["0.00"].map(String::from).into_iter().collect());
        row.push_text("");
        row.push("", Value::Blank);
        row.push(" ", Value::Blank);
        row.push_formatted("", Value::Blank, 1);
        row.push_text("x");
        row.push_formatted("x", Value::Text, 1);
        row.push("7", Value::Number(7.0));
        row.push("TRUE", Value::Boolean(true));
        let text = encode(&row, &|_| false);
        assert_eq!(
            text,
            r#"[null,null," ","","x",{"t":"x","s":true,"f":"0.00"},{"t":"7","n":7.0},{"t":"TRUE","b":true}]"#
        );
    }
}
