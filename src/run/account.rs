//! Where the runs of an account are kept.

use super::journal::{JournalLocation, RunStore};
use crate::account::{Account, AccountIdentity};

impl Account {
    /// The journals of this machine.
    pub(crate) fn run_store(&self) -> RunStore {
        RunStore::new(&self.state_dir)
    }

    /// Where the journal of a new run goes: nowhere for an account that is gone with the process.
    pub(crate) fn journal_location(&self, run: &str) -> JournalLocation {
        match self.identity {
            AccountIdentity::SandboxMemory => JournalLocation::Memory,
            AccountIdentity::Service { .. } | AccountIdentity::SandboxFile { .. } => self.run_store().location(run),
        }
    }
}
