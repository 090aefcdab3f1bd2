//! The documented API as a local server.

/// Why the sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {}

impl SandboxError {
    /// What to do now.
    pub fn mend(&self) -> Option<String> {
        None
    }
}
