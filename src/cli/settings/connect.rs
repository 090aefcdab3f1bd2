//! From settings to a client: of the service, or of a sandbox started for this command.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use url::Url;

use super::surroundings::Surroundings;
use super::{Account, Origin, Settings, SettingsError};
use crate::api::{Client, ClientOptions, Secret};
use crate::cli::Error;
use crate::cli::args::Global;
use crate::run::journal::{self, JournalLocation, RunStore};
use crate::sandbox::{Sandbox, SandboxOptions, StoreAt};

/// Where in the state dir the processes of this machine keep count of their requests.
const QUOTA_FOLDER: &str = "quota";
/// Where in the state dir the local copies of accounts lie.
const MIRROR_FOLDER: &str = "mirror";

/// A client, and the sandbox behind it where there is one: dropped together, the sandbox stops.
#[derive(Debug)]
pub struct Connection {
    pub client: Client,
    pub sandbox: Option<Sandbox>,
    /// Requests an hour, where there is a limit.
    pub quota: Option<u32>,
    /// Requests at a time.
    pub concurrency: u16,
    /// Whose records are meant, as a journal keeps it.
    pub account: journal::AccountRef,
    /// Where the journals of this machine lie.
    pub shelf: RunStore,
    /// Where journals, quota ledger and mirror live.
    pub state: PathBuf,
}

impl Connection {
    /// Where the journal of a new run goes: nowhere for an account that is gone with the process.
    pub fn place(&self, run: &str) -> JournalLocation {
        match self.account {
            journal::AccountRef::SandboxMemory => JournalLocation::Memory,
            journal::AccountRef::Service { .. } | journal::AccountRef::SandboxFile { .. } => self.shelf.location(run),
        }
    }

    /// Where the local copy of the account is kept; nowhere for one that is gone with the process.
    pub fn mirror_path(&self) -> Option<PathBuf> {
        let word = match &self.account {
            journal::AccountRef::SandboxMemory => return None,
            journal::AccountRef::SandboxFile { path, tenant } => {
                let mut hasher = DefaultHasher::new();
                (path, tenant).hash(&mut hasher);
                format!("sandbox-{:016x}", hasher.finish())
            }
            journal::AccountRef::Service { .. } => self.client.account_digest().to_owned(),
        };
        Some(self.state.join(MIRROR_FOLDER).join(format!("{word}.sqlite")))
    }
}

/// A client as `global` and the machine want it. Sends nothing yet.
///
/// # Errors
/// A setting that cannot be used, no key, or a sandbox that cannot start.
pub fn connect(global: &Global) -> Result<Connection, Error> {
    Settings::resolve(global)?.connect()
}

/// A client of the account that a run belongs to. The key is the machine's, as always.
///
/// # Errors
/// As [`connect`], and where flags, environment or profile mean another account.
pub fn reach(global: &Global, account: &journal::AccountRef) -> Result<Connection, Error> {
    let mut global = global.clone();
    match account {
        journal::AccountRef::SandboxMemory => {}
        journal::AccountRef::SandboxFile { path, tenant } => {
            if matches!(&global.sandbox, None | Some(None)) {
                global.sandbox = Some(Some(path.clone()));
            }
            global.tenant = global.tenant.or(*tenant);
        }
        journal::AccountRef::Service { base_url, tenant, profile } => {
            global.profile = global.profile.or_else(|| profile.clone());
            global.tenant = global.tenant.or(*tenant);
            // Where nobody names another service, the run's own is meant: the key would go nowhere else.
            let names_none = global.sandbox.is_none() && Settings::resolve(&global)?.base_url.origin == Origin::Default;
            if names_none {
                global.base_url = Some(base_url.clone());
            }
        }
    }
    let connection = connect(&global)?;
    match connection.account.is_same(account) {
        true => Ok(connection),
        false => Err(Error::usage(
            format!("the run belongs to {account}, and flags, environment or profile say {}", connection.account),
            "leave out what names another account, or name the run's own with --base-url, --tenant or --profile",
        )),
    }
}

/// Where the journals of this machine lie.
pub fn shelf() -> Result<RunStore, SettingsError> {
    Ok(RunStore::new(&Surroundings::here().state_dir()?.value))
}

impl Settings {
    /// A client that keeps no count across processes, to look into what is wrong where it cannot be kept.
    pub(in crate::cli) fn connect_without_ledger(&self) -> Result<Connection, Error> {
        let key = self.key.as_ref().ok_or(SettingsError::KeyMissing)?;
        let client = self.client(self.base_url.value.clone(), key.value.clone(), None)?;
        Ok(self.connection(client, None))
    }

    /// A client as these settings want it. Sends nothing yet.
    pub fn connect(&self) -> Result<Connection, Error> {
        match &self.account {
            Account::Service => {
                let key = self.key.as_ref().ok_or(SettingsError::KeyMissing)?;
                let ledger = self.state_dir.value.join(QUOTA_FOLDER);
                let client = self.client(self.base_url.value.clone(), key.value.clone(), Some(ledger))?;
                Ok(self.connection(client, None))
            }
            Account::Sandbox(file) => self.rehearse(file.clone()),
        }
    }

    /// Starts a sandbox and a client of it. The only place that does.
    fn rehearse(&self, file: Option<PathBuf>) -> Result<Connection, Error> {
        let tenant = self.tenant.as_ref().map(|tenant| (tenant.value, format!("Tenant {}", tenant.value)));
        let options = SandboxOptions {
            store: file.map_or(StoreAt::Memory, StoreAt::File),
            tenants: tenant.into_iter().collect(),
            // The client keeps the quota that was asked for.
            quota: None,
            ..SandboxOptions::default()
        };
        let key = Secret::new(options.api_key.clone())
            .map_err(|reason| SettingsError::Key { reason, origin: Origin::Sandbox })?;
        let sandbox = Sandbox::start(options)?;
        let text = sandbox.base_url();
        let base_url = Url::parse(&text).map_err(|error| {
            let reason = error.to_string();
            SettingsError::BaseUrl { text, origin: Origin::Sandbox, reason }
        })?;
        // A sandbox of this process alone: there is nobody to share its quota with.
        let client = self.client(base_url, key, None)?;
        Ok(self.connection(client, Some(sandbox)))
    }

    fn connection(&self, client: Client, sandbox: Option<Sandbox>) -> Connection {
        Connection {
            client,
            sandbox,
            quota: self.quota.value,
            concurrency: self.concurrency.value,
            account: self.journalled(),
            shelf: RunStore::new(&self.state_dir.value),
            state: self.state_dir.value.clone(),
        }
    }

    /// The account as a journal keeps it.
    fn journalled(&self) -> journal::AccountRef {
        let tenant = self.tenant.as_ref().map(|tenant| tenant.value);
        match &self.account {
            Account::Service => {
                let base_url = self.base_url.value.to_string();
                journal::AccountRef::Service { base_url, tenant, profile: self.profile.clone() }
            }
            Account::Sandbox(None) => journal::AccountRef::SandboxMemory,
            Account::Sandbox(Some(path)) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                journal::AccountRef::SandboxFile { path, tenant }
            }
        }
    }

    fn client(&self, base_url: Url, key: Secret, ledger: Option<PathBuf>) -> Result<Client, Error> {
        let options = ClientOptions {
            tenant: self.tenant.as_ref().map(|tenant| tenant.value),
            quota: self.quota.value,
            ledger,
            concurrency: self.concurrency.value,
            custom_fields: self.custom_fields.value,
            ..ClientOptions::new(base_url, key)
        };
        Ok(Client::new(options)?)
    }
}
