//! Compares what a run sent, or what a file says, with what the account holds now. Only reads.
//!
//! ```text
//! file        what a file says: planned like an import that nobody sends; what it would change differs
//! sent        what a run sent: the steps of its journal
//! read_only   what an export says of what the service sets, such as who holds an item      pure
//! text        whether two values are the same but for how the service stores them       pure
//! sums        money and counts of both sides                                             pure
//! digest      a digest of the records that were read                                     pure
//! changed_by  who changed what differs, from the activity log
//! ```
//!
//! Values are compared by the rules by which an import decides whether it has something to update, so that a difference
//! here is exactly what another import would change.

mod changed_by;
mod digest;
mod file;
mod read_only;
mod sent;
mod sums;
mod text;

use std::path::Path;

pub(crate) use digest::file_digest;
pub(crate) use file::compare_file;
pub(crate) use sent::compare_run;
pub use sums::{MissingDetails, MoneySum, SheetSums};

use serde_json::Value as Json;

use crate::api::{Record, integer};
use crate::check::{Problem, Remark, RemarkCode};
use crate::schema::{self, ASSIGNED_TO, Entity, Field};

/// How many cells and records are as they should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyCounts {
    /// Cells whose value the account holds.
    pub equal: u64,
    /// Cells whose value the account does not hold.
    pub different: u64,
    /// Records that the account does not have.
    pub missing: u64,
    /// Records that the account has and should not have.
    pub extra: u64,
}

impl VerifyCounts {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        (self.different, self.missing, self.extra) == (0, 0, 0)
    }
}

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// A field has another value.
    Different,
    /// The account does not have the record.
    Missing,
    /// The account has a record that it should not have.
    Extra,
}

impl DifferenceKind {
    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            DifferenceKind::Different => "different",
            DifferenceKind::Missing => "missing",
            DifferenceKind::Extra => "extra",
        }
    }
}

/// Something that is not in the account as the run sent it or the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: DifferenceKind,
    /// The collection's name, such as `assets`.
    pub collection: &'static str,
    /// The record's system id, where the account has the record.
    pub id: Option<i64>,
    /// The record's tag or name.
    pub record: String,
    /// The field, as `--map` writes it. None where the whole record is missing or extra.
    pub field: Option<String>,
    /// Empty for no value.
    pub expected: String,
    /// Empty for no value.
    pub found: String,
    /// Where the expected value comes from: sheet and cell, or sheet and row.
    pub source: String,
    /// Whether another record, renamed or changed since the file was exported, may explain it.
    pub is_explained: bool,
    /// The user who changed it, if the activity log says.
    pub changed_by: Option<String>,
    /// When that was, as the activity log writes it.
    pub changed_at: Option<String>,
}

impl Difference {
    /// Whether it is about who holds an item, or since when: only check-ins and check-outs set that.
    pub(crate) fn is_about_holder(&self) -> bool {
        self.field.as_deref() == Some(ASSIGNED_TO) || self.schema_field().is_some_and(Field::is_about_holder)
    }

    /// Whether the service copies the value from another record that this one refers to.
    fn is_copied(&self) -> bool {
        self.schema_field().is_some_and(|field| !field.is_written() && field.reference_to().is_some())
    }

    fn schema_field(&self) -> Option<&'static Field> {
        schema::collection(self.collection)?.field(self.field.as_deref()?)
    }
}

/// A row that could not be compared.
#[derive(Debug, Clone)]
pub(crate) struct RowProblem {
    pub(crate) sheet: String,
    pub(crate) header: Option<String>,
    pub(crate) row: u64,
    pub(crate) problem: Problem,
}

/// What a comparison finds.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) counts: VerifyCounts,
    pub(crate) differences: Vec<Difference>,
    pub(crate) sums: Vec<SheetSums>,
    pub(crate) problems: Vec<RowProblem>,
    /// How many steps of a run were not sent, or have an unknown outcome. Rows that failed are not among them: the run said so,
    /// and sent nothing that could differ.
    pub(crate) not_compared: u64,
    /// What was not compared.
    pub(crate) remarks: Vec<Remark>,
    /// The digest of the records that were read.
    pub(crate) read: String,
    /// The digest of what the run sent.
    pub(crate) journal: Option<String>,
}

impl Findings {
    fn note(&mut self, messages: impl IntoIterator<Item = String>) {
        self.remarks.extend(messages.into_iter().map(|message| Remark::new(RemarkCode::Note, message)));
    }

    fn push(&mut self, difference: Difference) {
        match difference.kind {
            DifferenceKind::Different => self.counts.different += 1,
            DifferenceKind::Missing => self.counts.missing += 1,
            DifferenceKind::Extra => self.counts.extra += 1,
        }
        self.differences.push(difference);
    }

    fn extend(&mut self, differences: impl IntoIterator<Item = Difference>) {
        differences.into_iter().for_each(|difference| self.push(difference));
    }
}

/// The holders that the entries of an item's record name, or the bodies of actions: of each its collection and id.
fn holders_in(action: &Entity, entries: &[Record]) -> Vec<(&'static str, i64)> {
    let holders: Vec<&Field> =
        action.holders().chain(action.opposite().into_iter().flat_map(Entity::holders)).collect();
    let named = |entry: &Record| {
        holders.iter().find_map(|holder| Some((holder.reference_to()?.to, integer(entry.get(holder.name)?)?)))
    };
    entries.iter().filter_map(named).collect()
}

/// The names of these holders. `describe` names a record of a collection.
fn holder_names(action: &Entity, entries: &[Record], describe: &dyn Fn(&str, i64) -> String) -> String {
    let holders = holders_in(action, entries).into_iter();
    let mut names: Vec<String> = holders.map(|(collection, id)| describe(collection, id)).collect();
    names.sort_unstable();
    names.join(", ")
}

/// The entries of a record's field that says who holds it.
fn held_entries(held: Option<&Json>) -> Vec<Record> {
    let entries = held.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.as_object().cloned()).collect()
}

/// The names of the holders in a record's field; empty where nobody has it.
fn held_by(action: &Entity, held: Option<&Json>, describe: &dyn Fn(&str, i64) -> String) -> String {
    holder_names(action, &held_entries(held), describe)
}

/// The digest of a file's bytes; none of standard input.
pub(crate) type FileDigest = (String, String);

/// The digests of the files at these paths, by name.
///
/// # Errors
/// Where one cannot be read.
pub(crate) fn file_digests<'p>(paths: impl Iterator<Item = &'p Path>) -> std::io::Result<Vec<FileDigest>> {
    paths.map(|path| Ok((path.display().to_string(), file_digest(path)?))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_have_words_and_any_of_them_is_one() {
        let kinds = [DifferenceKind::Different, DifferenceKind::Missing, DifferenceKind::Extra];
        assert_eq!(kinds.map(DifferenceKind::as_str), ["different", "missing", "extra"]);
        assert!(VerifyCounts { equal: 9, ..VerifyCounts::default() }.is_equal());
        for counts in [
            VerifyCounts { different: 1, ..VerifyCounts::default() },
            VerifyCounts { missing: 1, ..VerifyCounts::default() },
            VerifyCounts { extra: 1, ..VerifyCounts::default() },
        ] {
            assert!(!counts.is_equal(), "{counts:?}");
        }
    }

    #[test]
    fn holders_are_told_by_name_in_order() {
        let out = schema::find("checkout_asset").unwrap();
        let back = schema::find("checkin_asset").unwrap();
        let describe = |collection: &str, id: i64| format!("{collection} {id}");
        let held = json!([{"location_id": 3}, {"employee_id": "2"}, {"name": "x"}, 7]);
        for action in [out, back] {
            assert_eq!(held_by(action, Some(&held), &describe), "employees 2, locations 3");
        }
        assert_eq!(held_by(out, None, &describe), "");
        assert_eq!(held_by(out, Some(&json!(null)), &describe), "");
        let body = json!({"employee_id": 2, "asset_id": "T"}).as_object().cloned().unwrap();
        assert_eq!(holder_names(out, &[body], &describe), "employees 2");
    }

    fn difference(kind: DifferenceKind) -> Difference {
        Difference {
            kind,
            collection: "assets",
            id: None,
            record: String::new(),
            field: None,
            expected: String::new(),
            found: String::new(),
            source: String::new(),
            is_explained: false,
            changed_by: None,
            changed_at: None,
        }
    }

    #[test]
    fn differences_are_counted_by_kind() {
        let mut findings = Findings::default();
        let kinds = [(DifferenceKind::Different, 3), (DifferenceKind::Missing, 2), (DifferenceKind::Extra, 1)];
        findings.extend(kinds.iter().flat_map(|(kind, times)| (0..*times).map(|_| difference(*kind))));
        assert_eq!(findings.counts, VerifyCounts { equal: 0, different: 3, missing: 2, extra: 1 });
        assert_eq!(findings.differences.len(), 6);
    }

    #[test]
    fn the_digests_of_files_are_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "abc").unwrap();
        let digests = file_digests([path.as_path()].into_iter()).unwrap();
        assert_eq!((digests.len(), &digests[0].0), (1, &path.display().to_string()));
        assert_eq!(digests[0].1, file_digest(&path).unwrap());
        assert!(file_digests([folder.path().join("none").as_path()].into_iter()).is_err());
    }

    #[test]
    fn who_holds_an_item_and_since_when_are_about_its_holder() {
        let is_about_holder = |field: Option<&str>| {
            let mut findings = Findings::default();
            findings.push(Difference { field: field.map(str::to_owned), ..difference(DifferenceKind::Different) });
            findings.differences[0].is_about_holder()
        };
        assert!([ASSIGNED_TO, "checkout_date", "deployed_to"].into_iter().all(|field| is_about_holder(Some(field))));
        assert!(![Some("notes"), Some("no_field"), None].into_iter().any(is_about_holder));
    }
}
