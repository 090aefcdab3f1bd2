//! Fault injection: simulates what an overloaded service, a network or a proxy does to a client.
//!
//! No fault occurs unless it is requested, and none depends on which client is calling. Faults are a layer between
//! access control and the execution of requests: a request without the key is refused as usual, every request counts
//! towards the quota whether a fault hits it or not, and the reply of a fault has the quota headers.
//!
//! ```text
//! request ─► access ─► select ─► no fault ──────────────────────► execution ─► reply
//!                        └─────► apply fault ─► execution or not ────────────► another reply, or a broken connection
//! ```
//!
//! The fault is selected when the head of a request arrives, by rules, counts and a seed alone: the same requests in
//! the same order get the same faults. Faults only apply to paths of the API.
//!
//! *Before* means that the request is not executed yet when the fault occurs, *after* that its change is committed and
//! only the reply is affected. The whole request is read first, so that the outcome does not depend on whether the
//! client stays connected. Execution that has begun is always finished.
//!
//! The grammar of a rule, as shown by `tallyport sandbox --help`:
//! ```text
#![doc = include_str!("grammar.txt")]
//! ```

mod apply;
mod connection;
mod error;
mod grammar;
mod layer;
mod rule;
mod selector;
#[cfg(test)]
mod tests;

pub(super) use connection::FaultyListener;
pub use error::FaultsError;
pub use grammar::Faults;
pub use layer::FaultControl;
pub(super) use layer::{CONTROL_PATH, FaultLayer};
