//! Writes the register files of a list of items.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::error::RegisterError;
use super::item::RegisterItem;
use super::line::{LineWarning, RegisterLine};
use super::manifest::{FileFacts, Manifest, RegisterAccount, TotalFacts};
use super::previous::PreviousRegister;
use super::rates::Rates;
use super::roll_forward::{RollForward, roll, write_csv};
use super::totals::{CurrencyTotal, RegisterCounts, by_currency};
use super::{MAX_ITEMS, csv_file};
use crate::table::write::{AtomicFile, FileSet, WriteError};

/// Where a register is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterTarget {
    /// A workbook, with its manifest beside it as `NAME.manifest.json`.
    Xlsx(PathBuf),
    /// A CSV file, with its manifest beside it; a roll-forward is written to `STEM.roll-forward.csv`.
    Csv(PathBuf),
    /// `register.xlsx`, `register.csv`, `roll-forward.csv` if there is one, and `manifest.json`. The folder is created
    /// if it is missing.
    Folder(PathBuf),
}

/// What to write, and where.
#[derive(Debug, Clone)]
pub struct RegisterOptions {
    /// The as-of date. Figures are those at the end of that day.
    pub as_of: Date,
    /// A file with the columns `currency` and `rate`.
    pub rates: Option<PathBuf>,
    /// An earlier register to roll forward from: an unedited workbook or CSV.
    pub previous: Option<PathBuf>,
    pub target: RegisterTarget,
    pub account: RegisterAccount,
    pub generated_at: Timestamp,
}

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct RegisterSummary {
    pub as_of: String,
    pub counts: RegisterCounts,
    /// By currency; amounts are strings.
    pub totals: Vec<TotalFacts>,
    /// The as-of date of the register that this one was rolled forward from.
    pub rolled_forward_from: Option<String>,
    pub warnings: Vec<RegisterWarning>,
    /// In the order they were written; the manifest is the last.
    pub files: Vec<PathBuf>,
}

/// A problem that did not prevent the register from being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum RegisterWarning {
    /// Held items without a book value.
    NotComputed { items: u64 },
    /// Items without a currency.
    CurrencyUnstated { items: u64 },
    /// Items whose currency code is not in ISO 4217.
    CurrencyUnknown { items: u64 },
    /// Items whose cost has more decimal places than their currency.
    CostFiner { items: u64 },
    /// A currency without an exchange rate, whose totals are not converted.
    NoRate { currency: String },
}

impl std::fmt::Display for RegisterWarning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let items = |items: &u64| if *items == 1 { String::from("1 item") } else { format!("{items} items") };
        match self {
            Self::NotComputed { items: count } => {
                write!(formatter, "{} without a book value; the register gives the reasons", items(count))
            }
            Self::CurrencyUnstated { items: count } => {
                write!(formatter, "{} without a currency, totalled separately as `unstated`", items(count))
            }
            Self::CurrencyUnknown { items: count } => {
                write!(formatter, "{} with a currency code that is not in ISO 4217", items(count))
            }
            Self::CostFiner { items: count } => {
                write!(formatter, "{} with a cost that has more decimal places than its currency", items(count))
            }
            Self::NoRate { currency } => {
                write!(formatter, "no exchange rate for {currency}: its totals are not converted")
            }
        }
    }
}

/// The content of the files.
pub(super) struct Register<'a> {
    pub(super) options: &'a RegisterOptions,
    /// Sorted by kind and id.
    pub(super) lines: Vec<RegisterLine>,
    pub(super) counts: RegisterCounts,
    pub(super) totals: Vec<CurrencyTotal>,
    pub(super) rates: Option<Rates>,
    pub(super) roll: Option<RollForward>,
}

/// Writes the register of these items. The files appear together or not at all.
///
/// # Errors
///
/// Files that cannot be read or written, invalid exchange rates, an invalid earlier register, a roll-forward that does
/// not balance, or a duplicate item.
pub fn write(items: Vec<RegisterItem>, options: &RegisterOptions) -> Result<RegisterSummary, RegisterError> {
    let register = Register::new(items, options)?;
    let warnings = register.warnings();
    let totals: Vec<TotalFacts> = register.totals.iter().map(TotalFacts::of).collect();
    let from = register.roll.as_ref().and_then(|roll| roll.from).map(|day| day.to_string());
    let mut set = FileSet::default();
    register.add_files(&mut set)?;
    let value: Vec<String> = warnings.iter().map(RegisterWarning::to_string).collect();
    let manifest = Manifest {
        version: 1,
        as_of: options.as_of.to_string(),
        generated_at: options.generated_at.to_string(),
        account: &options.account,
        counts: &register.counts,
        totals: &totals,
        rolled_forward_from: from.clone(),
        warnings: &value,
        files: set.files().iter().map(FileFacts::of).collect::<Result<_, _>>()?,
    };
    let position = manifest_place(&options.target);
    add(&mut set, &position, |file| manifest.write(file).map_err(|error| WriteError::from_io(&position, error)))?;
    Ok(RegisterSummary {
        as_of: options.as_of.to_string(),
        counts: register.counts,
        totals,
        rolled_forward_from: from,
        warnings,
        files: set.commit()?,
    })
}

impl<'a> Register<'a> {
    pub(super) fn new(mut items: Vec<RegisterItem>, options: &'a RegisterOptions) -> Result<Self, RegisterError> {
        items.sort_by_key(|item| (item.kind, item.id));
        for pair in items.windows(2) {
            if let [one, other] = pair
                && (one.kind, one.id) == (other.kind, other.id)
            {
                return Err(RegisterError::Twice { kind: one.kind, id: one.id });
            }
        }
        let rates = options.rates.as_deref().map(Rates::read).transpose()?;
        let previous = options.previous.as_deref();
        let previous = previous.map(|path| PreviousRegister::read(path, options.as_of)).transpose()?;
        let lines: Vec<RegisterLine> = items.into_iter().map(|item| RegisterLine::on(options.as_of, item)).collect();
        let roll_forward = previous.map(|previous| roll(&previous, &lines)).transpose();
        let roll = roll_forward.map_err(|differences| RegisterError::DoesNotTie { differences })?;
        Ok(Self { counts: RegisterCounts::of(&lines), totals: by_currency(&lines), options, lines, rates, roll })
    }

    fn add_files(&self, set: &mut FileSet) -> Result<(), RegisterError> {
        match &self.options.target {
            RegisterTarget::Xlsx(path) => self.add_book(set, path),
            RegisterTarget::Csv(path) => {
                self.add_ledger(set, path)?;
                self.add_roll(set, &path.with_extension("roll-forward.csv"))
            }
            RegisterTarget::Folder(folder) => {
                fs::create_dir_all(folder).map_err(|error| WriteError::from_io(folder, error))?;
                self.add_book(set, &folder.join("register.xlsx"))?;
                self.add_ledger(set, &folder.join("register.csv"))?;
                self.add_roll(set, &folder.join("roll-forward.csv"))
            }
        }
    }

    fn add_book(&self, set: &mut FileSet, path: &Path) -> Result<(), RegisterError> {
        if self.lines.len() > MAX_ITEMS {
            return Err(RegisterError::TooManyItems { items: self.lines.len() });
        }
        add(set, path, |file| super::book::write(file, self))
    }

    fn add_ledger(&self, set: &mut FileSet, path: &Path) -> Result<(), RegisterError> {
        add(set, path, |file| in_csv(file, |out| csv_file::write(out, &self.lines, self.options.as_of)))
    }

    fn add_roll(&self, set: &mut FileSet, path: &Path) -> Result<(), RegisterError> {
        let Some(roll) = &self.roll else { return Ok(()) };
        add(set, path, |file| in_csv(file, |out| write_csv(out, roll, self.options.as_of)))
    }

    pub(super) fn warnings(&self) -> Vec<RegisterWarning> {
        let with =
            |is: fn(&LineWarning) -> bool| self.lines.iter().filter(|line| line.warnings.iter().any(is)).count() as u64;
        let counted = [
            RegisterWarning::NotComputed { items: self.counts.uncomputed },
            RegisterWarning::CurrencyUnstated {
                items: with(|warning| matches!(warning, LineWarning::CurrencyUnstated)),
            },
            RegisterWarning::CurrencyUnknown {
                items: with(|warning| matches!(warning, LineWarning::CurrencyUnknown(_))),
            },
            RegisterWarning::CostFiner { items: with(|warning| matches!(warning, LineWarning::Finer { .. })) },
        ];
        let unconverted = self.totals.iter().filter(|total| {
            self.rates.as_ref().is_some_and(|rates| rates.rate(&total.currency).is_none() && total.held.items > 0)
        });
        let no_rate = unconverted.map(|total| RegisterWarning::NoRate { currency: total.currency.code.to_string() });
        counted.into_iter().filter(RegisterWarning::is_about_items).chain(no_rate).collect()
    }
}

impl RegisterWarning {
    fn is_about_items(&self) -> bool {
        match self {
            Self::NotComputed { items }
            | Self::CurrencyUnstated { items }
            | Self::CurrencyUnknown { items }
            | Self::CostFiner { items } => *items > 0,
            Self::NoRate { .. } => true,
        }
    }
}

/// Adds a file that `write` fills.
fn add(
    set: &mut FileSet,
    path: &Path,
    write: impl FnOnce(&mut AtomicFile) -> Result<(), WriteError>,
) -> Result<(), RegisterError> {
    let mut file = AtomicFile::create(path)?;
    write(&mut file)?;
    set.add(file);
    Ok(())
}

fn in_csv(
    file: &mut AtomicFile,
    write: impl FnOnce(&mut dyn Write) -> Result<(), csv::Error>,
) -> Result<(), WriteError> {
    let path = file.path().to_owned();
    let mut out = BufWriter::new(file);
    let written = write(&mut out).map_err(std::io::Error::from).and_then(|()| out.flush());
    written.map_err(|error| WriteError::from_io(&path, error))
}

fn manifest_place(target: &RegisterTarget) -> PathBuf {
    match target {
        RegisterTarget::Folder(folder) => folder.join("manifest.json"),
        RegisterTarget::Xlsx(path) | RegisterTarget::Csv(path) => {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(".manifest.json");
            path.with_file_name(name)
        }
    }
}
