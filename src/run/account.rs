//! Where the runs of an account are kept.

use super::journal::{Journal, JournalError, JournalLocation, RunHeader, RunStore};
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

    /// Whether the digest that a journal or plan keeps is that of this account. `stored` is the account that it names: earlier
    /// versions spelled the base URL, and with it the digest, as it was typed.
    pub(crate) fn has_digest(&self, digest: &str, stored: &AccountIdentity) -> bool {
        if digest == self.digest() {
            return true;
        }
        let AccountIdentity::Service { base_url, .. } = stored else { return false };
        stored.is_same(&self.identity) && digest == self.client_options.account_digest(base_url)
    }

    /// Whether a journal is of a run on this account; `header` is the journal's.
    pub(crate) fn has_run(&self, journal: &Journal, header: &RunHeader) -> Result<bool, JournalError> {
        let is_same = header.account.is_same(&self.identity);
        Ok(is_same && self.has_digest(&journal.account_snapshot()?.account, &header.account))
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

    #[test]
    fn an_account_is_the_same_however_its_base_url_is_spelled() {
        const SPELLED: [&str; 3] =
            ["http://127.0.0.1:1/api/v1/", "http://127.0.0.1:1//api/v1", "HTTP://127.0.0.1:01/api/v1"];
        let folder = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connect = |base_url: &str, key: &str| {
            let options = ConnectOptions::new(base_url, key).with_state_dir(folder.path()).with_quota(None);
            runtime.block_on(Account::connect(options)).unwrap()
        };
        let account = connect("http://127.0.0.1:1/api/v1", "one");
        for base_url in SPELLED {
            let spelled = connect(base_url, "one");
            assert_eq!(spelled.identity, account.identity, "{base_url}");
            assert_eq!(spelled.digest(), account.digest(), "{base_url}");
            assert_eq!(spelled.mirror_path(), account.mirror_path(), "{base_url}");
            // As an earlier version kept it in a journal.
            let stored = AccountIdentity::from_stored("service", base_url.to_owned(), None, None).unwrap();
            assert!(account.identity.is_same(&stored), "{base_url}");
            let digest = |account: &Account| account.client_options.account_digest(base_url);
            assert!(account.has_digest(&digest(&account), &stored), "{base_url}");
            let other = connect(base_url, "other");
            assert!(!account.has_digest(&digest(&other), &stored) && !account.has_digest(other.digest(), &stored));
        }
        let elsewhere = AccountIdentity::Service {
            base_url: String::from("http://127.0.0.1:2/api/v1"),
            tenant: None,
            profile: None,
        };
        let digest = account.client_options.account_digest("http://127.0.0.1:2/api/v1");
        assert!(!account.has_digest(&digest, &elsewhere) && !account.identity.is_same(&elsewhere));
    }
}
