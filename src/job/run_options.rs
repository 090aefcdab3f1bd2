//! What imports and deletes have in common: how a run is sent, and where its result goes.

use std::path::{Path, PathBuf};

use super::result_path::{ResultPath, free_path_beside, result_path};
use crate::error::Result;
use crate::run::input::InputSet;
use crate::shutdown::ShutdownSignal;
use crate::written_files::{Overwrite, WrittenFiles};

/// Where the result file of a run goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ResultTarget {
    /// None is written; [`RunReport::write_workbook`](super::RunReport::write_workbook) can write one later.
    #[default]
    Nowhere,
    /// Beside the input, under a name that is not taken: `NAME.result.xlsx`.
    BesideInput,
    /// This file. One that is there already is replaced only if tallyport wrote it and nobody has edited it since: else
    /// the result stands beside it, as `NAME (2).xlsx`.
    File(PathBuf),
}

/// How the run of an import or a delete is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunOptions {
    pub(crate) dry_run: bool,
    /// Of a dry run: where the plan workbook goes.
    pub(crate) plan: Option<PathBuf>,
    pub(crate) max_errors: Option<u64>,
    /// Rows that another run is writing are problems, and not waited for.
    pub(crate) no_wait: bool,
    /// Whether nobody has to be asked.
    pub(crate) confirmed: bool,
    pub(crate) result: ResultTarget,
    /// What the file that `plan` or `result` names may replace.
    pub(crate) overwrite: Overwrite,
    pub(crate) shutdown: ShutdownSignal,
    /// Further words of the command that repeats the job: what the command line says of the account.
    pub(crate) account_flags: Vec<String>,
}

/// Where the result of a run goes.
pub(super) struct ResultDestination {
    /// What the journal keeps.
    pub(super) path: PathBuf,
    /// Where it is written now, if it is.
    pub(super) file: Option<ResultPath>,
}

impl RunOptions {
    /// Chooses where the result goes. A file that cannot be written is known before anything is read from the service; a
    /// dry run writes it only at its end.
    pub(super) fn destination(&self, input: &InputSet, state_dir: &Path) -> Result<ResultDestination> {
        let asked = match &self.result {
            ResultTarget::File(path) => Some(path.as_path()),
            ResultTarget::BesideInput => None,
            ResultTarget::Nowhere => {
                return Ok(ResultDestination { path: free_path_beside(input, "result"), file: None });
            }
        };
        let file = result_path(asked, input, Some(state_dir))?.listed_in(Some(self.written_files(state_dir)));
        if !self.dry_run {
            file.check_writable()?;
        }
        Ok(ResultDestination { path: file.as_path().to_path_buf(), file: Some(file) })
    }

    /// The list that the files of the run are put on.
    pub(super) fn written_files(&self, state_dir: &Path) -> WrittenFiles {
        WrittenFiles::new(state_dir).replacing(self.overwrite)
    }
}
