//! From settings to an account: of the service, or of a sandbox started for this command.

use super::environment::Environment;
use super::{Settings, SettingsError, TargetAccount, given_tenant};
use crate::account::{Account, AccountIdentity, ConnectOptions, is_same_base_url};
use crate::cli::args::Global;
use crate::error::Error;
use crate::job::AccountBound;
use crate::mapping::RememberedMappings;
use crate::redact::shown_url;
use crate::run::journal::RunStore;
use crate::shell::sandbox_flag;
use crate::written_files::WrittenFiles;

/// The account that `global` and the machine mean. Sends nothing yet.
///
/// # Errors
/// A setting that cannot be used, no key, or a sandbox that cannot start.
pub(crate) async fn connect(global: &Global) -> Result<Account, Error> {
    Settings::resolve(global)?.connect().await
}

/// The account that a run or plan belongs to, which flags, environment or profile must mean, too. The key is the machine's, and
/// a journal may come from anywhere: the key never goes to a base URL only because a journal names it.
///
/// # Errors
/// As [`connect`], and where flags, environment or profile mean another account.
pub(crate) async fn connect_to(
    global: &Global,
    wanted: &AccountIdentity,
    bound: AccountBound,
) -> Result<Account, Error> {
    let mut global = global.clone();
    global.tenant = given_tenant(&global).or(wanted.tenant().map(|tenant| tenant.to_string()));
    match wanted {
        AccountIdentity::SandboxMemory => {}
        AccountIdentity::SandboxFile { path, .. } => {
            refuse_typed_base_url(&global, wanted, bound)?;
            if global.sandbox == Some(None) {
                let message = format!("the {} belongs to {wanted}, and `--sandbox` means a new one", bound.as_str());
                let hint = format!("leave out `--sandbox`, or pass `{}`", sandbox_flag(path));
                return Err(Error::usage(message, hint));
            }
            global.sandbox.get_or_insert_with(|| Some(path.clone()));
            // A new sandbox in its place would hold none of the run's records.
            if !path.exists() {
                let what = bound.as_str();
                let message = format!("the {what} belongs to {wanted}, and there is no such file");
                return Err(Error::usage(message, format!("put the file back to use the {what}")));
            }
        }
        AccountIdentity::Service { base_url, profile, .. } => {
            if global.profile.is_none() && global.sandbox.is_none() {
                global.profile = profile.clone().filter(|name| profile_means(&global, name, base_url));
            }
        }
    }
    let account = connect(&global).await?;
    account.expect_identity(wanted, bound)?;
    Ok(account)
}

/// Refuses a base URL on the command line for a run or plan on a sandbox file.
fn refuse_typed_base_url(global: &Global, wanted: &AccountIdentity, bound: AccountBound) -> Result<(), Error> {
    let variable = (Environment::here().variable)("BLUETALLY_BASE_URL");
    match &global.base_url {
        Some(typed) if variable.as_ref() != Some(typed) => Err(Error::usage(
            format!("the {} belongs to {wanted}, not to {}", bound.as_str(), shown_url(typed)),
            format!("leave out `--base-url`: a {} on a sandbox file continues in that file", bound.as_str()),
        )),
        _ => Ok(()),
    }
}

/// Whether a profile of this machine leads to that base URL.
fn profile_means(global: &Global, name: &str, base_url: &str) -> bool {
    let chosen = Global { profile: Some(name.to_owned()), ..global.clone() };
    Settings::resolve_base_url(&chosen).is_ok_and(|found| is_same_base_url(found.value.as_str(), base_url))
}

/// Where the journals of this machine lie.
pub(crate) fn run_store() -> Result<RunStore, SettingsError> {
    Ok(RunStore::new(&Environment::here().state_dir()?.value))
}

/// The mappings that are remembered on this machine.
pub(in crate::cli) fn remembered_mappings() -> Result<RememberedMappings, SettingsError> {
    Ok(RememberedMappings::new(&Environment::here().state_dir()?.value))
}

/// Which files were written on this machine.
pub(in crate::cli) fn written_files() -> Result<WrittenFiles, SettingsError> {
    Ok(WrittenFiles::new(&Environment::here().state_dir()?.value))
}

impl Settings {
    /// The account that these settings mean. Sends nothing yet.
    pub(crate) async fn connect(&self) -> Result<Account, Error> {
        Account::connect(self.connect_options()?).await
    }

    /// The settings as the library takes them.
    pub(in crate::cli) fn connect_options(&self) -> Result<ConnectOptions, SettingsError> {
        let options = match &self.account {
            TargetAccount::Service => {
                let key = self.key.as_ref().ok_or(SettingsError::KeyMissing)?;
                ConnectOptions::service(self.base_url.value.clone(), key.value.clone()).with_key_origin(&key.origin)
            }
            TargetAccount::Sandbox(None) => ConnectOptions::sandbox(),
            TargetAccount::Sandbox(Some(path)) => ConnectOptions::sandbox_file(path),
        };
        let options = options
            .with_quota(self.quota.value)
            .with_concurrency(self.concurrency.value)
            .with_custom_fields(self.custom_fields.value)
            .with_state_dir(&self.state_dir.value)
            .with_profile(self.profile.clone());
        Ok(match &self.tenant {
            Some(tenant) => options.with_tenant(tenant.value),
            None => options,
        })
    }
}
