//! Which key may go to which base URL (design rule 15).
//!
//! A key belongs to the base URL beside it: that of the environment to the environment's, or to the default one; that of
//! a profile to the profile's. `--base-url` on the command line is consent to send any key there, and so is
//! `--api-key-file`. A profile that is named with `--profile` and has both is taken as a whole, whatever the environment
//! says.

use url::Url;

use super::error::ForeignKey;
use super::{DEFAULT_BASE_URL, Origin, SettingSources, SettingsError, WithOrigin};
use crate::account::is_same_base_url;
use crate::redact::shown_url;

impl SettingSources<'_> {
    /// Whether the user named a profile that has a base URL and a key.
    pub(super) fn profile_is_whole(&self) -> bool {
        self.profile
            .filter(|chosen| chosen.is_chosen)
            .is_some_and(|chosen| chosen.profile.base_url.is_some() && chosen.profile.names_key())
    }

    /// Refuses a key that was configured for another base URL than the one in force.
    pub(super) fn check_pair(&self, key: &Origin, base_url: &WithOrigin<Url>) -> Result<(), SettingsError> {
        let in_profile = self.profile.and_then(|chosen| chosen.profile.base_url.as_deref());
        let in_environment = (self.here.variable)("BLUETALLY_BASE_URL").filter(|text| !text.trim().is_empty());
        let owner = match (key, &base_url.origin) {
            // The environment's key, and the URL of a profile.
            (Origin::Variable(_), Origin::Profile(_)) => in_environment.as_deref().unwrap_or(DEFAULT_BASE_URL),
            // A profile's key, and the URL of the environment. A profile without a URL leaves the choice to it.
            (Origin::Profile(_) | Origin::ProfileFile { .. } | Origin::KeyStore { .. }, Origin::Variable(_)) => {
                match in_profile {
                    Some(owner) => owner,
                    None => return Ok(()),
                }
            }
            _ => return Ok(()),
        };
        if is_same_base_url(owner, base_url.value.as_str()) {
            return Ok(());
        }
        Err(SettingsError::KeyOfAnotherUrl(Box::new(ForeignKey {
            key: key.clone(),
            owner: (owner != DEFAULT_BASE_URL).then(|| shown_url(owner)),
            base_url: shown_url(base_url.value.as_str()),
            origin: base_url.origin.clone(),
        })))
    }
}
