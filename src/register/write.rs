//! From items to files.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::batch::Batch;
use super::error::RegisterError;
use super::item::Item;
use super::line::{Line, Notice};
use super::manifest::{Account, Manifest, TotalFacts};
use super::previous::Previous;
use super::rates::Rates;
use super::roll::{Roll, roll, write_csv};
use super::totals::{CurrencyTotal, RegisterCounts, by_currency};
use super::{MAX_ITEMS, ledger};
use crate::table::write::{AtomicFile, WriteError};

/// Where a register goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterTarget {
    /// One workbook, with its manifest beside it as `NAME.manifest.json`.
    Xlsx(PathBuf),
    /// One CSV, with its manifest beside it; a roll-forward as `STEM.roll-forward.csv`.
    Csv(PathBuf),
    /// `register.xlsx`, `register.csv`, `roll-forward.csv` where there is one, and `manifest.json`. The folder is made
    /// where it is missing.
    Folder(PathBuf),
}

/// What a register is to be.
#[derive(Debug, Clone)]
pub struct RegisterOptions {
    /// Figures are those at the end of that day.
    pub as_of: Date,
    /// A file with the columns `currency` and `rate`.
    pub rates: Option<PathBuf>,
    /// An earlier register, to be rolled forward from: a workbook or CSV as it was written.
    pub previous: Option<PathBuf>,
    pub target: RegisterTarget,
    pub account: Account,
    pub generated_at: Timestamp,
}

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct RegisterSummary {
    pub as_of: String,
    pub counts: RegisterCounts,
    /// By currency; amounts are texts.
    pub totals: Vec<TotalFacts>,
    /// The day of the register that this one was rolled forward from.
    pub rolled_forward_from: Option<String>,
    pub warnings: Vec<RegisterWarning>,
    /// In the order in which they appeared; the manifest is the last.
    pub files: Vec<PathBuf>,
}

/// Something that did not keep the register from being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum RegisterWarning {
    /// Items that are held and have no book value.
    NotComputed { items: u64 },
    /// Items whose currency nobody states.
    CurrencyUnstated { items: u64 },
    /// Items whose currency code is none of ISO 4217.
    CurrencyUnknown { items: u64 },
    /// Items whose cost is finer than their currency's minor unit.
    CostFiner { items: u64 },
    /// Totals that stay unconverted.
    NoRate { currency: String },
}

impl std::fmt::Display for RegisterWarning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let items = |items: &u64| if *items == 1 { String::from("1 item") } else { format!("{items} items") };
        match self {
            Self::NotComputed { items: count } => {
                write!(formatter, "{} without a book value; the register says why for each", items(count))
            }
            Self::CurrencyUnstated { items: count } => {
                write!(formatter, "{} without a currency, counted apart as `unstated`", items(count))
            }
            Self::CurrencyUnknown { items: count } => {
                write!(formatter, "{} with a currency that is no code of ISO 4217", items(count))
            }
            Self::CostFiner { items: count } => {
                write!(formatter, "{} with a cost finer than the currency's minor unit", items(count))
            }
            Self::NoRate { currency } => write!(formatter, "no rate for {currency}: its totals are not converted"),
        }
    }
}

/// All that the files are made of.
pub(super) struct Register<'a> {
    pub(super) options: &'a RegisterOptions,
    /// By kind and id.
    pub(super) lines: Vec<Line>,
    pub(super) counts: RegisterCounts,
    pub(super) totals: Vec<CurrencyTotal>,
    pub(super) rates: Option<Rates>,
    pub(super) roll: Option<Roll>,
}

/// Writes the register of these items. Files appear all together, or none does.
///
/// # Errors
///
/// Files that cannot be read or written, rates or an earlier register that are none, a roll-forward that does not tie,
/// an item that is there twice.
pub fn write(items: Vec<Item>, options: &RegisterOptions) -> Result<RegisterSummary, RegisterError> {
    let register = Register::new(items, options)?;
    let warnings = register.warnings();
    let totals: Vec<TotalFacts> = register.totals.iter().map(TotalFacts::of).collect();
    let from = register.roll.as_ref().and_then(|roll| roll.from).map(|day| day.to_string());
    let mut batch = Batch::default();
    register.add_files(&mut batch)?;
    let told: Vec<String> = warnings.iter().map(RegisterWarning::to_string).collect();
    let manifest = Manifest {
        version: 1,
        as_of: options.as_of.to_string(),
        generated_at: options.generated_at.to_string(),
        account: &options.account,
        counts: &register.counts,
        totals: &totals,
        rolled_forward_from: from.clone(),
        warnings: &told,
        files: batch.facts()?,
    };
    let place = manifest_place(&options.target);
    batch.add(&place, |whole| manifest.write(whole).map_err(|error| WriteError::from_io(&place, error)))?;
    Ok(RegisterSummary {
        as_of: options.as_of.to_string(),
        counts: register.counts,
        totals,
        rolled_forward_from: from,
        warnings,
        files: batch.commit()?,
    })
}

impl<'a> Register<'a> {
    pub(super) fn new(mut items: Vec<Item>, options: &'a RegisterOptions) -> Result<Self, RegisterError> {
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
        let previous = previous.map(|path| Previous::read(path, options.as_of)).transpose()?;
        let lines: Vec<Line> = items.into_iter().map(|item| Line::on(options.as_of, item)).collect();
        let rolled = previous.map(|previous| roll(&previous, &lines)).transpose();
        let roll = rolled.map_err(|differences| RegisterError::DoesNotTie { differences })?;
        Ok(Self { counts: RegisterCounts::of(&lines), totals: by_currency(&lines), options, lines, rates, roll })
    }

    fn add_files(&self, batch: &mut Batch) -> Result<(), RegisterError> {
        match &self.options.target {
            RegisterTarget::Xlsx(path) => self.add_book(batch, path),
            RegisterTarget::Csv(path) => {
                self.add_ledger(batch, path)?;
                self.add_roll(batch, &path.with_extension("roll-forward.csv"))
            }
            RegisterTarget::Folder(folder) => {
                fs::create_dir_all(folder).map_err(|error| WriteError::from_io(folder, error))?;
                self.add_book(batch, &folder.join("register.xlsx"))?;
                self.add_ledger(batch, &folder.join("register.csv"))?;
                self.add_roll(batch, &folder.join("roll-forward.csv"))
            }
        }
    }

    fn add_book(&self, batch: &mut Batch, path: &Path) -> Result<(), RegisterError> {
        if self.lines.len() > MAX_ITEMS {
            return Err(RegisterError::TooManyItems { items: self.lines.len() });
        }
        batch.add(path, |whole| super::book::write(whole, self))
    }

    fn add_ledger(&self, batch: &mut Batch, path: &Path) -> Result<(), RegisterError> {
        batch.add(path, |whole| in_csv(whole, |out| ledger::write(out, &self.lines, self.options.as_of)))
    }

    fn add_roll(&self, batch: &mut Batch, path: &Path) -> Result<(), RegisterError> {
        let Some(roll) = &self.roll else { return Ok(()) };
        batch.add(path, |whole| in_csv(whole, |out| write_csv(out, roll, self.options.as_of)))
    }

    pub(super) fn warnings(&self) -> Vec<RegisterWarning> {
        let with =
            |is: fn(&Notice) -> bool| self.lines.iter().filter(|line| line.notices.iter().any(is)).count() as u64;
        let counted = [
            RegisterWarning::NotComputed { items: self.counts.uncomputed },
            RegisterWarning::CurrencyUnstated { items: with(|notice| matches!(notice, Notice::CurrencyUnstated)) },
            RegisterWarning::CurrencyUnknown { items: with(|notice| matches!(notice, Notice::CurrencyUnknown(_))) },
            RegisterWarning::CostFiner { items: with(|notice| matches!(notice, Notice::Finer { .. })) },
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

fn in_csv(
    whole: &mut AtomicFile,
    write: impl FnOnce(&mut dyn Write) -> Result<(), csv::Error>,
) -> Result<(), WriteError> {
    let path = whole.path().to_owned();
    let mut out = BufWriter::new(whole);
    write(&mut out).map_err(|error| WriteError::from_io(&path, std::io::Error::from(error)))
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
