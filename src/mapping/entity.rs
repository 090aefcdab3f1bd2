//! Detects what a sheet contains from its name, its file's name or its headers.

use super::header_row::known_headers;
use super::{HeaderAliases, find_header};
use crate::schema::{self, Entity};
use crate::table::Row;

/// Why the content of a sheet could not be detected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntityDetectionError {
    #[error("cannot tell from its name or headers what it contains")]
    Unknown,
    #[error("the headers match {}", list(.0))]
    Ambiguous(Vec<&'static str>),
}

/// Detects a sheet's entity by its name, else by its file's name, else by its headers.
///
/// # Errors
/// If nothing matches, or several collections match the headers equally well.
pub(crate) fn detect_entity(
    sheet: Option<&str>,
    stem: &str,
    rows: &[Row],
) -> Result<&'static Entity, EntityDetectionError> {
    if let Some(entity) = sheet.and_then(by_name).filter(|entity| is_importable(entity)) {
        return Ok(entity);
    }
    // A workbook's file name says nothing about a sheet with a name of its own, except for the default `Sheet1`. CSV
    // files only have the file name.
    match by_name(stem).filter(|entity| is_importable(entity)) {
        // One word of a file's name, such as `assets of all locations.csv`, is weaker than the headers.
        Some(entity) if schema::find(stem).is_none() => match by_headers(rows) {
            Ok(other) if fits_far_better(other, entity, rows) => Ok(other),
            _ => Ok(entity),
        },
        Some(entity) => Ok(entity),
        None => by_headers(rows),
    }
}

/// Whether the headers have all that `other` requires, and twice as many of its words as of the entity's.
fn fits_far_better(other: &'static Entity, entity: &'static Entity, rows: &[Row]) -> bool {
    let of = |entity: &'static Entity| {
        let header = &rows[find_header(rows, &[entity])?];
        let aliases = HeaderAliases::new(entity);
        Some((known_headers(&aliases, header), required_fed(&aliases, entity, header)))
    };
    let required = other.fields.iter().filter(|field| field.is_required()).count();
    match (of(other), of(entity)) {
        (Some((known, fed)), Some((fewer, _))) => fed == required && known >= 2 * fewer,
        (Some((_, fed)), None) => fed == required,
        (None, _) => false,
    }
}

fn is_importable(entity: &Entity) -> bool {
    entity.is_collection() || entity.is_action()
}

/// The entity that the whole name means, or the only one that a word of it means: `2026-03 assets final`.
pub(crate) fn by_name(name: &str) -> Option<&'static Entity> {
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

/// The entity with the most known headers, if it covers the required fields better than any other.
pub(crate) fn by_headers(rows: &[Row]) -> Result<&'static Entity, EntityDetectionError> {
    let mut scores: Vec<(usize, &'static Entity)> = schema::importable()
        .filter_map(|entity| {
            let header = &rows[find_header(rows, &[entity])?];
            let aliases = HeaderAliases::new(entity);
            let known = known_headers(&aliases, header) + name_parts(&aliases, entity, header);
            (known >= 2).then_some((known * 2 + required_fed(&aliases, entity, header), entity))
        })
        .collect();
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match scores.as_slice() {
        [] => Err(EntityDetectionError::Unknown),
        [(_, entity)] => Ok(entity),
        [(best, entity), (second, _), ..] if best > second => Ok(entity),
        [(best, _), ..] => {
            let fitting = scores.iter().take_while(|(score, _)| score == best);
            Err(EntityDetectionError::Ambiguous(fitting.map(|(_, entity)| entity.name).collect()))
        }
    }
}

/// Number of headers that are parts of the records' names, such as first and last name, and nothing else.
fn name_parts(aliases: &HeaderAliases, entity: &Entity, header: &Row) -> usize {
    let parts = entity.fields.iter().filter_map(|field| field.joined_from).flatten().copied();
    let words: Vec<String> = parts.flatten().map(|word| schema::fold_header(word)).collect();
    let is_part = |text: &str| aliases.get(text).is_none() && words.contains(&schema::fold_header(text));
    header.cells().filter(|cell| is_part(cell.text)).count()
}

/// Number of required fields that the header feeds.
fn required_fed(aliases: &HeaderAliases, entity: &'static Entity, header: &Row) -> usize {
    let fed: Vec<usize> = header
        .cells()
        .filter_map(|cell| match aliases.get(cell.text) {
            Some(super::ColumnTarget::Field { field, .. }) => Some(field),
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
