//! An account: a client of the service, or of a sandbox that is started for it, and what this machine keeps of it.
//!
//! [`ConnectOptions`] say which account and how to reach it, [`Account::connect`] makes the client, and
//! [`AccountIdentity`] names the account in a journal, without the key.

mod base_url;
mod identity;
mod options;
mod tenant;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

pub(crate) use base_url::{is_same_base_url, parse_base_url};
pub use identity::AccountIdentity;
pub use options::{ConnectError, ConnectOptions, DEFAULT_BASE_URL};
pub(crate) use options::{DEFAULT_CONCURRENCY, DEFAULT_QUOTA, platform_state_dir};
pub use tenant::Tenant;

use crate::api::{Client, ClientOptions};
use crate::error::Result;
use crate::sandbox::Sandbox;

/// Where in the state dir the local snapshots of accounts lie.
const MIRROR_FOLDER: &str = "mirror";

/// An account of the service, or an embedded sandbox, which stops when this is dropped.
#[derive(Debug)]
pub struct Account {
    pub(crate) client: Client,
    /// How the client was made.
    pub(crate) client_options: ClientOptions,
    pub(crate) sandbox: Option<Sandbox>,
    /// Requests an hour, where there is a limit.
    pub(crate) quota: Option<u32>,
    /// Requests at a time.
    pub(crate) concurrency: u16,
    pub(crate) identity: AccountIdentity,
    /// Where journals, shared quota and local snapshots live.
    pub(crate) state_dir: PathBuf,
}

impl Account {
    /// Prepares a client, and starts the sandbox where one is wanted. Sends nothing yet.
    ///
    /// # Errors
    /// An option that cannot be used, a shared quota that cannot be kept, or a sandbox that cannot start.
    pub async fn connect(options: ConnectOptions) -> Result<Self> {
        options.connect()
    }

    /// Which account this is, as a journal keeps it.
    pub fn identity(&self) -> &AccountIdentity {
        &self.identity
    }

    /// Where journals, shared quota and local snapshots live.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Where the local snapshot of the account is kept; nowhere for one that is gone with the process.
    pub(crate) fn mirror_path(&self) -> Option<PathBuf> {
        let name = match &self.identity {
            AccountIdentity::SandboxMemory => return None,
            AccountIdentity::SandboxFile { path, tenant } => {
                let mut hasher = DefaultHasher::new();
                (path, tenant).hash(&mut hasher);
                format!("sandbox-{:016x}", hasher.finish())
            }
            AccountIdentity::Service { .. } => self.client.account_digest().to_owned(),
        };
        Some(self.state_dir.join(MIRROR_FOLDER).join(format!("{name}.sqlite")))
    }
}
