//! A page of a list as unparsed JSON: the text, and the span of each record in it. A list of a million records is scanned
//! for ids here, and parsed only where it is shown.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::members::each_member;
use super::{Record, retype_texts};
use crate::schema::{Entity, UPDATED_AT};

/// The most records of one page. Guide: "1,000 results per request"; some services send all they have.
const LONGEST_PAGE: usize = 100_000;

/// The records of one page as JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawPage {
    text: String,
    records: Vec<RecordSpan>,
}

/// Where a record is in the text of the page, and its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RecordSpan {
    id: Option<i64>,
    json: Range<usize>,
    updated_at: Option<Range<usize>>,
}

/// One record as unparsed JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// The system id. Rows of the activity log have none.
    pub id: Option<i64>,
    /// When it was last changed, as the service formats it.
    pub updated_at: Option<&'a str>,
    /// The record, an object.
    pub json: &'a str,
}

/// The fields of one record, in order, each value as unparsed JSON.
#[derive(Debug, Default)]
pub(crate) struct RawFields<'a> {
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> RawFields<'a> {
    /// Splits a record, which is valid JSON, into its fields; none if it is not an object. Values are not parsed.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        let mut fields = Vec::with_capacity(32);
        each_member(json, |name, value| fields.push((name, value)))?;
        Some(Self { fields })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.fields.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// The JSON text of a field; none if the record has no such field.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.find(name).map(|(_, value)| value)
    }

    /// The index of a field, from 0, and its JSON text.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &'a str)> {
        let index = self.fields.iter().position(|(known, _)| known == name)?;
        self.fields.get(index).map(|(_, value)| (index, *value))
    }

    /// The field at that index.
    pub(crate) fn at(&self, index: usize) -> Option<(&str, &'a str)> {
        self.fields.get(index).map(|(name, value)| (name.as_ref(), *value))
    }
}

impl RawPage {
    /// Reads the body of a response; returns it if it is not an array of objects.
    pub(super) fn read(body: Vec<u8>) -> Result<Self, Vec<u8>> {
        let text = String::from_utf8(body).map_err(|error| error.into_bytes())?;
        match spans(&text) {
            Some(records) => Ok(Self { text, records }),
            None => Err(text.into_bytes()),
        }
    }

    /// A page made of JSON text. None if the text is not an array of objects.
    pub fn of(text: String) -> Option<Self> {
        Self::read(text.into_bytes()).ok()
    }

    /// The page as it arrived.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record at that index, from 0.
    pub fn get(&self, index: usize) -> Option<RawRecord<'_>> {
        self.records.get(index).map(|span| self.record(span))
    }

    pub fn records(&self) -> impl DoubleEndedIterator<Item = RawRecord<'_>> + ExactSizeIterator {
        self.records.iter().map(|span| self.record(span))
    }

    /// The records of a collection, parsed.
    pub fn to_records(&self, entity: &Entity) -> Vec<Record> {
        let parse = |record: RawRecord<'_>| {
            let mut record = serde_json::from_str(record.json).ok()?;
            retype_texts(entity, &mut record);
            Some(record)
        };
        self.records().filter_map(parse).collect()
    }

    fn record(&self, span: &RecordSpan) -> RawRecord<'_> {
        RawRecord {
            id: span.id,
            updated_at: span.updated_at.clone().map(|at| &self.text[at]),
            json: &self.text[span.json.clone()],
        }
    }
}

fn spans(text: &str) -> Option<Vec<RecordSpan>> {
    let start = text.as_ptr() as usize;
    let span_of = |part: &str| {
        let from = part.as_ptr() as usize - start;
        from..from + part.len()
    };
    let RecordTexts(items) = serde_json::from_str(text).ok()?;
    let span = |item: &&RawValue| {
        let json = item.get();
        let (mut id, mut updated_at, mut is_repeated) = (None, None, false);
        each_member(json, |name, value| match name.as_ref() {
            "id" => is_repeated |= id.replace(value).is_some(),
            UPDATED_AT => is_repeated |= updated_at.replace(value).is_some(),
            _ => {}
        })?;
        let (id, updated_at) = (id.and_then(number), updated_at.and_then(plain).map(span_of));
        (!is_repeated).then(|| RecordSpan { id, json: span_of(json), updated_at })
    };
    items.iter().map(span).collect()
}

/// The items of a list, unparsed; an error if there are more than any page has.
struct RecordTexts<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for RecordTexts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor).map(Self)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {LONGEST_PAGE} records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = items.next_element()? {
            if texts.len() == LONGEST_PAGE {
                return Err(serde::de::Error::invalid_length(LONGEST_PAGE + 1, &self));
            }
            texts.push(item);
        }
        Ok(texts)
    }
}

/// The text of a JSON string without escapes, which no timestamp has.
fn plain(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains('\\'))
}

/// Some responses contain ids as text.
fn number(json: &str) -> Option<i64> {
    json.trim_matches('"').trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn records_stay_unparsed() {
        let text = r#" [ {"id": 7, "name":"a \"b\"", "updated_at":"2024-05-01T12:34:56.789Z"},
            {"id":"8","updated_at":null}, {"timestamp":"x","updated_at":5,"id":9} ]"#;
        let page = RawPage::of(text.to_owned()).unwrap();
        let records: Vec<_> = page.records().collect();
        assert_eq!(records.iter().map(|record| record.id).collect::<Vec<_>>(), [Some(7), Some(8), Some(9)]);
        assert_eq!(records[0].json, r#"{"id": 7, "name":"a \"b\"", "updated_at":"2024-05-01T12:34:56.789Z"}"#);
        assert_eq!(records[0].updated_at, Some("2024-05-01T12:34:56.789Z"));
        assert_eq!((records[1].updated_at, records[2].updated_at), (None, None));
        assert!(RawPage::of(String::from("[]")).unwrap().is_empty());
    }

    #[test]
    fn a_record_is_split_without_parsing_its_values() {
        let fields =
            RawFields::of(r#"{"id": 7, "na\u006de":"a", "deployed_to": [{"employee_id": 3}], "notes":null}"#).unwrap();
        let members: Vec<_> = fields.iter().collect();
        let expected = [("id", "7"), ("name", "\"a\""), ("deployed_to", "[{\"employee_id\": 3}]"), ("notes", "null")];
        assert_eq!(members, expected);
        assert_eq!((fields.get("notes"), fields.get("other")), (Some("null"), None));
        assert!(RawFields::of("[1]").is_none() && RawFields::of("{").is_none());
    }

    #[test]
    fn a_page_of_too_many_records_is_refused() {
        let page = |count: usize| RawPage::of(format!("[{}]", vec!["{}"; count].join(",")));
        assert_eq!(page(LONGEST_PAGE).map(|page| page.len()), Some(LONGEST_PAGE));
        assert!(page(LONGEST_PAGE + 1).is_none());
    }

    #[test]
    fn a_body_that_is_not_a_list_of_records_is_returned() {
        for body in ["", "{}", "[1]", "[{}, null]", "[{\"id\":1}", "null", "<html>"] {
            assert_eq!(RawPage::read(body.as_bytes().to_vec()).unwrap_err(), body.as_bytes(), "{body}");
        }
        assert_eq!(RawPage::read(vec![0xff]).unwrap_err(), [0xff]);
    }
}
