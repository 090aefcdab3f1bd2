//! The tenants of a multi-tenant account.

use std::fmt;

use serde_json::Value as Json;

use super::{Account, AccountIdentity};
use crate::api::{Client, ClientOptions, Record, integer};
use crate::error::Result;

/// A tenant that the API key gives access to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub id: i64,
    /// Empty if the service gives none.
    pub name: String,
}

impl fmt::Display for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => write!(formatter, "{}", self.id),
            name => write!(formatter, "{} ({name})", self.id),
        }
    }
}

impl Account {
    /// The tenants that the API key gives access to.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        Ok(self.client.tenants().await?.iter().filter_map(parse_tenant).collect())
    }

    /// The same account for another tenant. It uses the embedded sandbox of this one, where there is one.
    pub(crate) fn for_tenant(&self, id: i64) -> Result<Self> {
        let client_options = ClientOptions { tenant: Some(id), ..self.client_options.clone() };
        let identity = match self.identity.clone() {
            AccountIdentity::Service { base_url, profile, .. } => {
                AccountIdentity::Service { base_url, tenant: Some(id), profile }
            }
            AccountIdentity::SandboxFile { path, .. } => AccountIdentity::SandboxFile { path, tenant: Some(id) },
            AccountIdentity::SandboxMemory => AccountIdentity::SandboxMemory,
        };
        Ok(Self {
            client: Client::new(client_options.clone())?,
            client_options,
            sandbox: None,
            quota: self.quota,
            concurrency: self.concurrency,
            identity,
            state_dir: self.state_dir.clone(),
        })
    }
}

fn parse_tenant(record: &Record) -> Option<Tenant> {
    let id = record.get("tenant_id").and_then(integer)?;
    let name = record.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    Some(Tenant { id, name })
}
