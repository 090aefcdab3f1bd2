//! Writes the register files of a list of items.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::content::{Register, RegisterOptions, RegisterTarget, RegisterWarning};
use super::error::RegisterError;
use super::item::{MAX_ITEMS, RegisterItem};
use super::manifest::{ConversionFacts, FOLDER_MANIFEST, FileFacts, Manifest, TotalFacts, beside};
use super::opening::rows_digest;
use super::previous::RegisterEntry;
use super::roll_forward::write_csv;
use super::totals::RegisterCounts;
use super::{book, csv_file};
use crate::table::write::csv::io_error;
use crate::table::write::{AtomicFile, FileSet, WriteError};

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct RegisterSummary {
    pub as_of: String,
    pub counts: RegisterCounts,
    /// By currency; amounts are strings.
    pub totals: Vec<TotalFacts>,
    /// The totals by the user's exchange rates.
    pub conversion: Option<ConversionFacts>,
    /// The as-of date of the register that this one was rolled forward from.
    pub rolled_forward_from: Option<String>,
    /// That register's file, as it was read.
    pub rolled_forward_from_file: Option<FileFacts>,
    pub warnings: Vec<RegisterWarning>,
    /// In the order they were written; the manifest is the last.
    pub files: Vec<PathBuf>,
}

/// Writes the register of these items. The files appear together or not at all.
///
/// # Errors
///
/// Files that cannot be read or written, invalid exchange rates, an invalid earlier register, a roll-forward that does
/// not balance, or a duplicate item.
pub(crate) fn write(items: Vec<RegisterItem>, options: &RegisterOptions) -> Result<RegisterSummary, RegisterError> {
    let register = Register::new(items, options)?;
    let warnings = register.warnings();
    let totals: Vec<TotalFacts> = register.totals.iter().map(TotalFacts::of).collect();
    let conversion = register.rates.as_ref().map(|rates| ConversionFacts::of(rates, &register.totals));
    let from = register.roll.as_ref().and_then(|roll| roll.from).map(|day| day.to_string());
    let mut set = FileSet::default();
    add_files(&register, &mut set)?;
    let warning_texts: Vec<String> = warnings.iter().map(RegisterWarning::to_string).collect();
    let opening = register.opening.as_ref().map(|opening| opening.file.clone());
    let entries: Vec<RegisterEntry> = register.lines.iter().map(RegisterEntry::of).collect();
    let manifest = Manifest {
        version: 1,
        as_of: options.as_of.to_string(),
        generated_at: options.generated_at.to_string(),
        account: &options.account,
        counts: &register.counts,
        totals: &totals,
        conversion: conversion.as_ref(),
        rolled_forward_from: from.clone(),
        rolled_forward_from_file: opening.as_ref(),
        rows_sha256: rows_digest(Some(options.as_of), &entries),
        warnings: &warning_texts,
        files: set.files().iter().map(FileFacts::of).collect::<Result<_, _>>()?,
    };
    let path = manifest_path(&options.target);
    add_file(&mut set, &path, options, |file| manifest.write(file).map_err(|error| WriteError::from_io(&path, error)))?;
    Ok(RegisterSummary {
        as_of: options.as_of.to_string(),
        counts: register.counts,
        totals,
        conversion,
        rolled_forward_from: from,
        rolled_forward_from_file: opening,
        warnings,
        files: set.commit()?,
    })
}

fn add_files(register: &Register<'_>, set: &mut FileSet) -> Result<(), RegisterError> {
    if let RegisterTarget::Folder(folder) = &register.options.target {
        fs::create_dir_all(folder).map_err(|error| WriteError::from_folder(folder, error))?;
    }
    let [book, csv, roll_forward] = table_files(&register.options.target);
    let as_of = register.options.as_of;
    if let Some(path) = book {
        if register.lines.len() > MAX_ITEMS {
            return Err(RegisterError::TooManyItems { items: register.lines.len() });
        }
        add_file(set, &path, register.options, |file| book::write(file, register))?;
    }
    if let Some(path) = csv {
        add_file(set, &path, register.options, |file| {
            in_csv(file, |out| csv_file::write(out, &register.lines, as_of))
        })?;
    }
    if let (Some(path), Some(roll)) = (roll_forward, &register.roll) {
        add_file(set, &path, register.options, |file| in_csv(file, |out| write_csv(out, roll, as_of)))?;
    }
    Ok(())
}

/// Adds a file that `write` fills.
fn add_file(
    set: &mut FileSet,
    path: &Path,
    options: &RegisterOptions,
    write: impl FnOnce(&mut AtomicFile) -> Result<(), WriteError>,
) -> Result<(), RegisterError> {
    let mut file = AtomicFile::create(path)?.listed_in(options.list.as_ref());
    write(&mut file)?;
    set.add(file);
    Ok(())
}

/// Writes CSV into a file.
fn in_csv(
    file: &mut AtomicFile,
    write: impl FnOnce(&mut dyn Write) -> Result<(), csv::Error>,
) -> Result<(), WriteError> {
    let path = file.path().to_owned();
    let mut out = BufWriter::new(file);
    let written = write(&mut out).map_err(io_error).and_then(|()| out.flush());
    written.map_err(|error| WriteError::from_io(&path, error))
}

/// The files that a register is written to, as far as there is something to write.
pub(super) fn planned_files(target: &RegisterTarget) -> Vec<PathBuf> {
    table_files(target).into_iter().flatten().chain([manifest_path(target)]).collect()
}

/// The workbook, the CSV file and the roll-forward.
fn table_files(target: &RegisterTarget) -> [Option<PathBuf>; 3] {
    match target {
        RegisterTarget::Xlsx(path) => [Some(path.clone()), None, None],
        RegisterTarget::Csv(path) => [None, Some(path.clone()), Some(path.with_extension("roll-forward.csv"))],
        RegisterTarget::Folder(folder) => {
            ["register.xlsx", "register.csv", "roll-forward.csv"].map(|name| Some(folder.join(name)))
        }
    }
}

fn manifest_path(target: &RegisterTarget) -> PathBuf {
    match target {
        RegisterTarget::Folder(folder) => folder.join(FOLDER_MANIFEST),
        RegisterTarget::Xlsx(path) | RegisterTarget::Csv(path) => beside(path),
    }
}
