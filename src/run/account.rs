//! Where the runs of an account are kept.

use super::journal::{JournalLocation, RunStore};
use crate::account::{Account, AccountIdentity};

impl Account {
    /// The journals of this machine.
    pub(crate) fn run_store(&self) -> RunStore {
        RunStore::new(&self.state_dir)
    }

    /// Tells the accounts of one service apart, which differ in their keys: a digest. Empty for a sandbox, which its
    /// file identifies.
    pub(crate) fn digest(&self) -> &str {
        if self.identity.is_sandbox() { "" } else { self.client.account_digest() }
    }

    /// Where the journal of a new run goes: nowhere for an account that is gone with the process.
    pub(crate) fn journal_location(&self, run: &str) -> JournalLocation {
        match self.identity {
            AccountIdentity::SandboxMemory => JournalLocation::Memory,
            AccountIdentity::Service { .. } | AccountIdentity::SandboxFile { .. } => self.run_store().location(run),
        }
    }
}
