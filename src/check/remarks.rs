//! What is worth a remark in a column: values that are read in a way the user should know of.

use rust_decimal::Decimal;

use super::remark::{Remark, RemarkCode};
use crate::mapping::Mapping;
use crate::shell;
use crate::table::CellRef;
use crate::wording::{counted, thousands};

/// The different values that a remark quotes.
const SAMPLES: usize = 3;

/// The longest quoted value, in characters.
const LONGEST_SAMPLE: usize = 30;

/// The remarks kept apart; a file needs hundreds of odd columns to have more.
const MAX_GROUPS: usize = 200;

/// The cells of a kind and column that are kept where each matters by itself.
const MAX_CELLS: usize = 1_000;

/// Why a cell is remarked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemarkKind {
    /// A word such as `NIL` or `TBA`, read as an empty cell.
    NoValue,
    /// A path such as `Berlin > Floor 2`, of which only the last part counts.
    PathShortened,
    /// A sign that several currencies share, with nothing to tell which.
    SharedSign,
    /// A currency beside an amount that the service keeps without one.
    NoCurrencyField,
    /// A moment in UTC, taken as the day that it shows.
    LocalDay,
    /// An amount that was multiplied because its header says so.
    Multiplied(Decimal),
    /// Free text such as `MÃ¼ller`.
    Misread,
    /// A character in a code that is easily taken for another one.
    LookAlike { found: char, plain: char },
    /// A serial number that another row has under another key.
    SameSerial,
    /// A serial number that another record of the account has.
    SerialInAccount,
    /// The same, where that record has the number for its tag, too, and the row has another tag.
    SerialIsTag {
        /// The field of serial numbers.
        field: &'static str,
        singular: &'static str,
    },
    /// A bare number in a column of ids, with nothing beside it that confirms it.
    BareId,
    /// A record of the account that was chosen because the mapping names its kind only.
    RecordKind {
        kind: &'static str,
        /// What it is a kind of: `status`.
        singular: &'static str,
        basis: KindBasis,
        is_default: bool,
    },
    /// A new record whose kind neither the row nor the value map of the mapping says.
    KindAssumed {
        kind: &'static str,
        /// Another one, for an example.
        other: &'static str,
        /// The collection of such records.
        collection: &'static str,
        /// The field that names the record, and that record's field of kinds.
        target: (&'static str, &'static str),
    },
    /// The name of a record that the account lacks and that cannot be made from the row.
    NameLeftOut { collection: &'static str, is_holder: bool },
    /// A value that describes a record of the account otherwise than the account does.
    Contradicted {
        /// What it describes: `product`.
        singular: &'static str,
    },
    /// A value of a field that the service does not report. One that an earlier run sent is not sent again.
    NotReported { is_sent: bool },
    /// The holder of an asset whose status does not allow a check-out.
    HolderWithheld,
    /// The name of a person, last name first, in a column of such names.
    LastNameFirst,
    /// The same in a column of other names.
    NameWithComma,
}

/// Why a record was chosen among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KindBasis {
    /// There is no other.
    Only,
    /// It has the name that the mapping says.
    Named,
    /// It is the one that most records of this collection have.
    MostUsed(&'static str),
    FirstByName,
    /// The account has none, and the run creates it.
    Created,
}

impl KindBasis {
    fn text(self, kind: &str, singular: &str) -> String {
        match self {
            KindBasis::Named => format!("the {kind} {singular} that the mapping names"),
            KindBasis::Only => format!("the only {kind} {singular}"),
            KindBasis::MostUsed(collection) => format!("the {kind} {singular} that most {collection} have"),
            KindBasis::FirstByName => format!("the first {kind} {singular} by name"),
            KindBasis::Created => format!("the {kind} {singular} that this run creates"),
        }
    }
}

impl RemarkKind {
    /// Stable and searchable.
    fn code(self) -> RemarkCode {
        match self {
            RemarkKind::NoValue => RemarkCode::ValueNone,
            RemarkKind::PathShortened => RemarkCode::PathShortened,
            RemarkKind::SharedSign | RemarkKind::NoCurrencyField => RemarkCode::MoneySymbol,
            RemarkKind::LocalDay => RemarkCode::DateTimezone,
            RemarkKind::Multiplied(_) => RemarkCode::MoneyMultiplied,
            RemarkKind::Misread => RemarkCode::TextMisread,
            RemarkKind::LookAlike { .. } => RemarkCode::TextLookAlike,
            RemarkKind::SameSerial | RemarkKind::SerialInAccount | RemarkKind::SerialIsTag { .. } => {
                RemarkCode::SerialRepeated
            }
            RemarkKind::BareId => RemarkCode::IdBare,
            RemarkKind::RecordKind { .. } => RemarkCode::ValueKind,
            RemarkKind::KindAssumed { .. } => RemarkCode::KindAssumed,
            RemarkKind::NameLeftOut { .. } => RemarkCode::NameLeftOut,
            RemarkKind::Contradicted { .. } => RemarkCode::ValueContradicted,
            RemarkKind::NotReported { .. } => RemarkCode::ValueNotReported,
            RemarkKind::HolderWithheld => RemarkCode::HolderWithheld,
            RemarkKind::LastNameFirst | RemarkKind::NameWithComma => RemarkCode::NameOrder,
        }
    }

    /// Whether what the row says in the cell is not sent, so that each such cell matters by itself.
    fn is_of_each_cell(self) -> bool {
        matches!(self, RemarkKind::NameLeftOut { .. } | RemarkKind::Contradicted { .. } | RemarkKind::HolderWithheld)
    }

    /// How many different values a remark quotes. The kind of each new record is to be looked at.
    fn most_samples(self) -> usize {
        match self {
            RemarkKind::KindAssumed { .. } => 20,
            _ => SAMPLES,
        }
    }

    /// What was found, and what becomes of it. `samples` are values in quotes; `first` is the first of them, without.
    fn message(self, count: u64, samples: &str, first: &str) -> String {
        match self {
            RemarkKind::KindAssumed { kind, other, collection, target: (field, related) } => {
                let flag = shell::flag("--value", &format!("{field}.{related}:{first}={other}"));
                let more = if count > self.most_samples() as u64 { ", …" } else { "" };
                format!(
                    "new {collection} of the {related} {kind}, because neither file nor mapping says it: {samples}{more}; \
                     if it is another, pass {flag}"
                )
            }
            RemarkKind::NoValue => format!("{} with {samples} read as empty", counted(count, "cell")),
            RemarkKind::PathShortened => format!(
                "{} read as the last part of a path, such as {samples}: what has the same last part becomes one",
                counted(count, "cell")
            ),
            RemarkKind::SharedSign => format!(
                "{} with {samples} sent in the account's currency; if it is another, name it with \
                 `--default currency=CODE`",
                counted(count, "amount")
            ),
            RemarkKind::NoCurrencyField => format!(
                "{} with {samples} sent without a currency, because the service takes none here",
                counted(count, "amount")
            ),
            RemarkKind::LocalDay => format!(
                "{} in UTC, such as {samples}, taken as the day in UTC; the local day may be another",
                counted(count, "timestamp")
            ),
            RemarkKind::Misread => format!(
                "{} with {samples} whose letters were read in another encoding: export the file again as UTF-8, or name its \
                 encoding with --encoding",
                counted(count, "cell")
            ),
            RemarkKind::LookAlike { found, plain } => format!(
                "{} with `{found}` (U+{:04X}) that looks like `{plain}`, such as {samples}",
                counted(count, "cell"),
                u32::from(found)
            ),
            RemarkKind::SameSerial => {
                format!("{} with a serial number that another row has, such as {samples}", counted(count, "row"))
            }
            RemarkKind::HolderWithheld => format!(
                "{} left without the holder that the sheet names, such as {samples}: the status allows no check-out",
                counted(count, "asset")
            ),
            RemarkKind::SerialInAccount => format!(
                "{} with a serial number that another record of the account has, such as {samples}",
                counted(count, "row")
            ),
            RemarkKind::SerialIsTag { field, singular } => format!(
                "{} with a new tag and the serial number of an {singular} that has this number for its tag, such as \
                 {samples}; if they are the same, pass --match-on {field} to give that {singular} the new tag instead of \
                 making another one",
                counted(count, "row")
            ),
            RemarkKind::BareId => {
                format!("{}, such as {samples}, taken as ids of this account", counted(count, "number"))
            }
            RemarkKind::RecordKind { kind, singular, basis, is_default } => {
                let whose = if is_default { " without one" } else { "" };
                format!("{samples} for {}{whose} ({})", counted(count, "row"), basis.text(kind, singular))
            }
            // A holder need not be a person: one asset may be checked out to another.
            RemarkKind::NameLeftOut { collection, is_holder: true } => format!(
                "{} left out: {samples} not found in {collection} or locations, and the file lacks what making one requires; \
                 if these are people, import the {collection} first, then this file again; assets are not checked out to \
                 assets",
                counted(count, "holder")
            ),
            RemarkKind::NameLeftOut { collection, is_holder: false } => format!(
                "{} left out: {samples} not found in {collection}, and the file lacks what making one requires; \
                 import the {collection} first, then this file again",
                counted(count, "value")
            ),
            RemarkKind::Contradicted { singular } => format!(
                "{} with {samples} not used: the {singular} is in the account with another value or none, and stays as it is",
                counted(count, "cell")
            ),
            RemarkKind::NotReported { is_sent: false } => format!(
                "{}, such as {samples}, not sent again: the service does not report this field, and the last run of this \
                 machine that wrote it sent the same",
                counted(count, "value")
            ),
            RemarkKind::NotReported { is_sent: true } => format!(
                "{}, such as {samples}, sent: the service does not report this field, so the old value is not known",
                counted(count, "value")
            ),
            RemarkKind::LastNameFirst => {
                format!("{} with the last name first, such as {samples}, turned around", counted(count, "name"))
            }
            RemarkKind::NameWithComma => {
                format!("{} with a comma, such as {samples}, kept as written", counted(count, "name"))
            }
            RemarkKind::Multiplied(factor) => {
                format!("{} multiplied by {factor}, such as {samples}", counted(count, "amount"))
            }
        }
    }
}

/// A remark on a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellRemark {
    pub kind: RemarkKind,
    /// The cell's column, from 0.
    pub column: u32,
    /// The part of its text that the remark is about.
    pub shown: Box<str>,
}

/// The remarks of a sheet, one for each kind and column, however many cells there are.
#[derive(Debug, Default)]
pub(crate) struct RemarkTally(Vec<RemarkGroup>);

#[derive(Debug)]
struct RemarkGroup {
    kind: RemarkKind,
    first: CellRef,
    count: u64,
    samples: Vec<Box<str>>,
    /// The rows and texts of the first cells, if each matters.
    cells: Vec<(u64, Box<str>)>,
}

impl RemarkTally {
    /// Adds the remarks of a row, by its number from 1.
    pub(crate) fn add(&mut self, row: u64, remarks: &[CellRemark]) {
        for remark in remarks {
            let is_same = |group: &RemarkGroup| group.kind == remark.kind && group.first.column == remark.column;
            let position = self.0.iter().position(is_same).unwrap_or(self.0.len());
            if position == self.0.len() {
                if position == MAX_GROUPS {
                    continue;
                }
                let first = CellRef { row, column: remark.column };
                self.0.push(RemarkGroup { kind: remark.kind, first, count: 0, samples: Vec::new(), cells: Vec::new() });
            }
            self.0[position].add(row, &remark.shown);
        }
    }

    /// A remark per kind and column, in the order of the columns; `label` names the sheet where there are several.
    pub(crate) fn remarks(&self, mapping: &Mapping, label: Option<&str>) -> Vec<Remark> {
        let mut groups: Vec<&RemarkGroup> = self.0.iter().collect();
        groups.sort_by_key(|group| group.first.column);
        groups.into_iter().map(|group| group.remark(mapping, label)).collect()
    }
}

impl RemarkGroup {
    fn add(&mut self, row: u64, shown: &str) {
        self.count += 1;
        let shown: Box<str> = shown.chars().take(LONGEST_SAMPLE).collect();
        if self.kind.is_of_each_cell() && self.cells.len() < MAX_CELLS {
            self.cells.push((row, shown.clone()));
        }
        if self.samples.len() < self.kind.most_samples() && !self.samples.contains(&shown) {
            self.samples.push(shown);
        }
    }

    fn remark(&self, mapping: &Mapping, label: Option<&str>) -> Remark {
        let samples: Vec<String> = self.samples.iter().map(|sample| format!("`{sample}`")).collect();
        // What is not sent must not seem to be all that is quoted.
        let is_more = self.cells.iter().any(|(_, text)| !self.samples.contains(text));
        let more = if is_more { ", …" } else { "" };
        let first = self.samples.first().map_or("", |first| first);
        let message = self.kind.message(self.count, &format!("{}{more}", samples.join(", ")), first);
        let sheet = label.map(|label| format!("{label}: ")).unwrap_or_default();
        // A default stands in no cell.
        if let Some(derived) = mapping.derived_at(self.first.column as usize) {
            return Remark::new(self.kind.code(), format!("{sheet}{}: {message}", derived.rule.target));
        }
        let header = mapping.header(self.first.column).unwrap_or_default();
        let place = if self.count == 1 { self.first.to_string() } else { format!("first {}", self.first) };
        let message = format!("{sheet}`{header}`: {message} ({place})");
        Remark { cells: self.shown_cells(), ..Remark::new(self.kind.code(), message) }
    }

    /// The cells where each matters, unless the message names the only one.
    fn shown_cells(&self) -> Vec<String> {
        if self.count == 1 {
            return Vec::new();
        }
        let shown =
            |(row, text): &(u64, Box<str>)| format!("{} `{text}`", CellRef { row: *row, column: self.first.column });
        let more = self.count.saturating_sub(self.cells.len() as u64);
        let more = (more > 0 && !self.cells.is_empty()).then(|| format!("and {} more", thousands(more)));
        self.cells.iter().map(shown).chain(more).collect()
    }
}
