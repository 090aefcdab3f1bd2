//! Where the runs of an account are kept.

use super::journal::{At, Shelf};
use crate::account::{Account, AccountIdentity};

impl Account {
    /// The journals of this machine.
    pub(crate) fn run_store(&self) -> Shelf {
        Shelf::new(&self.state_dir)
    }

    /// Where the journal of a new run goes: nowhere for an account that is gone with the process.
    pub(crate) fn journal_location(&self, run: &str) -> At {
        match self.identity {
            AccountIdentity::SandboxMemory => At::Memory,
            AccountIdentity::Service { .. } | AccountIdentity::SandboxFile { .. } => self.run_store().place(run),
        }
    }
}
