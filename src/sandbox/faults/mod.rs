//! Faults on request: what a service, a network or a proxy does to a client on a bad day, for rehearsing it.
//!
//! Nothing here happens unless somebody asks for it, and nothing here knows who is calling. The faults are one layer
//! between the gate and the sandbox's own work: a stranger without the key is refused as ever, the quota counts what
//! is struck like what is not, and a fault's answer carries the quota's headers.
//!
//! ```text
//! request ─► gate ─► choose ─► no fault ───────────────► work ─► answer
//!                      └─────► carry out ─► work or not ──────► another answer, or a connection that breaks
//! ```
//!
//! Which fault strikes is decided when a request's head arrives, by rules, counts and a seed alone: the same requests
//! in the same order meet the same faults. Only paths of the API are struck.
//!
//! *Before* means that nothing is done yet when the fault strikes, *after* that the change is committed: the store's
//! answer is there, and gets lost. A request that is struck arrives whole first, so that what happens to it does not
//! depend on the client's staying; work that is begun is finished.
//!
//! The grammar of a rule, also told by `tallyport sandbox --help`:
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

/// More than the largest body that the sandbox reads to refuse it.
const LARGEST_BODY: usize = 128 << 20;

/// The faults a sandbox is to have; by default none.
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

    /// Reads rules, one a line. Empty lines and what follows a `#` say nothing. Refuses the first line that is no rule.
    fn from_str(text: &str) -> Result<Self, FaultsError> {
        // Editors on Windows begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (position, line) in text.lines().enumerate() {
            rules.extend(grammar::read(line).map_err(|error| FaultsError::new(position + 1, line, error))?);
        }
        Ok(Self { rules, seed: 0 })
    }
}

impl Faults {
    /// With another sequence of draws for the rules with a probability. Without, the seed is 0.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Adds the rules of `others` behind its own.
    pub fn append(&mut self, others: Faults) {
        self.rules.extend(others.rules);
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Whether faults can be seen and changed while the sandbox runs, at `/_control/faults` beside the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FaultControl {
    /// That path is as unknown as any.
    #[default]
    Off,
    /// To whoever has the key.
    On,
}

/// What stands between the gate and the work.
#[derive(Debug)]
pub(super) struct FaultLayer(Mutex<FaultSelector>);

impl FaultLayer {
    pub(super) fn new(faults: Faults) -> Self {
        Self(Mutex::new(FaultSelector::new(faults.seed, faults.rules)))
    }

    /// Serves a request by `serve`, or as a fault will have it.
    pub(super) async fn around<F>(&self, request: Request, serve: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let Some(fault) = self.choose(&request) else { return serve(request).await };
        let connection = ConnectionControl::of(&request);
        match arrived(request).await {
            Ok(request) => apply::apply_fault(fault, connection, serve(request)).await,
            // Who does not send all of a request has asked for nothing.
            Err(_) => apply::broken_off(&connection),
        }
    }

    fn choose(&self, request: &Request) -> Option<Fault> {
        let path = request.uri().path().strip_prefix(BASE)?.strip_prefix('/')?;
        self.selector().choose(request.method(), path)
    }

    fn selector(&self) -> MutexGuard<'_, FaultSelector> {
        // A panic while the lock was held cannot have left a count half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request with its whole body in memory.
async fn arrived(request: Request) -> Result<Request, axum::Error> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await?;
    Ok(Request::from_parts(parts, RawBody::from(bytes)))
}

impl ConnectionControl {
    /// The connection a request came by.
    fn of(request: &Request) -> Self {
        let info = request.extensions().get::<ConnectInfo<ConnectionControl>>();
        info.map(|ConnectInfo(connection)| connection.clone()).unwrap_or_default()
    }
}
