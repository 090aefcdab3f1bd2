//! Detects what a sheet contains from its name, its file's name or its headers.

use super::HeaderAliases;
use super::header_row::{header_among, known_headers};
use crate::schema::{self, Entity};
use crate::table::Row;

/// Why the content of a sheet could not be detected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntityDetectionError {
    #[error("cannot tell from its name or headers what it contains{}", closest(.0))]
    Unknown(Vec<CloseEntity>),
    #[error("the headers match {}", list(.0))]
    Ambiguous(Vec<&'static str>),
    #[error("cannot tell from its name what it contains: for these headers, mappings are remembered for {}", list(.0))]
    Remembered(Vec<&'static str>),
}

/// An entity that some headers fit, but not enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloseEntity {
    pub entity: &'static str,
    /// The headers that are its fields.
    pub headers: Vec<String>,
}

/// What a sheet contains.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DetectedEntity {
    pub entity: &'static Entity,
    /// What the name of the sheet or file says, where the headers say otherwise.
    pub overruled: Option<&'static Entity>,
}

impl EntityDetectionError {
    /// Whether the sheet may contain the entity for all that is known of it.
    pub(super) fn leaves_open(&self, entity: &Entity) -> bool {
        match self {
            EntityDetectionError::Unknown(_) => true,
            EntityDetectionError::Ambiguous(entities) | EntityDetectionError::Remembered(entities) => {
                entities.contains(&entity.name)
            }
        }
    }

    /// The flag that says what the sheet contains, for the likeliest entity.
    pub(crate) fn flag(&self) -> Option<String> {
        let likeliest = match self {
            EntityDetectionError::Unknown(close) => close.first().map(|close| close.entity),
            EntityDetectionError::Ambiguous(entities) | EntityDetectionError::Remembered(entities) => {
                entities.first().copied()
            }
        };
        likeliest.map(|entity| format!("--entity {entity}"))
    }
}

/// Detects a sheet's entity by its name, else by its file's name, else by its headers. A name does not count where the
/// headers clearly say something else.
///
/// # Errors
/// If nothing matches, or several collections match the headers equally well.
pub(crate) fn detect_entity(
    sheet: Option<&str>,
    stem: &str,
    rows: &[Row],
) -> Result<DetectedEntity, EntityDetectionError> {
    let Some(entity) = named_entity(sheet, stem) else {
        return by_headers(rows).map(|entity| DetectedEntity { entity, overruled: None });
    };
    let fit = HeaderFit::of(entity, rows);
    let is_in_doubt = fit.as_ref().is_none_or(|fit| !fit.is_clear());
    let other = if is_in_doubt { by_headers(rows).ok() } else { None };
    match other.filter(|other| other.name != entity.name) {
        Some(other) if fits_far_better(other, fit.as_ref(), rows) => {
            Ok(DetectedEntity { entity: other, overruled: Some(entity) })
        }
        _ => Ok(DetectedEntity { entity, overruled: None }),
    }
}

/// What the name of a sheet, or else that of its file, says that it contains.
pub(crate) fn named_entity(sheet: Option<&str>, stem: &str) -> Option<&'static Entity> {
    // A workbook's file name says nothing about a sheet with a name of its own, except for the default `Sheet1`. CSV
    // files only have the file name.
    let named = |name: &str| by_name(name).filter(|entity| is_importable(entity));
    sheet.and_then(named).or_else(|| named(stem))
}

/// Whether the headers have all that `other` requires, which is more than they have of what the named entity requires,
/// and twice as many of its words.
fn fits_far_better(other: &'static Entity, named: Option<&HeaderFit>, rows: &[Row]) -> bool {
    HeaderFit::of(other, rows).is_some_and(|fit| {
        let is_better = |less: &HeaderFit| fit.required > less.required && fit.known() >= 2 * less.known();
        fit.has_all_required() && named.is_none_or(is_better)
    })
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

/// The entity with the most known headers, or of several with as many the one that has the most of what is required, if
/// that is all.
pub(crate) fn by_headers(rows: &[Row]) -> Result<&'static Entity, EntityDetectionError> {
    let mut fits: Vec<HeaderFit> = schema::importable().filter_map(|entity| HeaderFit::of(entity, rows)).collect();
    fits.sort_by_key(|fit| std::cmp::Reverse(fit.score()));
    let is_one = |fit: &&HeaderFit| fit.known() >= 2 && fit.required > 0;
    let fitting: Vec<&HeaderFit> = fits.iter().filter(is_one).collect();
    let Some(best) = fitting.first() else { return Err(EntityDetectionError::Unknown(close_entities(&fits))) };
    let equal: Vec<&'static str> =
        fitting.iter().filter(|fit| fit.fits_like(best)).map(|fit| fit.entity.name).collect();
    match equal.as_slice() {
        [_] => Ok(best.entity),
        _ => Err(EntityDetectionError::Ambiguous(equal)),
    }
}

/// How well the headers of a sheet fit an entity.
struct HeaderFit {
    entity: &'static Entity,
    /// Those that are its fields.
    headers: Vec<String>,
    /// The number of headers that are parts of the records' names.
    name_parts: usize,
    /// The number of cells of the header row that are filled.
    filled: usize,
    /// The number of required fields that they feed.
    required: usize,
}

impl HeaderFit {
    fn of(entity: &'static Entity, rows: &[Row]) -> Option<Self> {
        let aliases = HeaderAliases::of(entity);
        let header = &rows[header_among(rows, &[aliases])?];
        let headers: Vec<String> = known_headers(aliases, header).map(|header| header.trim().to_owned()).collect();
        let filled = header.cells().filter(|cell| !cell.is_blank()).count();
        let name_parts = name_parts(aliases, entity, header);
        let required = required_fed(aliases, entity, header);
        (!headers.is_empty()).then_some(Self { entity, headers, name_parts, filled, required })
    }

    /// Whether it needs no comparison with others: it has what is required, and hardly anything else.
    fn is_clear(&self) -> bool {
        self.has_all_required() && 2 * self.known() >= self.filled
    }

    /// The number of headers that mean something.
    fn known(&self) -> usize {
        self.headers.len() + self.name_parts
    }

    /// Whether it fits as well as the best. Some of what is required tells nothing where the rest is missing: a tag and a
    /// name are two of the four that a maintenance needs, and all that somebody wants to change of assets.
    fn fits_like(&self, best: &HeaderFit) -> bool {
        self.score() == best.score() || (self.known() == best.known() && !best.has_all_required())
    }

    fn score(&self) -> usize {
        self.known() * 2 + self.required
    }

    fn has_all_required(&self) -> bool {
        self.required == self.entity.fields.iter().filter(|field| field.is_required()).count()
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

/// At most this many entities and headers of each are named.
const SHOWN: usize = 3;

/// Those that fit best, if any fits by more than a single word.
fn close_entities(fits: &[HeaderFit]) -> Vec<CloseEntity> {
    let close = fits.iter().filter(|fit| fit.headers.len() >= 2 && fit.entity.is_collection()).take(SHOWN);
    close.map(|fit| CloseEntity { entity: fit.entity.name, headers: fit.headers.clone() }).collect()
}

fn closest(close: &[CloseEntity]) -> String {
    let one = |close: &CloseEntity| {
        let headers: Vec<String> = close.headers.iter().take(SHOWN).map(|header| format!("`{header}`")).collect();
        let more = if close.headers.len() > SHOWN { ", …" } else { "" };
        format!("`{}` ({}{more})", close.entity, headers.join(", "))
    };
    match close {
        [] => String::new(),
        close => format!("; closest: {}", close.iter().map(one).collect::<Vec<String>>().join(", ")),
    }
}

fn list(names: &[&'static str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
