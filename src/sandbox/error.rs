//! Why the sandbox could not start.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::faults::FaultsError;
use crate::error::Diagnostic;

/// Why the sandbox could not start. Once started, it replies to every request, if only with a refusal.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("invalid address `{text}`")]
    Address { text: String },
    /// The address cannot be listened on, usually because it is in use.
    #[error("could not listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("could not start the sandbox: {0}")]
    Start(#[source] io::Error),
    #[error("the sandbox's API key is empty or has characters other than visible ASCII")]
    Key,
    #[error("invalid quota `{text}`")]
    Quota { text: String },
    #[error("the page limit is 0")]
    PageLimit,
    #[error("invalid tenant `{text}`")]
    Tenant { text: String },
    #[error("duplicate tenant {id}")]
    TenantTwice { id: i64 },
    #[error(transparent)]
    Fault(#[from] FaultsError),
    #[error("`{}`, line {}: {error}", path.display(), error.line)]
    FaultIn { path: PathBuf, error: FaultsError },
    #[error("could not read the faults in `{}`: {source}", path.display())]
    FaultsFile { path: PathBuf, source: io::Error },
    #[error("`{}` is not a sandbox data file", path.display())]
    Foreign { path: PathBuf },
    #[error("`{}` was written by a newer tallyport (format {found}, this version supports up to {known})", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("`{}` is in use by another sandbox", path.display())]
    InUse { path: PathBuf },
    #[error("could not open `{}`: {source}", path.display())]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("could not prepare the sandbox's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A sample record that the rules refuse: a bug in this program.
    #[error("the sample records are refused: {0}")]
    Seed(String),
}

impl Diagnostic for SandboxError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            SandboxError::Address { .. } => "use HOST:PORT, e.g. `127.0.0.1:8080`".into(),
            SandboxError::Listen { .. } => "choose another port, or port 0 to let the system choose".into(),
            SandboxError::Key => "choose a key of letters and digits".into(),
            SandboxError::Quota { .. } => "use a number of requests per hour, e.g. `10000/h`, or `none`".into(),
            SandboxError::PageLimit => "use a page limit of at least 1".into(),
            SandboxError::Tenant { .. } => "write tenants as `1,2` or `1=North,2=South`, with ids from 1".into(),
            SandboxError::TenantTwice { id } => format!("list tenant {id} once"),
            SandboxError::Fault(error) | SandboxError::FaultIn { error, .. } => error.hint().to_owned(),
            SandboxError::FaultsFile { .. } => "pass a UTF-8 text file after the `@`, with one fault per line".into(),
            SandboxError::Foreign { .. } => "use a file that does not exist yet, or one that a sandbox created".into(),
            SandboxError::Newer { .. } => "update tallyport, or use another file".into(),
            SandboxError::InUse { .. } => "stop the other sandbox, or use another file".into(),
            SandboxError::Open { path, .. } => open_hint(path),
            SandboxError::Start(_) | SandboxError::Database(_) | SandboxError::Seed(_) => return None,
        };
        Some(hint)
    }
}

fn open_hint(path: &Path) -> String {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            format!("create the folder `{}` first", folder.display())
        }
        _ => "check that the file and its folder are readable and writable".into(),
    }
}
