//! The documented API as a local server, for trying out, dry runs and tests without an account.
//!
//! It is not a mock of our client. It is written from the guide and the facts of the schema, refuses everything the
//! guide does not allow, does not know which client is calling, and shares no code with the client. Where the guide
//! leaves a choice it takes the stricter one: a request that succeeds here should succeed on the service, never the
//! reverse.
//!
//! ```text
//! request ─► routes ─► access ─► (faults) ─► query, body ─► rules ─► store ─► reply
//!            which     key,       only if     what was       what is   what exists:
//!            endpoint  quota,     requested   sent           allowed   references, stock, uniqueness
//!                      tenant
//! ```
//!
//! What always holds, except for the [`Faults`] that were requested, which lose and damage replies but never records:
//! - A reply is JSON. A list returns a bare array, a create 201 and the record, an update 200 and the record, a delete
//!   204 and no body, a refusal `{"message": ..}`, with `"errors": {"field": [".."]}` (422) if fields are invalid. A
//!   refusal lists all errors at once, and a refused request changes nothing.
//! - A change is stored before it is answered. Killing the process loses no answered change of a sandbox with a file.
//! - Ids are unique per collection and never reused, not even by another tenant.
//! - Records contain every field, `null` if unset, and every change of a record changes its `updated_at`.
//!
//! Where the guide is silent:
//! - *Requests.* Unknown and repeated parameters are refused, in the query and in the body. Lists take query
//!   parameters, everything else a JSON object with `Content-Type: application/json` (else 415; 400 if it is not a JSON
//!   object). `HEAD` is not documented (405). Bodies are limited to 1 MiB (413).
//! - *Types.* An Integer is a JSON integer, a Boolean a JSON boolean, a String a JSON string. Amounts are integers
//!   (`12.0` is refused), amounts and quantities are not negative, and nothing exceeds 2^53 - 1. `null` means "not
//!   given" on create and clears an optional field on update. A required text cannot be blank. Options, dates and
//!   currency codes must match exactly; e-mail addresses and URLs must be well-formed. An `id` in the body must equal
//!   that of the path.
//! - *Custom fields* are replaced as a whole, like any other field. Every name is allowed, once. Replies return them as
//!   an array.
//! - *References* must exist in the account. A category must have the type its user needs (`accessory` for an
//!   accessory) and keeps that type while it is used. A record that others refer to, that is checked out, or that holds
//!   something cannot be deleted. A consumable is deleted together with its checkouts.
//! - *Unique* values are asset tags, compared exactly, and e-mail addresses of employees, ignoring case. Names are not.
//! - *Updates* without any field count as updates.
//! - *Sorting* is by bytes, nulls first, then by id in the same direction.
//! - *Tenants.* With tenants, `tenant_id` is required in every query but that of `/tenants` (422) and must be one of
//!   them (403). Without tenants it is an unknown parameter, and `/tenants` is empty.
//! - *Check-ins and checkouts* return 200 and the item afterwards. Exactly one holder is given. Only assets with a
//!   deployable status can be checked out, and not to archived employees. A check-in reverses one whole checkout, the
//!   latest to that holder. Stock and seats never fall below what is checked out.
//! - *Licenses* are "Dynamic", as no parameter sets the type: `quantity` is required and `product_key` refused. The
//!   sample data has one of the type "Product Key", and each of its keys can be checked out once.
//! - *Copies.* Records copied from an account are served as the account served them, fields that the sandbox does not know
//!   included, until they are changed here. Users whom the audits of a copy name are users of it.
//! - *Fields that only apply to some records* (`end_of_life_date` of an asset, `minimum_quantity` of a category) are
//!   stored whether they apply or not.
//! - *The activity log* covers the seven types the guide lists and no others, with the owner of the key as user. An
//!   audit that is scheduled or completed has an entry for that too. There are no `Recover` events.
//! - *The quota* counts every request with the right key, including those refused for other reasons, and restarts with
//!   the process.

mod access;
mod body;
mod clock;
mod copy;
mod error;
mod facts;
mod faults;
mod options;
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

pub(crate) use copy::{CopyBuildError, CopyBuilder, CopyOmissions, DataFile};
pub use error::SandboxError;
pub use faults::{FaultControl, Faults, FaultsError};
pub use options::{SandboxOptions, Seed, StoreLocation};
pub use server::Sandbox;
