//! What the machine says beside the flags, gathered in one place so that tests can say otherwise.

use std::path::PathBuf;
#[cfg(feature = "keyring")]
use std::{sync::mpsc, thread, time::Duration};

use etcetera::BaseStrategy;

use super::{Origin, SettingsError, WithOrigin};
use crate::account::platform_state_dir;
use crate::state_file;

type Variable = Box<dyn Fn(&str) -> Option<String>>;
type KeyStore = Box<dyn Fn(&str, &str) -> Result<Option<String>, String>>;

/// Environment, folders and key store.
pub(super) struct Environment {
    /// The value of an environment variable; none where it is unset.
    pub(super) variable: Variable,
    /// config.toml in the platform's configuration folder.
    pub(super) config_file: Option<PathBuf>,
    /// tallyport's folder in the platform's place for state.
    pub(super) state_home: Option<PathBuf>,
    /// The system's key store: service and user to key, none where it has none. The error is for people.
    pub(super) key_store: KeyStore,
}

impl Environment {
    /// This process on this machine.
    pub(super) fn here() -> Self {
        let base = etcetera::choose_base_strategy().ok();
        Self {
            variable: Box::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())),
            config_file: base.as_ref().map(|base| base.config_dir().join("tallyport").join("config.toml")),
            state_home: platform_state_dir(),
            key_store: Box::new(stored_key),
        }
    }

    /// `TALLYPORT_HOME`, or the platform's place.
    pub(super) fn state_dir(&self) -> Result<WithOrigin<PathBuf>, SettingsError> {
        let given = (self.variable)("TALLYPORT_HOME").filter(|folder| !folder.is_empty());
        let folder = match (given, &self.state_home) {
            (Some(folder), _) => WithOrigin::new(PathBuf::from(folder), Origin::Variable("TALLYPORT_HOME")),
            (None, Some(home)) => WithOrigin::new(home.clone(), Origin::Default),
            (None, None) => return Err(SettingsError::NoHome),
        };
        state_file::check_folder(&folder.value)?;
        Ok(folder)
    }
}

/// How long the key store may take. It may ask the user first; one that never answers must not hang a nightly run.
#[cfg(feature = "keyring")]
const KEY_STORE_TIMEOUT: Duration = Duration::from_secs(60);

/// Asks on a thread of its own: the key store blocks, and may not like to be called from within an async runtime.
#[cfg(feature = "keyring")]
fn stored_key(service: &str, user: &str) -> Result<Option<String>, String> {
    let (service, user) = (service.to_owned(), user.to_owned());
    let (answer, answered) = mpsc::channel();
    thread::spawn(move || answer.send(ask_key_store(&service, &user)));
    answered.recv_timeout(KEY_STORE_TIMEOUT).unwrap_or_else(|_| Err("it does not answer".to_owned()))
}

#[cfg(feature = "keyring")]
fn ask_key_store(service: &str, user: &str) -> Result<Option<String>, String> {
    use keyring::{Entry, Error};

    match Entry::new(service, user).and_then(|entry| entry.get_password()) {
        Ok(key) => Ok(Some(key)),
        Err(Error::NoEntry) => Ok(None),
        Err(Error::NoDefaultStore) => Err("this system has none".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(not(feature = "keyring"))]
fn stored_key(_service: &str, _user: &str) -> Result<Option<String>, String> {
    Err("tallyport was built without `keyring`; build it with `--features full`".to_owned())
}
