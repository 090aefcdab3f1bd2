//! Why the sandbox could not start.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::FaultsError;

/// Why the sandbox could not start. Once it runs it answers every request, if only with a refusal.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address to listen on is not one.
    #[error("`{text}` is not an address to listen on")]
    Address { text: String },
    /// Nobody can listen there, most often because somebody does already.
    #[error("could not listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    /// The runtime or its thread could not be started.
    #[error("could not start the sandbox: {0}")]
    Start(#[source] io::Error),
    /// A key that no client could send.
    #[error("the sandbox's API key is empty or holds other than visible ASCII characters")]
    Key,
    /// A quota that is neither `N/h` nor `none`.
    #[error("`{text}` is not a quota")]
    Quota { text: String },
    /// A page of no records.
    #[error("a page limit of 0 leaves no records to answer with")]
    PageLimit,
    /// A tenant whose id is no positive whole number.
    #[error("`{text}` is not a tenant")]
    Tenant { text: String },
    /// Two tenants with one id.
    #[error("tenant {id} is named twice")]
    TenantTwice { id: i64 },
    /// A fault that cannot be read.
    #[error(transparent)]
    Fault(#[from] FaultsError),
    /// A fault in a file that cannot be read.
    #[error("`{}`, line {}: {error}", path.display(), error.line)]
    FaultIn { path: PathBuf, error: FaultsError },
    /// A file of faults that cannot be read.
    #[error("could not read the faults in `{}`: {source}", path.display())]
    FaultsFile { path: PathBuf, source: io::Error },
    /// The data file is some other file.
    #[error("`{}` is not a sandbox's data file", path.display())]
    Foreign { path: PathBuf },
    /// The data file was written by a later version of this program.
    #[error("`{}` was written by a newer tallyport (format {found}, this one knows {known})", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// Another sandbox is serving the data file.
    #[error("`{}` is in use by another sandbox", path.display())]
    InUse { path: PathBuf },
    /// The data file cannot be opened or read.
    #[error("could not open `{}`: {source}", path.display())]
    Open { path: PathBuf, source: rusqlite::Error },
    /// The records could not be laid out in memory.
    #[error("could not prepare the sandbox's records: {0}")]
    Store(#[from] rusqlite::Error),
    /// A sample look-up that the rules refuse: a bug of this program.
    #[error("the sample look-ups are refused: {0}")]
    Seed(String),
}

impl SandboxError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            SandboxError::Address { .. } => "name a host and a port, such as `127.0.0.1:8080`".into(),
            SandboxError::Listen { .. } => "choose another port, or port 0 to let the system choose".into(),
            SandboxError::Key => "choose a key of letters and digits".into(),
            SandboxError::Quota { .. } => "give a number of requests an hour such as `10000/h`, or `none`".into(),
            SandboxError::PageLimit => "give a page limit of at least 1".into(),
            SandboxError::Tenant { .. } => "give tenants as `1,2` or `1=North,2=South`, with ids from 1".into(),
            SandboxError::TenantTwice { id } => format!("name tenant {id} once"),
            SandboxError::Fault(error) | SandboxError::FaultIn { error, .. } => error.hint(),
            SandboxError::FaultsFile { .. } => "name a file of text in UTF-8 after the `@`, one fault a line".into(),
            SandboxError::Foreign { .. } => "name a file that does not exist yet, or one a sandbox has made".into(),
            SandboxError::Newer { .. } => "update tallyport, or name another file".into(),
            SandboxError::InUse { .. } => "stop the other sandbox, or name another file".into(),
            SandboxError::Open { path, .. } => open_hint(path),
            SandboxError::Start(_) | SandboxError::Store(_) | SandboxError::Seed(_) => return None,
        };
        Some(hint)
    }
}

fn open_hint(path: &Path) -> String {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            format!("make the folder `{}` first", folder.display())
        }
        _ => "see that the file and its folder can be read and written".into(),
    }
}
