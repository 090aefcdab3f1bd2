//! Options that control the checks.

use std::sync::Arc;

use super::aliases::Aliases;
use super::date::DateFormat;
use super::money::DecimalMark;

/// Options that change what a cell means.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub mode: Mode,
    pub blank: EmptyCells,
    pub fraction: FractionalCost,
    pub date_format: Option<DateFormat>,
    pub decimal: Option<DecimalMark>,
    pub duplicates: Duplicates,
    pub repeats: Repeats,
    /// `None`: a conflict is a problem of the row.
    pub conflicts: Option<Conflicts>,
    /// Names that mean other names.
    pub aliases: Arc<Aliases>,
}

/// What to do with a row whose record was changed on the service after the sheet was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// The service's values are kept.
    Theirs,
    /// The sheet's values are written.
    Mine,
    /// The row is skipped.
    Skip,
}

impl Conflicts {
    /// The word for it in options, journals and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Conflicts::Theirs => "theirs",
            Conflicts::Mine => "mine",
            Conflicts::Skip => "skip",
        }
    }
}

/// How to treat a second row with the same natural key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// It is a problem.
    #[default]
    Refused,
    /// It is a separate record.
    Allowed,
}

/// How to treat a check-in or check-out that has already happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// It is left out.
    #[default]
    Recognized,
    /// It is sent again.
    Sent,
}

/// Which writes a row may make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only create; an existing record is a problem.
    Create,
    /// Only update; a missing record is a problem.
    Update,
    /// Create new records, update existing ones.
    #[default]
    Upsert,
}

impl Mode {
    /// The word for it in options, journals and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Create => "create",
            Mode::Update => "update",
            Mode::Upsert => "upsert",
        }
    }
}

/// What an empty cell does on update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EmptyCells {
    /// Keeps the field.
    #[default]
    Leave,
    /// Clears the field.
    Clear,
}

impl EmptyCells {
    /// The word for it in options, journals and reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            EmptyCells::Leave => "leave",
            EmptyCells::Clear => "clear",
        }
    }
}

/// How to treat amounts with a fraction; the guide documents whole amounts (field notes).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FractionalCost {
    /// A problem of the row.
    #[default]
    Error,
    /// Rounded to a whole amount, halves away from zero.
    Round,
    /// Sent as it is.
    Send,
}

impl FractionalCost {
    /// The word for it in options, journals and reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            FractionalCost::Error => "error",
            FractionalCost::Round => "round",
            FractionalCost::Send => "send",
        }
    }
}

/// The action in a row's `_action` cell; it overrides the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowAction {
    Write(Mode),
    Delete,
    Skip,
}

impl RowAction {
    /// The verbs that a cell may contain.
    pub(crate) const VERBS: &'static str = "create, update, upsert, delete or skip";

    pub(crate) fn parse(text: &str) -> Option<Self> {
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
