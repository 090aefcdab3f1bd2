//! What a comparison with the account found, as text, JSON and a workbook.

mod book;
mod json;
mod text;

use std::path::{Path, PathBuf};

use super::beside_remark;
use super::tally::ProblemTally;
use crate::api::RequestCounts;
use crate::error::Result;
use crate::run::input::{OutputFile, ProtectedFiles};
use crate::run::verify::{Difference, FileDigest, Findings, SheetSums, VerifyCounts};
use crate::table::write::Access;
use crate::wording::counted;
use crate::written_files::WrittenFiles;

/// What a run sent, or what files say, against what the account holds.
#[derive(Debug)]
pub struct VerifyReport {
    /// What was compared, for people: `run 20261124-093012-kqzf`, `assets.csv`.
    pub(crate) title: String,
    pub(crate) run_id: Option<String>,
    pub(crate) files: Vec<String>,
    /// The account, for people.
    pub(crate) account: String,
    /// When the comparison began.
    pub(crate) began: String,
    pub(crate) findings: Findings,
    pub(crate) problems: ProblemTally,
    /// The digest of each file that was compared.
    pub(crate) file_digests: Vec<FileDigest>,
    pub(crate) requests: RequestCounts,
    pub(crate) seconds: f64,
    /// Who may read the files: others than those must not read the workbook.
    pub(crate) access: Access,
    /// The files that were compared: the workbook must not replace one.
    pub(crate) protected: ProtectedFiles,
    pub(crate) result: Option<PathBuf>,
}

impl VerifyReport {
    pub fn counts(&self) -> VerifyCounts {
        self.findings.counts
    }

    /// Whether everything was compared and nothing differs.
    pub fn is_equal(&self) -> bool {
        self.findings.counts.is_equal() && self.problems.is_empty() && self.findings.not_compared == 0
    }

    /// The outcome in a few words: `no difference`, `3 differences`.
    fn verdict(&self) -> String {
        let counts = self.counts();
        let differences = counts.different + counts.missing + counts.extra;
        match (differences, self.problems.total(), self.findings.not_compared) {
            (0, 0, 0) => String::from("no difference"),
            (0, 0, _) => String::from("no difference, but parts of the run were not compared"),
            (0, problems, _) => format!("{} kept rows from being compared", counted(problems, "problem")),
            (some, _, _) => counted(some, "difference"),
        }
    }

    /// What differs, in the order of the sheets, or of the collections that a run wrote to.
    pub fn differences(&self) -> &[Difference] {
        &self.findings.differences
    }

    /// Money and counts of both sides.
    pub fn sums(&self) -> &[SheetSums] {
        &self.findings.sums
    }

    /// Rows that could not be compared, by kind of problem.
    pub fn problems(&self) -> &ProblemTally {
        &self.problems
    }

    pub fn requests(&self) -> &RequestCounts {
        &self.requests
    }

    /// Writes the comparison as a workbook. Returns where it stands.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write_workbook(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        self.protected.check(OutputFile::Result, path.as_ref())?;
        book::write(path.as_ref(), self, None)
    }

    /// Writes the comparison as the result of the command: a workbook that is put on this list, and replaces only what
    /// the list allows.
    pub(crate) fn write_result(&mut self, path: &Path, list: &WrittenFiles) -> Result<()> {
        self.protected.check(OutputFile::Result, path)?;
        let written = book::write(path, self, Some(list))?;
        self.findings.remarks.extend(beside_remark(path, &written));
        self.result = Some(written);
        Ok(())
    }

    /// The comparison for a terminal.
    pub(crate) fn text(&self) -> String {
        text::text(self)
    }

    /// The comparison as one JSON document, whose shape is a contract.
    pub(crate) fn json(&self) -> serde_json::Value {
        json::json(self)
    }
}
