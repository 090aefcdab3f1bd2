//! What the user asked of the checks.

use clap::ValueEnum;

use super::date::DateFormat;
use super::money::DecimalMark;

/// The options that change what a cell means.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub mode: Mode,
    pub blank: Blank,
    pub fraction: FractionalCost,
    pub date_format: Option<DateFormat>,
    pub decimal: Option<DecimalMark>,
    pub duplicates: Duplicates,
    /// None: a problem of the row.
    pub conflicts: Option<Conflicts>,
}

/// What becomes of a row that would change a record which was changed on the service after the sheet was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Conflicts {
    /// What the service holds stays
    Theirs,
    /// What the sheet says is written
    Mine,
    /// The row is skipped
    Skip,
}

/// What a second row of the same natural key is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// A problem of the row.
    #[default]
    Refused,
    /// A record of its own: the user insists.
    Allowed,
}

/// What a row may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Only new records: an existing one is a problem
    Create,
    /// Only existing records: a missing one is a problem
    Update,
    /// New ones are created, existing ones updated
    #[default]
    Upsert,
}

/// What an empty cell does on update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Blank {
    /// Leaves the field alone
    #[default]
    Leave,
    /// Empties the field
    Clear,
}

/// What becomes of an amount with a fraction; the guide documents whole amounts (field notes).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FractionalCost {
    /// A problem of the row
    #[default]
    Error,
    /// Rounded to a whole amount, halves away from zero
    Round,
    /// Sent as it is
    Send,
}

/// What a cell in a column `_action` asks for its row; it overrides the mode (design rule 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowAction {
    Write(Mode),
    Delete,
    Skip,
}

impl RowAction {
    /// The verbs as a cell may hold them.
    pub const VERBS: &'static str = "create, update, upsert, delete or skip";

    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "create" => Some(RowAction::Write(Mode::Create)),
            "update" => Some(RowAction::Write(Mode::Update)),
            "upsert" => Some(RowAction::Write(Mode::Upsert)),
            "delete" => Some(RowAction::Delete),
            "skip" => Some(RowAction::Skip),
            _ => None,
        }
    }
}
