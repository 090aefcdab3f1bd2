//! What a sheet holds: told by the user, its name, its file's name or its headers.

use super::header_row::known_headers;
use super::{Words, find_header};
use crate::schema::{self, Entity};
use crate::table::Row;

/// Why it cannot be told what a sheet holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntityFault {
    #[error("neither the name nor the headers tell what it holds")]
    Unknown,
    #[error("the headers fit {}", list(.0))]
    Ambiguous(Vec<&'static str>),
}

/// What a sheet holds, by its name, else its file's name, else its headers.
///
/// # Errors
/// Where nothing tells, or several collections fit the headers equally well.
pub fn entity_of(sheet: Option<&str>, stem: &str, rows: &[Row]) -> Result<&'static Entity, EntityFault> {
    if let Some(entity) = sheet.and_then(by_name).filter(|entity| is_importable(entity)) {
        return Ok(entity);
    }
    // A workbook's name says nothing about the one of its sheets that has a name of its own, unless it is the usual
    // `Sheet1`; CSV files have only the file's name.
    if let Some(entity) = by_name(stem).filter(|entity| is_importable(entity)) {
        return Ok(entity);
    }
    by_headers(rows)
}

fn is_importable(entity: &Entity) -> bool {
    entity.is_collection() || entity.is_action()
}

/// The entity a name means as a whole, else the only one that a word of it means: `2026-03 assets final`.
fn by_name(name: &str) -> Option<&'static Entity> {
    if let Some(entity) = schema::find(name) {
        return Some(entity);
    }
    let mut found: Vec<&'static Entity> =
        name.split(|char: char| !char.is_alphanumeric() && char != '_').filter_map(schema::find).collect();
    found.dedup_by_key(|entity| entity.name);
    match found.as_slice() {
        [entity] => Some(entity),
        _ => None,
    }
}

/// The entity most of whose header words stand in the header row, if it covers what a create requires better than
/// any other.
fn by_headers(rows: &[Row]) -> Result<&'static Entity, EntityFault> {
    let mut scores: Vec<(usize, &'static Entity)> = schema::importable()
        .filter_map(|entity| {
            let header = &rows[find_header(rows, &[entity])?];
            let words = Words::new(entity);
            let known = known_headers(&words, header);
            (known >= 2).then_some((known * 2 + required_fed(&words, entity, header), entity))
        })
        .collect();
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match scores.as_slice() {
        [] => Err(EntityFault::Unknown),
        [(_, entity)] => Ok(entity),
        [(best, entity), (second, _), ..] if best > second => Ok(entity),
        [(best, _), ..] => {
            let fitting = scores.iter().take_while(|(score, _)| score == best);
            Err(EntityFault::Ambiguous(fitting.map(|(_, entity)| entity.name).collect()))
        }
    }
}

/// How many required fields the header feeds, less those it does not.
fn required_fed(words: &Words, entity: &'static Entity, header: &Row) -> usize {
    let fed: Vec<usize> = header
        .cells()
        .filter_map(|cell| match words.get(cell.text) {
            Some(super::To::Field { field, .. }) => Some(field),
            _ => None,
        })
        .collect();
    let is_fed = |index: &usize| fed.contains(index);
    (0..entity.fields.len()).filter(|index| entity.fields[*index].is_required()).filter(is_fed).count()
}

fn list(names: &[&'static str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
