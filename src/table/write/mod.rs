//! Spreadsheets out: files appear whole or not at all.

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {}

impl WriteError {
    /// What to do now.
    pub fn mend(&self) -> Option<String> {
        None
    }
}
