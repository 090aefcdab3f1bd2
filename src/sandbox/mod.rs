//! The documented API as a local server: for trying, rehearsing and testing without an account.
//!
//! It is not a mock of our client. It is written from the guide and from the schema's facts, refuses what the guide
//! doesn't allow, never knows who is calling, and shares no code with the client. Where the guide leaves a choice it
//! takes the stricter one: what passes here should pass there, never the other way round.
//!
//! ```text
//! request ─► routes ─► gate ─► (faults) ─► query, body ─► rules ─► store ─► reply
//!            which     key,     only if     what was       what is   what is so:
//!            endpoint  quota,   asked for   sent           allowed   references, stock, uniqueness
//!                      tenant
//! ```
//!
//! What always holds, but for the [`Faults`] somebody asks for: these lose and spoil answers, never records
//! - A reply is JSON. A list is a bare array, a create 201 and the record, an update 200 and the record, a delete 204
//!   and nothing, a refusal `{"message": ..}` with `"errors": {"field": [".."]}` (422) where fields are to blame: all
//!   of them at once, and nothing of a refused request is done.
//! - What was answered is stored. A process kill loses no answered change of a sandbox kept in a file.
//! - Ids are unique per collection and never used again, not even by another tenant.
//! - Records carry every field, `null` when unset, and `updated_at` moves with every change of the record.
//!
//! Where the guide is silent
//! - *Requests.* Every parameter counts: unknown or repeated ones are refused in the query and in the body. Lists are
//!   told by the query, everything else by a JSON object with `Content-Type: application/json` (else 415; no JSON or
//!   no object 400). `HEAD` is a method nobody documented (405). Bodies end at 1 MiB (413).
//! - *Types.* An Integer is a JSON integer, a Boolean a JSON boolean, a String a JSON string; amounts are whole (`12.0`
//!   is not written as one), neither they nor quantities are negative, nothing is above 2^53 - 1. `null` is "not
//!   given" on create and clears an optional field on update. A required text cannot be blank. Options, dates and
//!   currency codes are exact; e-mail and web addresses must look like ones. A body's `id` must be the path's.
//! - *Custom fields* are replaced as a whole like any other field; every name is allowed, once. Replies hold them as
//!   an array.
//! - *References* must exist in the account. A category must be of the type its user needs (an accessory's is
//!   `accessory`), and keeps that type while it is used. What others refer to, what is checked out, and who or what
//!   holds something cannot be deleted; a consumable goes with the record of its use.
//! - *Unique* are asset tags, exactly, and employees' e-mail addresses, whatever their case. Names are not.
//! - *Updates* without any field are updates all the same.
//! - *Sorting* is by bytes, nulls first, then by id in the same direction.
//! - *Tenants.* With tenants, `tenant_id` is required in the query of everything but `/tenants` (422), and must be one
//!   of them (403). Without, it is an unknown parameter, and `/tenants` is empty.
//! - *Moves.* An action answers 200 with the thing as it is afterwards. Exactly one holder is named. Only assets of a
//!   deployable status go out, and to nobody who is archived. A check-in takes back one checkout as a whole, the
//!   newest to that holder. Stock and seats never fall below what is out.
//! - *Licenses* are "Dynamic", as no parameter says otherwise: `quantity` it must be, `product_key` it cannot be. The
//!   one of the type "Product Key" comes with the samples, and takes each of its keys once.
//! - *Fields that only apply to some* (an asset's `end_of_life_date`, a category's `minimum_quantity`) are stored
//!   whether they apply or not.
//! - *The activity log* tells of the seven types the guide lists and no others, in the name of the key's owner; an audit
//!   that is scheduled or completed has an entry for that too. Nothing recovers.
//! - *The quota* counts what came with the right key, refusals for other reasons included, and starts anew with the
//!   process.

mod access;
mod body;
mod clock;
mod error;
mod facts;
mod faults;
mod query;
mod quota;
mod refusal;
mod routes;
mod rules;
mod seed;
mod server;
mod store;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub use error::SandboxError;
pub use faults::{FaultControl, Faults, FaultsError};
pub use server::Sandbox;

/// How a sandbox is to be.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    pub store: StoreLocation,
    /// The key clients must send as a Bearer token.
    pub api_key: String,
    /// Requests in any sliding hour; none for no limit.
    pub quota: Option<u32>,
    /// The most records one list may ask for.
    pub page_limit: u32,
    /// Ids, from 1, and names of the tenants, each with data of its own; none for a single-tenant account.
    pub tenants: Vec<(i64, String)>,
    /// What a new account holds. One that the data file knows already stays as it is.
    pub seed: Seed,
    /// What goes wrong, for rehearsing it.
    pub faults: Faults,
    /// Whether that can be changed while it runs.
    pub control: FaultControl,
}

/// Where the records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// Gone with the sandbox.
    Memory,
    /// Kept in that file, which is made if it does not exist.
    File(PathBuf),
}

/// What a new account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// Statuses, categories, products, people and the like, for sheets to refer to.
    SampleLookups,
    Empty,
}

impl Default for SandboxOptions {
    /// In memory, on a port of the system's choice, with the documented limits (guide: "10,000 API requests per
    /// hour and 1,000 results per request") and the key `sandbox`.
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
    /// Refuses what no sandbox can be.
    fn check(&self) -> Result<(), SandboxError> {
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
