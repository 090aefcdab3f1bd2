//! Look-alike names as reports show them and journals keep them.

use serde::{Deserialize, Serialize};

use super::MOST_NAMES;
use crate::check::{Remark, RemarkCode};
use crate::wording::{counted, thousands};

/// The groups and decisions that remarks name; the result and `--json` have all.
const SHOWN: usize = 5;

/// The names that a remark lists of a group.
const SHOWN_NAMES: usize = 6;

/// What a run found out about names that look alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookAlikes {
    /// The groups to decide about, those with the most rows of a collection first.
    pub groups: Vec<LookAlikeGroup>,
    /// The decisions in use.
    pub aliased: Vec<AliasedName>,
    /// How many groups are not listed because there are too many.
    pub hidden: u64,
    /// Collections with too many names to compare all of them.
    pub limited: Vec<String>,
}

/// Names that may mean one record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookAlikeGroup {
    pub collection: String,
    pub names: Vec<LookAlikeName>,
    /// The one that is likely meant: that of the account, or else the commonest.
    pub suggestion: String,
}

/// One spelling of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookAlikeName {
    pub name: String,
    /// How many cells hold it; 0 for a name that only the account has.
    pub rows: u64,
    /// The record of the account that the name finds.
    pub record: Option<i64>,
}

/// A name in whose place another one counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AliasedName {
    pub collection: String,
    pub name: String,
    pub use_instead: String,
    pub rows: u64,
}

impl LookAlikes {
    /// Whether there is nothing to decide and nothing decided.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.aliased.is_empty()
    }

    /// What the user should know: a handful of groups, how many more there are, and where to decide.
    pub(crate) fn remarks(&self) -> Vec<Remark> {
        let remark = |message: String| Remark::new(RemarkCode::NamesLookAlike, message);
        let mut remarks: Vec<Remark> = self.groups.iter().take(SHOWN).map(|group| remark(group.text())).collect();
        let more = self.groups.len().saturating_sub(SHOWN) as u64 + self.hidden;
        if more > 0 {
            let groups = counted(more, "more group");
            remarks.push(remark(format!("{groups} of names that look alike: see the result file or --json")));
        }
        if !self.groups.is_empty() {
            let how = "each of these names is a record of its own until you say which one to use instead: in the sheet \
                       `Look-alike names` of the result, or in a file for --aliases";
            remarks.push(remark(how.to_owned()));
        }
        remarks.extend(self.limited.iter().map(|collection| {
            let most = thousands(MOST_NAMES as u64);
            remark(format!("{collection}: more than {most} different names; only the first {most} were compared"))
        }));
        let aliased = self.aliased.iter().take(SHOWN).map(AliasedName::text);
        let more = self.aliased.len().saturating_sub(SHOWN) as u64;
        let more = (more > 0).then(|| format!("{} read as another one (aliases)", counted(more, "more name")));
        remarks.extend(aliased.chain(more).map(|message| Remark::new(RemarkCode::NameAliased, message)));
        remarks
    }
}

impl LookAlikeGroup {
    /// In how many rows its names stand.
    pub fn rows(&self) -> u64 {
        self.names.iter().map(|name| name.rows).sum()
    }

    /// `manufacturers: `Dell` (#1, 12 rows) and `Dell Inc.` (3 rows) look alike`.
    fn text(&self) -> String {
        let mut names: Vec<String> = self.names.iter().take(SHOWN_NAMES).map(LookAlikeName::text).collect();
        let more = self.names.len().saturating_sub(SHOWN_NAMES) as u64;
        if more > 0 {
            names.push(format!("{} more", thousands(more)));
        }
        let last = names.pop().unwrap_or_default();
        format!("{}: {} and {last} look alike", self.collection, names.join(", "))
    }
}

impl LookAlikeName {
    fn text(&self) -> String {
        let rows = (self.rows > 0).then(|| counted(self.rows, "row"));
        let facts: Vec<String> = self.record.map(|id| format!("#{id}")).into_iter().chain(rows).collect();
        match facts.as_slice() {
            [] => format!("`{}`", self.name),
            facts => format!("`{}` ({})", self.name, facts.join(", ")),
        }
    }
}

impl AliasedName {
    fn text(&self) -> String {
        let rows = counted(self.rows, "row");
        format!("{}: `{}` read as `{}` in {rows} (aliases)", self.collection, self.name, self.use_instead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_in_use_is_told_with_its_rows() {
        let decision = |name: &str, rows: u64| AliasedName {
            collection: String::from("manufacturers"),
            name: name.to_owned(),
            use_instead: String::from("HP"),
            rows,
        };
        let aliased = vec![decision("Hewlett Packard", 2), decision("hp inc", 1)];
        let remarks = LookAlikes { aliased, ..LookAlikes::default() }.remarks();
        let told: Vec<&str> = remarks.iter().map(|remark| remark.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "manufacturers: `Hewlett Packard` read as `HP` in 2 rows (aliases)",
                "manufacturers: `hp inc` read as `HP` in 1 row (aliases)",
            ]
        );
    }
}
