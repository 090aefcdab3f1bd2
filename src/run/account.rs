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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::runtime::Builder;

    use super::*;
    use crate::account::ConnectOptions;

    #[test]
    fn runs_are_kept_unless_their_account_is_gone_with_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connect = |options: ConnectOptions| {
            runtime.block_on(Account::connect(options.with_state_dir(folder.path()).with_quota(None))).unwrap()
        };
        let memory = connect(ConnectOptions::sandbox());
        assert_eq!((memory.journal_location("r"), memory.digest()), (JournalLocation::Memory, ""));
        let kept = JournalLocation::File(folder.path().join("runs").join("r.sqlite"));
        let file = connect(ConnectOptions::sandbox_file(folder.path().join("company.db")));
        assert_eq!((file.journal_location("r"), file.digest()), (kept.clone(), ""));
        let service = |key: &str| connect(ConnectOptions::new("http://127.0.0.1:1/api/v1", key));
        let (one, other) = (service("one"), service("other"));
        assert_eq!(one.journal_location("r"), kept);
        assert!(!one.digest().is_empty() && one.digest() != other.digest());
        assert_eq!(one.run_store().path("r"), folder.path().join("runs").join("r.sqlite"));
    }
}
