//! Which account to use, and how to reach it.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use ring::rand::SecureRandom;
use url::Url;

use super::{Account, AccountIdentity, parse_base_url};
use crate::api::{Client, ClientOptions, CustomFieldsEncoding, MOST_CONCURRENT, Secret, SecretError};
use crate::error::{Diagnostic, Error, ErrorKind, Result};
use crate::redact::shown_url;
use crate::sandbox::{Sandbox, SandboxOptions, StoreLocation};
use crate::state_file::{self, UnsafeFolder};

/// Guide: "The base link of the API is".
pub const DEFAULT_BASE_URL: &str = "https://app.bluetallyapp.com/api/v1";
/// Requests an hour. Guide: "a rate limit of 10,000 API requests per hour".
pub(crate) const DEFAULT_QUOTA: u32 = 10_000;
/// Requests in flight unless told otherwise: quick enough to use up the hour's quota in minutes, few enough for a
/// service that others use too.
pub(crate) const DEFAULT_CONCURRENCY: u16 = 8;

/// Where in the state dir the processes of this machine keep count of their requests.
const QUOTA_FOLDER: &str = "quota";

/// Which account to use, and how to reach it.
///
/// ```
/// use tallyport::ConnectOptions;
///
/// let service = ConnectOptions::new(tallyport::DEFAULT_BASE_URL, "the API key").with_tenant(3).with_concurrency(4);
/// let practice = ConnectOptions::sandbox();
/// ```
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    target: Target,
    tenant: Option<i64>,
    quota: Option<u32>,
    shares_quota: bool,
    concurrency: u16,
    custom_fields: CustomFieldsEncoding,
    state_dir: Option<PathBuf>,
    profile: Option<String>,
    key_origin: Option<String>,
}

/// Whose records are meant.
#[derive(Debug, Clone)]
enum Target {
    Service { base_url: Result<Url, ConnectError>, key: Result<Secret, ConnectError> },
    Sandbox(StoreLocation),
}

/// An option that cannot be used. None ever holds the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// No URL at all, or a relative one.
    #[error("invalid URL `{text}`: {reason}")]
    BaseUrl { text: String, reason: String },
    #[error(transparent)]
    Key(#[from] SecretError),
    #[error("a concurrency of {0} is out of range")]
    Concurrency(u16),
    /// Neither `TALLYPORT_HOME` nor a home folder to keep journals in.
    #[error("this user has no home folder, so there is no place for journals")]
    NoStateDir,
    /// Others can put files into the folder for journals.
    #[error(transparent)]
    StateDir(#[from] UnsafeFolder),
}

impl Diagnostic for ConnectError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BaseUrl { .. } => format!("give a URL such as `{DEFAULT_BASE_URL}`"),
            Self::Key(_) => String::from("copy the key from Settings > API Keys once more, alone and whole"),
            Self::Concurrency(_) => format!("give a number from 1 to {MOST_CONCURRENT}"),
            Self::NoStateDir => String::from("set TALLYPORT_HOME to a folder this user can write to"),
            Self::StateDir(folder) => return folder.hint(),
        })
    }
}

impl ConnectOptions {
    /// An account of the service: its base URL, such as [`DEFAULT_BASE_URL`], and an API key. Whether both can be used
    /// is found out by [`Account::connect`].
    pub fn new(base_url: &str, api_key: &str) -> Self {
        let base_url = parse_url(base_url);
        let key = Secret::new(api_key.to_owned()).map_err(ConnectError::from);
        Self::of(Target::Service { base_url, key }, Some(DEFAULT_QUOTA))
    }

    /// As [`ConnectOptions::new`], with both parsed: the base URL by [`parse_base_url`].
    pub(crate) fn service(base_url: Url, key: Secret) -> Self {
        Self::of(Target::Service { base_url: Ok(base_url), key: Ok(key) }, Some(DEFAULT_QUOTA))
    }

    /// An embedded sandbox with sample look-ups that is gone with the [`Account`].
    pub fn sandbox() -> Self {
        Self::of(Target::Sandbox(StoreLocation::Memory), None)
    }

    /// An embedded sandbox that is kept in a file, which is made if it does not exist.
    pub fn sandbox_file(path: impl Into<PathBuf>) -> Self {
        Self::of(Target::Sandbox(StoreLocation::File(path.into())), None)
    }

    fn of(target: Target, quota: Option<u32>) -> Self {
        Self {
            target,
            tenant: None,
            quota,
            shares_quota: true,
            concurrency: DEFAULT_CONCURRENCY,
            custom_fields: CustomFieldsEncoding::default(),
            state_dir: None,
            profile: None,
            key_origin: None,
        }
    }

    /// Acts for this tenant of a multi-tenant account.
    #[must_use]
    pub fn with_tenant(mut self, tenant: i64) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Sends at most so many requests an hour; none for no limit. Default: the documented quota, which all processes
    /// of this machine share, and no limit for a sandbox.
    #[must_use]
    pub fn with_quota(mut self, requests_per_hour: Option<u32>) -> Self {
        self.quota = requests_per_hour;
        self
    }

    /// Sends at most so many requests at a time. Default: 8.
    #[must_use]
    pub fn with_concurrency(mut self, requests: u16) -> Self {
        self.concurrency = requests;
        self
    }

    /// How custom fields are written.
    #[must_use]
    pub fn with_custom_fields(mut self, encoding: CustomFieldsEncoding) -> Self {
        self.custom_fields = encoding;
        self
    }

    /// Where journals, shared quota and local snapshots are kept. Default: the folder in which the command
    /// line keeps them.
    #[must_use]
    pub fn with_state_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(folder.into());
        self
    }

    /// The profile of the command line's configuration that the key is from: `resume` and `undo` use it again.
    pub(crate) fn with_profile(mut self, profile: Option<String>) -> Self {
        self.profile = profile;
        self
    }

    /// Where the key comes from, for the hint where the service does not accept it.
    pub(crate) fn with_key_origin(mut self, origin: impl ToString) -> Self {
        self.key_origin = Some(origin.to_string());
        self
    }

    /// Keeps no count of requests across processes: to look into what is wrong where it cannot be kept.
    pub(crate) fn without_shared_quota(mut self) -> Self {
        self.shares_quota = false;
        self
    }

    pub(super) fn connect(self) -> Result<Account> {
        if !(1..=MOST_CONCURRENT).contains(&self.concurrency) {
            return Err(ConnectError::Concurrency(self.concurrency).into());
        }
        let state_dir = match &self.state_dir {
            Some(folder) => folder.clone(),
            None => default_state_dir().ok_or(ConnectError::NoStateDir)?,
        };
        state_file::check_folder(&state_dir).map_err(ConnectError::from)?;
        match self.target.clone() {
            Target::Service { base_url, key } => {
                let base_url = base_url?;
                let identity = AccountIdentity::Service {
                    base_url: base_url.to_string(),
                    tenant: self.tenant,
                    profile: self.profile.clone(),
                };
                let quota_dir = self.shares_quota.then(|| state_dir.join(QUOTA_FOLDER));
                let client_options = self.client_options(base_url, key?, quota_dir);
                self.account(client_options, None, identity, state_dir)
            }
            Target::Sandbox(store) => self.start_sandbox(store, state_dir),
        }
    }

    /// Starts a sandbox and a client of it.
    fn start_sandbox(self, store: StoreLocation, state_dir: PathBuf) -> Result<Account> {
        let identity = match &store {
            StoreLocation::Memory => AccountIdentity::SandboxMemory,
            StoreLocation::File(path) => AccountIdentity::sandbox_file(path, self.tenant),
        };
        let options = SandboxOptions {
            store,
            tenants: self.tenant.map(|tenant| (tenant, format!("Tenant {tenant}"))).into_iter().collect(),
            // The client keeps the quota that was asked for.
            quota: None,
            // Other users of the machine can connect, too.
            api_key: random_key()?,
            ..SandboxOptions::default()
        };
        let key = Secret::new(options.api_key.clone()).map_err(ConnectError::from)?;
        let sandbox = Sandbox::start(options)?;
        let base_url = parse_url(&sandbox.base_url())?;
        // A sandbox of this process alone: there is nobody to share its quota with.
        let client_options = self.client_options(base_url, key, None);
        self.account(client_options, Some(sandbox), identity, state_dir)
    }

    fn client_options(&self, base_url: Url, key: Secret, quota_dir: Option<PathBuf>) -> ClientOptions {
        ClientOptions {
            key_origin: self.key_origin.clone(),
            tenant: self.tenant,
            quota: self.quota,
            quota_dir,
            concurrency: self.concurrency,
            custom_fields: self.custom_fields,
            ..ClientOptions::new(base_url, key)
        }
    }

    fn account(
        self,
        client_options: ClientOptions,
        sandbox: Option<Sandbox>,
        identity: AccountIdentity,
        state_dir: PathBuf,
    ) -> Result<Account> {
        Ok(Account {
            client: Client::new(client_options.clone())?,
            client_options,
            sandbox,
            quota: self.quota,
            concurrency: self.concurrency,
            identity,
            state_dir,
        })
    }
}

/// A key that nobody can guess.
fn random_key() -> Result<String> {
    let mut bytes = [0; 16];
    let filled = ring::rand::SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::new(ErrorKind::Usage, "the system gives no random numbers for a key", None))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn parse_url(text: &str) -> Result<Url, ConnectError> {
    parse_base_url(text).map_err(|reason| ConnectError::BaseUrl { text: shown_url(text), reason })
}

/// Where tallyport keeps journals, shared quota and local snapshots on this machine: `TALLYPORT_HOME`, or the platform's
/// place for state. None for a user without a home folder.
pub(crate) fn default_state_dir() -> Option<PathBuf> {
    match std::env::var_os("TALLYPORT_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(folder.into()),
        None => platform_state_dir(),
    }
}

/// The platform's place for state.
pub(crate) fn platform_state_dir() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    // Windows has no folder for state; its roaming one would carry journals from machine to machine, the local one
    // does not.
    Some(base.state_dir().unwrap_or_else(|| base.cache_dir()).join("tallyport"))
}
