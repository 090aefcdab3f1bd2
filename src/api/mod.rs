//! The HTTP client: the only place that knows HTTP.

/// Why a request, or the whole service, failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {}

impl ApiError {
    /// What to do now.
    pub fn mend(&self) -> Option<String> {
        None
    }
}
