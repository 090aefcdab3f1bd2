//! Sheets to fill in, made from the schema.
//!
//! A workbook opens with [`INSTRUCTIONS_SHEET`], then has one sheet per entity, named as the entity, with the API's field
//! names as headers and nothing below them: what is not filled in cannot be imported by accident. Each header carries
//! a note; each column carries the format and the drop-down its kind of value needs. [`LISTS_SHEET`] is hidden and holds
//! what drop-downs are too long to hold themselves.
//!
//! The same schema makes the same bytes, so that the files kept in `templates/` can be compared with it by a test.

mod drop_down_lists;
mod instructions;
mod sheet;
mod styles;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use crate::error::{Diagnostic, ErrorKind};
use crate::run::input::own_sheets::{INSTRUCTIONS_SHEET, INSTRUCTIONS_TITLE, LISTS_SHEET};
use crate::schema::{Entity, Reference, importable};
use crate::table::write::{AtomicFile, WriteError};
use drop_down_lists::DropDownLists;
use styles::TemplateStyles;

/// The account's own names, for the drop-downs of references, by [`names_key`].
pub(crate) type LiveNames = BTreeMap<String, Vec<String>>;

/// Where [`LiveNames`] holds the names for a reference: `products`, or `categories:accessory` for one that is
/// narrowed. Names under the bare collection serve narrowed references too, where they have none of their own.
pub(crate) fn names_key(reference: Reference) -> String {
    match reference.narrowed {
        Some((_, value)) => format!("{}:{value}", reference.to),
        None => reference.to.to_owned(),
    }
}

/// The whole set: for every collection and action a workbook of its own, and one with all of them. Each is the
/// name of its file without the extension, and its sheets.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Vec<&'static Entity>)> {
    let each = importable().map(|entity| (entity.name, vec![entity]));
    each.chain([("onboarding", importable().collect())])
}

/// A template that was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    /// Another file is there, which somebody may have filled in.
    #[error("`{}` already exists and has been filled in", path.display())]
    FilledIn { path: PathBuf },
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Diagnostic for TemplateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::FilledIn { .. } => Some("choose another folder, or move the file away first".to_owned()),
            Self::Write(error) => error.hint(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::FilledIn { .. } => ErrorKind::Usage,
            Self::Write(error) => error.kind(),
        }
    }
}

/// Writes one workbook with a sheet per entity, in that order, to `path`.
///
/// # Errors
/// Where another file stands at `path`, which may have been filled in, or where it cannot be written. A file with
/// the very same bytes is left as it is.
pub(crate) fn write(entities: &[&'static Entity], live: Option<&LiveNames>, path: &Path) -> Result<(), TemplateError> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = build(entities, live, &file_name).map_err(|error| WriteError::from_xlsx(path, error))?;
    match fs::read(path) {
        Ok(there) if there == bytes => Ok(()),
        Ok(_) => Err(TemplateError::FilledIn { path: path.to_owned() }),
        Err(_) => Ok(save(path, &bytes)?),
    }
}

/// The workbook as bytes; its instructions name it `file_name`.
fn build(entities: &[&'static Entity], live: Option<&LiveNames>, file_name: &str) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(entities)?);
    let styles = TemplateStyles::new();
    let lists = DropDownLists::new(entities, live);

    instructions::write(workbook.add_worksheet(), entities, file_name, &styles)?;
    for entity in entities {
        sheet::write(workbook.add_worksheet(), entity, &lists, &styles)?;
    }
    if !lists.is_empty() {
        lists.write(workbook.add_worksheet(), &styles)?;
    }
    workbook.save_to_buffer()
}

/// A fixed day of creation: the same schema makes the same bytes.
fn properties(entities: &[&Entity]) -> Result<DocProperties, XlsxError> {
    let names: Vec<&str> = entities.iter().map(|entity| entity.name).collect();
    let created = ExcelDateTime::from_ymd(2026, 1, 1)?;
    Ok(DocProperties::new()
        .set_title("Sheets to fill in for BlueTally")
        .set_subject(names.join(", "))
        .set_author("tallyport")
        .set_creation_datetime(&created))
}

/// The file appears whole or not at all.
fn save(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|error| WriteError::from_io(path, error))?;
    file.commit().map(drop)
}

#[cfg(test)]
mod tests;
