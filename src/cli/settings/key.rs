//! Where the API key comes from: `--api-key-file`, BLUETALLY_API_KEY, the profile, the system's key store, in this order.
//! The variable is left out where a chosen profile is whole ([`super::pairing`]).

use std::path::Path;

use super::{ActiveProfile, Environment, Global, Origin, Secret, SettingsError, WithOrigin};
use crate::text_file;

/// The service under which the system's key store keeps keys, unless a profile names another.
const KEY_STORE_SERVICE: &str = "tallyport";

/// The first key found. The key store is asked last and only where no other place has a key; unless a profile names
/// it, its failures are no errors: most machines have no key in it, and many no key store.
pub(super) fn find(
    global: &Global,
    variable: Option<&'static str>,
    here: &Environment,
    chosen: Option<&ActiveProfile>,
) -> Result<Option<WithOrigin<Secret>>, SettingsError> {
    if let Some(path) = &global.api_key_file {
        return from_file(path, Origin::Flag("--api-key-file")).map(Some);
    }
    if let Some(variable) = variable
        && let Some(text) = (here.variable)(variable).filter(|text| !text.is_empty())
    {
        return secret(text, Origin::Variable(variable)).map(Some);
    }
    if let Some(chosen) = chosen
        && let Some(key) = from_profile(chosen, here)?
    {
        return Ok(Some(key));
    }
    let user = chosen.map_or("default", |chosen| &chosen.name);
    match from_key_store(here, KEY_STORE_SERVICE, user) {
        Ok(key) => Ok(key),
        Err(SettingsError::KeyStore { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn from_profile(chosen: &ActiveProfile, here: &Environment) -> Result<Option<WithOrigin<Secret>>, SettingsError> {
    let ActiveProfile { name, profile, folder, .. } = chosen;
    let ways = [
        ("api_key", profile.api_key.is_some()),
        ("api_key_file", profile.api_key_file.is_some()),
        ("keyring", profile.keyring.is_some()),
    ];
    let ways: Vec<_> = ways.into_iter().filter_map(|(way, is_given)| is_given.then_some(way)).collect();
    if ways.len() > 1 {
        return Err(SettingsError::KeyTwice { profile: name.clone(), ways });
    }
    if let Some(key) = &profile.api_key {
        key.protect();
        return Ok(Some(WithOrigin::new(key.clone(), chosen.origin())));
    }
    if let Some(path) = &profile.api_key_file {
        let path = folder.join(path);
        return from_file(&path, Origin::ProfileFile { profile: name.clone(), path: path.clone() }).map(Some);
    }
    let Some(service) = &profile.keyring else { return Ok(None) };
    match from_key_store(here, service, name)? {
        Some(key) => Ok(Some(key)),
        None => {
            let cause = "no such entry".to_owned();
            Err(SettingsError::KeyStore { service: service.clone(), user: name.clone(), cause })
        }
    }
}

fn from_file(path: &Path, origin: Origin) -> Result<WithOrigin<Secret>, SettingsError> {
    match text_file::read_lossy(path) {
        // What is no text becomes a character that no key has, and is refused as such.
        Ok(text) => secret(text, origin),
        Err(error) => Err(SettingsError::KeyFile { path: path.to_owned(), cause: error.to_string() }),
    }
}

fn from_key_store(here: &Environment, service: &str, user: &str) -> Result<Option<WithOrigin<Secret>>, SettingsError> {
    let origin = || Origin::KeyStore { service: service.to_owned(), user: user.to_owned() };
    match (here.key_store)(service, user) {
        Ok(Some(text)) => secret(text, origin()).map(Some),
        Ok(None) => Ok(None),
        Err(cause) => Err(SettingsError::KeyStore { service: service.to_owned(), user: user.to_owned(), cause }),
    }
}

fn secret(text: String, origin: Origin) -> Result<WithOrigin<Secret>, SettingsError> {
    match Secret::new(text) {
        Ok(secret) => {
            secret.protect();
            Ok(WithOrigin::new(secret, origin))
        }
        Err(reason) => Err(SettingsError::Key { reason, origin }),
    }
}
