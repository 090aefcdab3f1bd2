//! Why a file could not be read, in the user's words.

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{fault:?}")]
pub struct ReadError {
    pub fault: ReadFault,
}

/// What is the matter with the file.
#[derive(Debug)]
pub enum ReadFault {
    Empty,
}

impl ReadError {
    /// What to do now.
    pub fn mend(&self) -> Option<String> {
        None
    }
}
