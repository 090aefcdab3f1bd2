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
mod control;
mod error;
mod grammar;
mod rule;
mod selector;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Body as RawBody;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;

use super::routes::BASE;
pub(super) use connection::{ConnectionControl, FaultyListener};
pub(super) use control::CONTROL_PATH;
pub use error::FaultsError;
use rule::{Fault, FaultRule};
use selector::FaultSelector;

/// More than the largest body that the sandbox reads before refusing it.
const LARGEST_BODY: usize = 128 << 20;

/// The faults of a sandbox; none by default.
///
/// ```
/// use tallyport::sandbox::{Faults, SandboxOptions};
///
/// let faults: Faults = "POST assets p=0.05 reset after\n* * nth=3 500 before # once".parse().unwrap();
/// let options = SandboxOptions { faults: faults.seeded(7), ..SandboxOptions::default() };
/// assert_eq!(options.faults.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    rules: Vec<FaultRule>,
    seed: u64,
}

impl FromStr for Faults {
    type Err = FaultsError;

    /// Parses rules, one per line. Empty lines and comments after `#` are ignored. Fails on the first invalid line.
    fn from_str(text: &str) -> Result<Self, FaultsError> {
        // Editors on Windows begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (position, line) in text.lines().enumerate() {
            rules.extend(grammar::parse_line(line).map_err(|error| FaultsError::new(position + 1, line, error))?);
        }
        Ok(Self { rules, seed: 0 })
    }
}

impl Faults {
    /// Sets the random seed for rules with a probability. The default is 0.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Appends the rules of `others`.
    pub fn append(&mut self, others: Faults) {
        self.rules.extend(others.rules);
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Whether faults can be listed and changed at run time, at `/_control/faults` outside the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FaultControl {
    /// That path does not exist.
    #[default]
    Off,
    /// By clients with the API key.
    On,
}

/// The layer between access control and the execution of requests.
#[derive(Debug)]
pub(super) struct FaultLayer(Mutex<FaultSelector>);

impl FaultLayer {
    pub(super) fn new(faults: Faults) -> Self {
        Self(Mutex::new(FaultSelector::new(faults.seed, faults.rules)))
    }

    /// Replies to a request with `serve`, or according to a fault.
    pub(super) async fn handle<F>(&self, request: Request, serve: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let Some(fault) = self.select(&request) else { return serve(request).await };
        let connection = ConnectionControl::of(&request);
        match read_body(request).await {
            Ok(request) => apply::apply_fault(fault, connection, serve(request)).await,
            // An incomplete request is not executed.
            Err(_) => apply::cut_connection(&connection),
        }
    }

    fn select(&self, request: &Request) -> Option<Fault> {
        let path = request.uri().path().strip_prefix(BASE)?.strip_prefix('/')?;
        self.selector().select(request.method(), path)
    }

    fn selector(&self) -> MutexGuard<'_, FaultSelector> {
        // A panic while the lock was held cannot have left a count half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request with its whole body in memory.
async fn read_body(request: Request) -> Result<Request, axum::Error> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await?;
    Ok(Request::from_parts(parts, RawBody::from(bytes)))
}

impl ConnectionControl {
    /// The connection of a request.
    fn of(request: &Request) -> Self {
        let info = request.extensions().get::<ConnectInfo<ConnectionControl>>();
        info.map(|ConnectInfo(connection)| connection.clone()).unwrap_or_default()
    }
}
