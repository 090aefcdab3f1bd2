//! The settings of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::error::SandboxError;
use super::faults::{FaultControl, Faults};

/// The settings of a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// The address to listen on. Port 0 lets the system choose a free port.
    pub listen: SocketAddr,
    pub store: StoreLocation,
    /// The key that clients must send as a Bearer token.
    pub api_key: String,
    /// The limit on requests in any sliding hour; none for no limit.
    pub quota: Option<u32>,
    /// The maximum `limit` of a list.
    pub page_limit: u32,
    /// Ids (from 1) and names of the tenants, each with its own records; empty for a single-tenant account.
    pub tenants: Vec<(i64, String)>,
    /// The records of a new account. An account that the data file already has is not changed.
    pub seed: Seed,
    /// Errors to inject.
    pub faults: Faults,
    /// Whether the faults can be changed at run time.
    pub control: FaultControl,
}

/// Where the records are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// In memory, until the sandbox is dropped.
    Memory,
    /// In that file, which is created if it does not exist.
    File(PathBuf),
}

/// The records of a new account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// Sample statuses, categories, products, employees and so on, for sheets to refer to.
    SampleLookups,
    Empty,
}

impl Default for SandboxOptions {
    /// In memory, on a free port, with the documented limits (guide: "10,000 API requests per hour and 1,000 results
    /// per request") and the key `sandbox`.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            store: StoreLocation::Memory,
            api_key: "sandbox".into(),
            quota: Some(10_000),
            page_limit: 1000,
            tenants: Vec::new(),
            seed: Seed::SampleLookups,
            faults: Faults::default(),
            control: FaultControl::Off,
        }
    }
}

impl SandboxOptions {
    pub(super) fn check(&self) -> Result<(), SandboxError> {
        if self.api_key.is_empty() || !self.api_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SandboxError::Key);
        }
        if self.page_limit == 0 {
            return Err(SandboxError::PageLimit);
        }
        for (position, (id, _)) in self.tenants.iter().enumerate() {
            if *id < 1 {
                return Err(SandboxError::Tenant { text: id.to_string() });
            }
            if self.tenants[..position].iter().any(|(other, _)| other == id) {
                return Err(SandboxError::TenantTwice { id: *id });
            }
        }
        Ok(())
    }
}
