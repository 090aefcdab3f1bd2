//! From settings to an account: of the service, or of a sandbox started for this command.

use super::environment::Environment;
use super::{Origin, Settings, SettingsError, TargetAccount};
use crate::account::{Account, AccountIdentity, ConnectOptions};
use crate::cli::args::Global;
use crate::error::Error;
use crate::run::journal::RunStore;
use crate::written_files::WrittenFiles;

/// The account that `global` and the machine mean. Sends nothing yet.
///
/// # Errors
/// A setting that cannot be used, no key, or a sandbox that cannot start.
pub(crate) async fn connect(global: &Global) -> Result<Account, Error> {
    Settings::resolve(global)?.connect().await
}

/// The account that a run belongs to. The key is the machine's, as always.
///
/// # Errors
/// As [`connect`], and where flags, environment or profile mean another account.
pub(crate) async fn connect_to(global: &Global, wanted: &AccountIdentity) -> Result<Account, Error> {
    let mut global = global.clone();
    match wanted {
        AccountIdentity::SandboxMemory => {}
        AccountIdentity::SandboxFile { path, tenant } => {
            if matches!(&global.sandbox, None | Some(None)) {
                global.sandbox = Some(Some(path.clone()));
            }
            global.tenant = global.tenant.or(*tenant);
        }
        AccountIdentity::Service { base_url, tenant, profile } => {
            global.profile = global.profile.or_else(|| profile.clone());
            global.tenant = global.tenant.or(*tenant);
            // Where nobody names another service, the run's own is meant: the key would go nowhere else.
            let names_none = global.sandbox.is_none() && Settings::resolve(&global)?.base_url.origin == Origin::Default;
            if names_none {
                global.base_url = Some(base_url.clone());
            }
        }
    }
    let account = connect(&global).await?;
    account.expect_identity(wanted)?;
    Ok(account)
}

/// Where the journals of this machine lie.
pub(crate) fn run_store() -> Result<RunStore, SettingsError> {
    Ok(RunStore::new(&Environment::here().state_dir()?.value))
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
                ConnectOptions::service(self.base_url.value.clone(), key.value.clone())
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
