//! A plan to its end: concurrently, under the quota, in an order in which nothing is named before it exists, and each
//! step once.
//!
//! ```text
//! dispatcher  the loop that owns the state: journal, steps, interrupts
//! worker      one request, and what came of it
//! standing    what is known of every step, and whether another may go     pure
//! losses      lost answers: when to look, how often to try, how long      pure
//! reconcile   after a lost answer: look, compare, decide
//! outcome     what came of a step, as the journal and the row have it     pure
//! background  what was known of the account before the run
//! ```

mod account;
mod background;
pub(crate) mod command_line;
mod dispatcher;
pub(crate) mod input;
pub mod journal;
mod losses;
mod outcome;
mod reconcile;
mod standing;
pub(crate) mod used_options;
mod worker;

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::plan::Step;
use crate::plan::StepOutcome;
use crate::shutdown::ShutdownSignal;

pub use dispatcher::Dispatch;
pub use reconcile::LogPosition;

/// How a plan is sent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At most this many requests at a time.
    pub concurrency: usize,
    /// Stop after this many failed rows.
    pub max_errors: Option<u64>,
    /// Rows that the plan rejected.
    pub failed_before: u64,
    pub start: Start,
    /// The least time between a lost answer and the look for what became of the request: it may still be on its way.
    pub least_grace: Duration,
}

/// Whether the plan is as fresh as what is known of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Fresh,
    /// An earlier process planned it: others may have done meanwhile what it has not sent.
    TakenUp,
}

/// How the sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every step was tried.
    Complete,
    /// The service refuses the whole run.
    Refused(String),
    /// The service was out of reach, or failed, for too long.
    Unreachable(String),
    /// The journal could not be written; what was sent is accounted for.
    Broken(String),
    /// Too many rows failed.
    TooManyErrors,
    Interrupted,
}

/// What the loop is at, for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Sending,
    /// Answers were lost: the records are looked for.
    Looking {
        records: usize,
    },
    /// An interrupt came: nothing new is sent, and these requests land.
    Landing {
        requests: usize,
    },
    /// The service is unwell, and is left alone until then.
    Waiting {
        until: Instant,
    },
}

/// Ctrl-C, as the loop sees it; a test has its own.
pub trait Interrupts {
    /// Resolves at the next interrupt.
    fn next(&mut self) -> impl Future<Output = ()>;
}

impl Interrupts for ShutdownSignal {
    async fn next(&mut self) {
        ShutdownSignal::next(self).await;
    }
}

/// Who hears what becomes of the steps: the tally and the screen.
pub trait Watcher {
    /// A step has ended, and its outcome is on disk.
    fn ended(&mut self, step: &Step, outcome: &StepOutcome);

    /// Time passes: what the run waits for is worth saying.
    fn tick(&mut self, doing: Doing);
}
