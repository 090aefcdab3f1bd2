//! The loop that owns the state of a run.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::outcome::{Fault, StepEnd};
use super::worker;
use crate::api::{Client, Fate, Scope};
use crate::plan::{Part, Step, Steps};

/// How a plan is sent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At most this many requests at a time.
    pub concurrency: usize,
    /// Stop after this many failed rows.
    pub max_errors: Option<u64>,
    /// Rows that the plan rejected.
    pub failed_before: u64,
}

/// How the sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every step was tried.
    Complete,
    /// The service refuses the whole run.
    Refused(String),
    /// The plan could not be read back to its end; what was sent before is accounted for.
    Broken(String),
    /// Too many rows failed.
    TooManyErrors,
    Interrupted,
}

/// Ctrl-C, as the loop sees it; a test has its own.
pub trait Interrupts {
    /// Resolves at the next interrupt.
    fn next(&mut self) -> impl Future<Output = ()>;
}

/// Who hears what becomes of the steps: the tally and the screen.
pub trait Watcher {
    /// A step has ended, or will never be sent.
    fn ended(&mut self, step: &Step, end: &Result<StepEnd, Fault>);

    /// Time passes: requests may be waiting for the quota, which is worth saying.
    fn tick(&mut self);
}

/// Why steps of an interrupted run were not sent.
const INTERRUPTED: &str = "the run was interrupted";

/// How often the watcher hears that time passes.
const TICK: Duration = Duration::from_millis(500);

/// What is known of a step that others may await.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    Pending,
    Done(Option<i64>),
    Failed,
}

type Flight<'c> = Pin<Box<dyn Future<Output = (Step, Result<StepEnd, Fault>)> + 'c>>;

/// Sends the steps of a plan and tells the watcher of each, in the order in which they end.
pub struct Dispatch<'c> {
    client: &'c Client,
    settings: Settings,
    in_flight: FuturesUnordered<Flight<'c>>,
    settled: Vec<Settled>,
    /// A step that waits for others to end before it may go.
    held: Option<Step>,
    sheet: Option<u16>,
    failed: u64,
    end: End,
}

impl<'c> Dispatch<'c> {
    pub fn new(client: &'c Client, settings: Settings) -> Self {
        let failed = settings.failed_before;
        Self {
            client,
            settings,
            in_flight: FuturesUnordered::new(),
            settled: Vec::new(),
            held: None,
            sheet: None,
            failed,
            end: End::Complete,
        }
    }

    /// Runs to the end of the plan, or until something stops it; those in flight always land, unless a second
    /// interrupt says otherwise. Steps that were never sent end as [`Fault::NotSent`].
    ///
    /// A plan that cannot be read back stops the run, and never loses the outcome of what was sent.
    pub async fn run(mut self, mut steps: Steps, interrupts: &mut impl Interrupts, watcher: &mut dyn Watcher) -> End {
        self.mind_errors();
        // One clock for the whole loop: a sleep begun anew at every turn would never end while steps do.
        let mut clock = tokio::time::interval(TICK);
        loop {
            if let Err(error) = self.launch(&mut steps, watcher) {
                self.end = End::Broken(format!("the plan could not be read back: {error}"));
            }
            if self.in_flight.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = interrupts.next() => {
                    if self.end == End::Interrupted {
                        break;
                    }
                    self.end = End::Interrupted;
                    self.client.stop();
                }
                _ = clock.tick() => watcher.tick(),
                Some((step, end)) = self.in_flight.next() => self.land(&step, end, watcher),
            }
        }
        if let Err(error) = self.give_up(steps, watcher) {
            self.end = End::Broken(format!("the plan could not be read back: {error}"));
        }
        self.end
    }

    /// Takes steps while there is room and the next one may go.
    fn launch(&mut self, steps: &mut Steps, watcher: &mut dyn Watcher) -> io::Result<()> {
        while self.end == End::Complete && self.in_flight.len() < self.settings.concurrency {
            let Some(mut step) = self.held.take().map(Ok).or_else(|| steps.next()).transpose()? else { return Ok(()) };
            match self.readiness(&step) {
                Readiness::Wait => {
                    self.held = Some(step);
                    return Ok(());
                }
                Readiness::Never(reason) => self.settle(&step, Err(Fault::Awaited(reason)), watcher),
                Readiness::Go => {
                    self.sheet = Some(step.row.sheet);
                    self.fill(&mut step);
                    self.note(&step, Settled::Pending);
                    self.in_flight.push(Box::pin(worker::perform(self.client, step)));
                }
            }
        }
        Ok(())
    }

    /// A step goes when the sheet before its own has landed and what it awaits is there.
    fn readiness(&self, step: &Step) -> Readiness {
        if self.sheet.is_some_and(|sheet| sheet != step.row.sheet) && !self.in_flight.is_empty() {
            return Readiness::Wait;
        }
        for awaited in &step.awaits {
            match (self.state(awaited.step), &awaited.field) {
                (Settled::Pending, _) => return Readiness::Wait,
                (Settled::Failed, _) => return Readiness::Never(String::from("see the row that creates it")),
                (Settled::Done(None), Some(_)) => {
                    return Readiness::Never(String::from("the service did not tell its id"));
                }
                (Settled::Done(_), _) => {}
            }
        }
        Readiness::Go
    }

    fn state(&self, step: u32) -> Settled {
        self.settled.get(step as usize).copied().unwrap_or(Settled::Failed)
    }

    fn note(&mut self, step: &Step, state: Settled) {
        let number = step.number as usize;
        if self.settled.len() <= number {
            self.settled.resize(number + 1, Settled::Pending);
        }
        self.settled[number] = state;
    }

    fn fill(&self, step: &mut Step) {
        for awaited in &step.awaits {
            if let (Settled::Done(Some(id)), Some(field)) = (self.state(awaited.step), &awaited.field) {
                step.body.insert(field.clone(), serde_json::Value::from(id));
            }
        }
    }

    fn land(&mut self, step: &Step, end: Result<StepEnd, Fault>, watcher: &mut dyn Watcher) {
        if let Err(Fault::Write(failure)) = &end
            && failure.stop == Scope::Run
            && self.end == End::Complete
        {
            self.end = End::Refused(failure.message.clone());
        }
        let end = match end {
            Err(Fault::Write(failure)) if failure.fate == Fate::NotSent && self.end == End::Interrupted => {
                Err(Fault::NotSent(String::from(INTERRUPTED)))
            }
            other => other,
        };
        self.settle(step, end, watcher);
    }

    fn settle(&mut self, step: &Step, end: Result<StepEnd, Fault>, watcher: &mut dyn Watcher) {
        let state = match &end {
            Ok(end) => Settled::Done(end.id),
            Err(_) => Settled::Failed,
        };
        self.note(step, state);
        watcher.ended(step, &end);
        // A record that a row names fails with its row, which says so itself.
        if end.is_err() && step.part == Part::Own {
            self.failed += 1;
            self.mind_errors();
        }
    }

    fn mind_errors(&mut self) {
        if self.settings.max_errors.is_some_and(|most| self.failed >= most) && self.end == End::Complete {
            self.end = End::TooManyErrors;
        }
    }

    /// Reports every step that was not sent: nothing vanishes.
    fn give_up(&mut self, mut steps: Steps, watcher: &mut dyn Watcher) -> io::Result<()> {
        let reason = match &self.end {
            End::Complete => return Ok(()),
            End::Refused(reason) | End::Broken(reason) => reason.clone(),
            End::TooManyErrors => String::from("the run stopped after too many failed rows"),
            End::Interrupted => String::from(INTERRUPTED),
        };
        while let Some(step) = self.held.take().map(Ok).or_else(|| steps.next()).transpose()? {
            watcher.ended(&step, &Err(Fault::NotSent(reason.clone())));
        }
        Ok(())
    }
}

enum Readiness {
    Go,
    Wait,
    Never(String),
}
