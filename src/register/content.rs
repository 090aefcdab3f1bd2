//! The content of a register: the lines of all items, their totals and warnings.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::error::RegisterError;
use super::item::RegisterItem;
use super::line::{LineWarning, RegisterLine};
use super::manifest::RegisterAccount;
use super::opening::Opening;
use super::rates::Rates;
use super::roll_forward::{RollForward, roll};
use super::totals::{CurrencyTotal, RegisterCounts, by_currency};
use crate::catalog::CollectionLoss;
use crate::written_files::WrittenFiles;

/// Where a register is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RegisterTarget {
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
pub(crate) struct RegisterOptions {
    /// The as-of date. Figures are those at the end of that day.
    pub as_of: Date,
    /// A file with the columns `currency` and `rate`.
    pub rates: Option<PathBuf>,
    /// An earlier register of this account to roll forward from: an unedited workbook or CSV.
    pub previous: Option<PathBuf>,
    pub target: RegisterTarget,
    pub account: RegisterAccount,
    pub generated_at: Timestamp,
    /// What reading the account found.
    pub losses: Vec<CollectionLoss>,
    /// The list that the files are to be on.
    pub list: Option<WrittenFiles>,
}

/// A problem that did not prevent the register from being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum RegisterWarning {
    /// Held items.
    #[error("{} without a book value; the register gives the reasons", item_count(*items))]
    NotComputed { items: u64 },
    #[error("{} without a currency, totalled separately as `unstated`", item_count(*items))]
    CurrencyUnstated { items: u64 },
    #[error("{} with a currency code that is not in ISO 4217", item_count(*items))]
    CurrencyUnknown { items: u64 },
    #[error("{} with a cost that has more decimal places than its currency", item_count(*items))]
    CostFiner { items: u64 },
    /// Items that may have left the books: the sheet of exceptions gives the reasons.
    #[error(
        "{} counted as held, with an invalid termination date or a status that does not exist; the sheet Exceptions of \
         the workbook gives the details",
        item_count(*items)
    )]
    StandingUnknown { items: u64 },
    /// Records that the register is made from.
    #[error("{0}")]
    RecordsGone(CollectionLoss),
    /// Assets; their register's lines say `disposed`.
    #[error("{} bought and archived since the opening, in no column of the roll-forward", item_count(*items))]
    BoughtAndArchived { items: u64 },
    #[error("no exchange rate for {currency}: its totals are not converted")]
    NoRate { currency: String },
    #[error("`{file}` was saved again since it was written; the rows that the roll-forward begins with are the same")]
    PreviousSavedAgain { file: String },
    #[error("`{file}` is of an earlier register, and stays because tallyport did not write it or it was edited since")]
    Outdated { file: String },
}

fn item_count(items: u64) -> String {
    if items == 1 { String::from("1 item") } else { format!("{items} items") }
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
    /// The file that the roll-forward begins with.
    pub(super) opening: Option<Opening>,
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
        let previous = previous.map(|path| Opening::read(path, &options.account, options.as_of)).transpose()?;
        let (opening, previous) = previous.unzip();
        let lines: Vec<RegisterLine> = items.into_iter().map(|item| RegisterLine::on(options.as_of, item)).collect();
        let roll_forward = previous.map(|previous| roll(&previous, &lines)).transpose();
        let roll = roll_forward.map_err(|differences| RegisterError::DoesNotTie { differences })?;
        let (counts, totals) = (RegisterCounts::of(&lines), by_currency(&lines));
        Ok(Self { counts, totals, options, lines, rates, roll, opening })
    }

    pub(super) fn warnings(&self) -> Vec<RegisterWarning> {
        let with = |is: fn(&LineWarning) -> bool| {
            Some(self.lines.iter().filter(|line| line.warnings.iter().any(is)).count() as u64)
                .filter(|items| *items > 0)
        };
        let uncomputed = Some(self.counts.uncomputed).filter(|items| *items > 0);
        let unstated = with(|warning| matches!(warning, LineWarning::CurrencyUnstated));
        let unknown = with(|warning| matches!(warning, LineWarning::CurrencyUnknown(_)));
        let finer = with(|warning| matches!(warning, LineWarning::Finer { .. }));
        let unclear = with(LineWarning::is_of_standing);
        let archived = self.roll.as_ref().map(|roll| roll.bought_and_archived).filter(|items| *items > 0);
        let counted = [
            uncomputed.map(|items| RegisterWarning::NotComputed { items }),
            unstated.map(|items| RegisterWarning::CurrencyUnstated { items }),
            unknown.map(|items| RegisterWarning::CurrencyUnknown { items }),
            finer.map(|items| RegisterWarning::CostFiner { items }),
            unclear.map(|items| RegisterWarning::StandingUnknown { items }),
            archived.map(|items| RegisterWarning::BoughtAndArchived { items }),
        ];
        let unconverted = self.totals.iter().filter(|total| {
            self.rates.as_ref().is_some_and(|rates| rates.rate(&total.currency).is_none() && total.held.items > 0)
        });
        let no_rate = unconverted.map(|total| RegisterWarning::NoRate { currency: total.currency.code.to_string() });
        let saved_again = self.opening.as_ref().filter(|opening| opening.is_saved_again);
        let saved_again =
            saved_again.map(|opening| RegisterWarning::PreviousSavedAgain { file: opening.file.name.clone() });
        let losses = self.options.losses.iter().copied().map(RegisterWarning::RecordsGone);
        counted.into_iter().flatten().chain(losses).chain(no_rate).chain(saved_again).collect()
    }
}
