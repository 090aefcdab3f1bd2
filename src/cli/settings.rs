//! What the flags mean here: flags, environment and profile together, each value with its origin.
//!
//! A flag beats the environment, the environment the profile, the profile the default. With `--sandbox` only flags
//! count: what environment and profile say is meant for the real account.
//!
//! A key goes only to the base URL that it was configured for ([`pairing`]).

mod config;
mod connect;
mod environment;
mod error;
mod key;
mod origin;
mod pairing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use url::Url;

use super::args::{ExportArgs, Global};
use crate::account::{DEFAULT_BASE_URL, DEFAULT_CONCURRENCY, DEFAULT_QUOTA, parse_base_url};
use crate::api::{CustomFieldsEncoding, MOST_CONCURRENT, Secret};
use crate::redact::shown_url;
use config::{Config, Profile};
use environment::Environment;

pub(crate) use connect::{connect, connect_to, run_store};
pub(in crate::cli) use connect::{remembered_mappings, written_files};
pub(crate) use error::SettingsError;
pub(crate) use origin::{Origin, WithOrigin};

/// Everything a command needs to know of account and machine.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Of no use with a sandbox, which has a link of its own.
    pub base_url: WithOrigin<Url>,
    /// None where no place holds one; then only the sandbox can be used.
    pub key: Option<WithOrigin<Secret>>,
    pub tenant: Option<WithOrigin<i64>>,
    /// Requests an hour; none for no limit.
    pub quota: WithOrigin<Option<u32>>,
    pub concurrency: WithOrigin<u16>,
    pub custom_fields: WithOrigin<CustomFieldsEncoding>,
    /// Where journals, shared quota and local snapshots live. It may not exist yet.
    pub state_dir: WithOrigin<PathBuf>,
    /// config.toml, whether it exists or not; none for a user without a home folder.
    pub config_file: Option<PathBuf>,
    /// The profile in use.
    pub profile: Option<String>,
    /// The columns that the profile wants of exports, by collection.
    pub columns: BTreeMap<String, Vec<String>>,
    pub account: TargetAccount,
}

/// Whose records are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetAccount {
    Service,
    /// The embedded sandbox, kept in that file or gone with the process.
    Sandbox(Option<PathBuf>),
}

impl Settings {
    /// What `global` means on this machine.
    ///
    /// # Errors
    /// A value that cannot be used. A missing key is none: see [`Settings::key`].
    pub(crate) fn resolve(global: &Global) -> Result<Self, SettingsError> {
        Self::resolve_in(global, &Environment::here())
    }

    /// The base URL in force, without a look at keys.
    fn resolve_base_url(global: &Global) -> Result<WithOrigin<Url>, SettingsError> {
        let here = Environment::here();
        let profile = ActiveProfile::read(global, &here)?;
        let account = TargetAccount::Service;
        SettingSources { global, here: &here, profile: profile.as_ref(), account: &account }.base_url()
    }

    fn resolve_in(global: &Global, here: &Environment) -> Result<Self, SettingsError> {
        let account = match &global.sandbox {
            Some(file) => TargetAccount::Sandbox(file.clone()),
            None => TargetAccount::Service,
        };
        // With the sandbox neither profile nor key matters, so a broken config.toml does not stand in the way.
        let profile = match account {
            TargetAccount::Service => ActiveProfile::read(global, here)?,
            TargetAccount::Sandbox(_) => None,
        };
        let layers = SettingSources { global, here, profile: profile.as_ref(), account: &account };
        let base_url = layers.base_url()?;
        Ok(Self {
            tenant: layers.tenant()?,
            quota: layers.quota()?,
            concurrency: layers.concurrency()?,
            custom_fields: layers.custom_fields(),
            state_dir: here.state_dir()?,
            config_file: here.config_file.clone(),
            // Last: the key store may ask the user, who should be asked only where everything else is right.
            key: layers.key(&base_url)?,
            base_url,
            columns: profile.as_ref().map(|chosen| chosen.profile.columns.clone()).unwrap_or_default(),
            profile: profile.map(|profile| profile.name),
            account,
        })
    }
}

/// Refuses flags that cannot be used, also where the command at hand has no use for them: the next one would have.
///
/// # Errors
/// Where there is one. What environment and profile say is for the commands that need it.
pub(crate) fn check_flags(global: &Global) -> Result<(), SettingsError> {
    // With a sandbox only flags count.
    let account = TargetAccount::Sandbox(None);
    let flags = SettingSources { global, here: &Environment::here(), profile: None, account: &account };
    flags.check_sandbox()?;
    flags.base_url()?;
    flags.tenant()?;
    flags.quota()?;
    flags.concurrency().map(drop)
}

/// The tenant that flags or environment name. A variable that is empty is not set.
pub(crate) fn given_tenant(global: &Global) -> Option<String> {
    global.tenant.clone().filter(|text| !text.trim().is_empty())
}

/// The export of that name in config.toml; none where the file names no such export.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn named_export(name: &str) -> Result<Option<ExportArgs>, SettingsError> {
    match Environment::here().config_file {
        Some(path) => Ok(Config::read(&path)?.exports.remove(name)),
        None => Ok(None),
    }
}

/// The profile in use.
#[derive(Debug)]
struct ActiveProfile {
    name: String,
    profile: Profile,
    /// The folder of config.toml, which paths in it are relative to.
    folder: PathBuf,
    /// Named by `--profile`, not by `default_profile`.
    is_chosen: bool,
}

impl ActiveProfile {
    fn read(global: &Global, here: &Environment) -> Result<Option<Self>, SettingsError> {
        let path = here.config_file.clone().unwrap_or_else(|| PathBuf::from("config.toml"));
        let mut config = match &here.config_file {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        let is_chosen = global.profile.is_some();
        let Some(name) = global.profile.clone().or(config.default_profile) else { return Ok(None) };
        let folder = path.parent().map(PathBuf::from).unwrap_or_default();
        match config.profiles.remove(&name) {
            Some(profile) => Ok(Some(Self { name, profile, folder, is_chosen })),
            None => {
                let known = config.profiles.into_keys().collect();
                Err(SettingsError::ProfileMissing { name, path, known, is_default: !is_chosen })
            }
        }
    }

    fn origin(&self) -> Origin {
        Origin::Profile(self.name.clone())
    }
}

/// The places a setting may come from, asked in order.
struct SettingSources<'a> {
    global: &'a Global,
    here: &'a Environment,
    profile: Option<&'a ActiveProfile>,
    account: &'a TargetAccount,
}

impl SettingSources<'_> {
    /// What the profile says, with its origin.
    fn profiled<T>(&self, value: impl Fn(&Profile) -> Option<T>) -> Option<WithOrigin<T>> {
        let chosen = self.profile?;
        value(&chosen.profile).map(|value| WithOrigin::new(value, chosen.origin()))
    }

    /// A value that the command line may have taken from the environment: clap hands both over alike.
    fn given<T: Clone + ToString>(
        &self,
        value: &Option<T>,
        flag: &'static str,
        variable: &'static str,
    ) -> Option<WithOrigin<T>> {
        let value = value.clone()?;
        let origin = match (self.here.variable)(variable) {
            Some(text) if text == value.to_string() => Origin::Variable(variable),
            _ => Origin::Flag(flag),
        };
        let is_meant = *self.account == TargetAccount::Service || matches!(origin, Origin::Flag(_));
        is_meant.then(|| WithOrigin::new(value, origin))
    }

    fn base_url(&self) -> Result<WithOrigin<Url>, SettingsError> {
        let given = self.given(&self.global.base_url, "--base-url", "BLUETALLY_BASE_URL");
        let given = given.filter(|given| matches!(given.origin, Origin::Flag(_)) || !self.profile_is_whole());
        let WithOrigin { value: text, origin } = given
            .filter(|given| !given.value.trim().is_empty())
            .or_else(|| self.profiled(|profile| profile.base_url.clone()))
            .unwrap_or_else(|| WithOrigin::new(DEFAULT_BASE_URL.to_owned(), Origin::Default));
        match parse_base_url(&text) {
            Ok(url) => Ok(WithOrigin::new(url, origin)),
            Err(reason) => Err(SettingsError::BaseUrl { text: shown_url(&text), origin, reason }),
        }
    }

    /// Refuses flags beside `--sandbox` that name another account. Environment and config.toml may do so: whoever has an
    /// account can try the sandbox, too.
    fn check_sandbox(&self) -> Result<(), SettingsError> {
        let base_url = self.given(&self.global.base_url, "--base-url", "BLUETALLY_BASE_URL");
        let rivals = [
            ("--base-url", base_url.is_some()),
            ("--api-key-file", self.global.api_key_file.is_some()),
            ("--profile", self.global.profile.is_some()),
        ];
        match rivals.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) if self.global.sandbox.is_some() => Err(SettingsError::SandboxWith { flag }),
            _ => Ok(()),
        }
    }

    fn tenant(&self) -> Result<Option<WithOrigin<i64>>, SettingsError> {
        let given = self.given(&self.global.tenant, "--tenant", "BLUETALLY_TENANT_ID");
        let given = given.filter(|given| matches!(given.origin, Origin::Flag(_)) || !given.value.trim().is_empty());
        let Some(WithOrigin { value: text, origin }) = given else {
            return Ok(self.profiled(|profile| profile.tenant));
        };
        match text.trim().parse() {
            Ok(tenant) => Ok(Some(WithOrigin::new(tenant, origin))),
            Err(_) => Err(SettingsError::Tenant { text, origin }),
        }
    }

    fn quota(&self) -> Result<WithOrigin<Option<u32>>, SettingsError> {
        let flag = self.global.quota.clone().map(|text| WithOrigin::new(text, Origin::Flag("--quota")));
        let profiled = || self.profiled(|profile| profile.quota.as_ref().map(|quota| quota.0.clone()));
        match flag.or_else(profiled) {
            Some(WithOrigin { value: text, origin }) => match parse_quota(&text) {
                Some(quota) => Ok(WithOrigin::new(quota, origin)),
                None => Err(SettingsError::Quota { text, origin }),
            },
            // A rehearsal is not worth an hour's wait.
            None if *self.account != TargetAccount::Service => Ok(WithOrigin::new(None, Origin::Sandbox)),
            None => Ok(WithOrigin::new(Some(DEFAULT_QUOTA), Origin::Default)),
        }
    }

    fn concurrency(&self) -> Result<WithOrigin<u16>, SettingsError> {
        let flag = self.global.concurrency.map(|number| WithOrigin::new(number, Origin::Flag("--concurrency")));
        let found = flag
            .or_else(|| self.profiled(|profile| profile.concurrency))
            .unwrap_or(WithOrigin::new(DEFAULT_CONCURRENCY, Origin::Default));
        match found.value {
            1..=MOST_CONCURRENT => Ok(found),
            number => Err(SettingsError::Concurrency { number, origin: found.origin }),
        }
    }

    fn custom_fields(&self) -> WithOrigin<CustomFieldsEncoding> {
        self.profiled(|profile| profile.custom_fields_encoding)
            .unwrap_or(WithOrigin::new(CustomFieldsEncoding::default(), Origin::Default))
    }

    fn key(&self, base_url: &WithOrigin<Url>) -> Result<Option<WithOrigin<Secret>>, SettingsError> {
        if self.account != &TargetAccount::Service {
            return Ok(None);
        }
        let variable = if self.profile_is_whole() { None } else { Some("BLUETALLY_API_KEY") };
        let key = key::find(self.global, variable, self.here, self.profile)?;
        match &key {
            Some(found) => self.check_pair(&found.origin, base_url).map(|()| key),
            None => Ok(None),
        }
    }
}

/// Requests an hour: `10000`, `10000/h` or `none`. The outer `None` is a text that is no quota.
fn parse_quota(text: &str) -> Option<Option<u32>> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("none") {
        return Some(None);
    }
    let number = ["/hour", "/h"].iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    match number.trim_end().parse() {
        Ok(0) | Err(_) => None,
        Ok(quota) => Some(Some(quota)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
