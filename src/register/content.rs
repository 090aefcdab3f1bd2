//! The content of a register: the lines of all items, their totals and warnings.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::error::RegisterError;
use super::item::RegisterItem;
use super::line::{LineWarning, RegisterLine};
use super::manifest::RegisterAccount;
use super::previous::PreviousRegister;
use super::rates::Rates;
use super::roll_forward::{RollForward, roll};
use super::totals::{CurrencyTotal, RegisterCounts, by_currency};

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
