//! What the flags mean here: flags, environment and profile together, each value with its origin.

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {}

impl SettingsError {
    pub fn mend(&self) -> Option<String> {
        None
    }
}
