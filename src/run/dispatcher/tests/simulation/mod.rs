//! A deterministic simulation: the dispatcher, the journal and the real client against a service and a network that a
//! seed drives, on a clock that a seed drives, killed and resumed where a seed says so. Nothing sleeps and nothing uses a
//! socket, so thousands of schedules take seconds, and each is replayed by its seed.
//!
//! `tests/simulate.sh` runs a hundred thousand of them; `TALLYPORT_SIMULATION_SEED=7` replays one.

mod service;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use tokio::sync::Notify;
use tokio::time::{Instant, advance};

use super::*;
use crate::api::{Client, ClientOptions, LoggedAttempt, RawPage, Record, Secret};
use crate::catalog::RecordSource;
use crate::fuzz::few_or_all;
use crate::run::journal::Crash;
use crate::schema::Entity;
use service::{Hazards, SimulatedService};

/// Schedules of a run of the tests; the first seeds, so that a failure is the same everywhere.
const SCHEDULES: u64 = 400;

/// Rounds of a schedule in which things go wrong; the ones after it are healthy.
const TROUBLED_ROUNDS: u32 = 4;

/// A run that has not ended by then never will.
const MOST_ROUNDS: u32 = 40;

/// Requests an hour.
const QUOTA: u32 = 60;

/// In milliseconds.
const NEVER: u64 = u64::MAX >> 20;

/// Faults of the engine that the simulation has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// Steps are sent without an intent on disk.
    ForgottenIntents,
    /// A step without a response counts as not sent.
    ForgottenLostResponses,
}

/// The real client, with a fault if asked for.
struct SimulatedTransport {
    client: Client,
    bug: Option<Bug>,
}

impl StepTransport for SimulatedTransport {
    async fn send(&self, step: &Step) -> (Result<WriteReply, WriteFailure>, Vec<LoggedAttempt>) {
        let (result, attempts) = self.client.send(step).await;
        let result = result.map_err(|failure| match (self.bug, failure.outcome) {
            (Some(Bug::ForgottenLostResponses), WriteOutcome::Unknown) => {
                WriteFailure { outcome: WriteOutcome::NotSent, ..failure }
            }
            _ => failure,
        });
        (result, attempts)
    }

    fn stop(&self) {
        self.client.stop();
    }
}

impl RecordSource for SimulatedTransport {
    type Error = ApiError;

    fn page_limit(&self) -> u32 {
        self.client.page_limit()
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, ApiError> {
        self.client.raw_page(entity, filters, offset, limit).await
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, ApiError> {
        self.client.get(entity, id).await
    }
}

/// One run of the engine with all that happens to it.
struct Schedule {
    random: fastrand::Rng,
    hazards: Hazards,
    concurrency: usize,
    bug: Option<Bug>,
    service: Arc<SimulatedService>,
    steps: Vec<Step>,
    /// Where the record of each step is at the end; nothing for those that are deleted.
    expected: BTreeMap<u32, Option<String>>,
}

impl Schedule {
    fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let hazards = Hazards {
            refused_connections: random.u32(0..15),
            lost_replies: random.u32(0..25),
            lost_requests: random.u32(0..15),
            gateway_errors: random.u32(0..15),
            errors: random.u32(0..10),
            throttled: random.u32(0..5),
            longest_way: random.u64(20..4_000),
            // Rarely so late that nobody waits for it any longer.
            latest_arrival: if random.u8(0..10) == 0 { random.u64(0..40_000) } else { random.u64(0..3_000) },
        };
        let service = Arc::new(SimulatedService::new(random.u64(..), hazards));
        let concurrency = random.usize(1..5);
        let (steps, expected) = plan(&mut random, &service);
        Self { random, hazards, concurrency, bug, service, steps, expected }
    }

    fn client(&self) -> Client {
        let key = Secret::new(String::from("simulation-key-7f2a90")).unwrap();
        let url = "https://service.example/api/v1".parse().unwrap();
        let options = ClientOptions { quota: Some(QUOTA), concurrency: 8, ..ClientOptions::new(url, key) };
        Client::simulated(options, self.service.clone()).unwrap()
    }

    /// Runs, is killed, interrupted and resumed until the run is complete.
    async fn run(&mut self) -> Result<Journal, String> {
        let mut journal = journal(&self.steps);
        if self.bug == Some(Bug::ForgottenIntents) {
            journal.forget_intents();
        }
        self.service.set_clock(journal.started_at().unwrap() + SECOND);
        for round in 0..MOST_ROUNDS {
            let is_troubled = round < TROUBLED_ROUNDS;
            self.service.begin_process(if is_troubled { self.hazards } else { Hazards::NONE });
            let transport = SimulatedTransport { client: self.client(), bug: self.bug };
            let (back, end) = self.round(&transport, journal, round, is_troubled).await;
            journal = back;
            if end == Some(RunEnd::Complete) {
                return Ok(journal);
            }
            // Resumed at once, when requests of the killed process are still on their way, or much later.
            let longest = if self.random.bool() { 3_000 } else { 1_200_000 };
            advance(Duration::from_millis(self.random.u64(0..longest))).await;
        }
        Err(String::from("the run does not end"))
    }

    /// One process; no end where it was killed.
    async fn round(
        &mut self,
        transport: &SimulatedTransport,
        journal: Journal,
        round: u32,
        is_troubled: bool,
    ) -> (Journal, Option<RunEnd>) {
        let happened = Rc::new(Notify::new());
        let (survivor, survived) = mpsc::channel();
        let fate = if is_troubled { self.random.u8(0..8) } else { 0 };
        let commits_left = if (1..4).contains(&fate) { self.random.u64(0..12) } else { u64::MAX };
        let some_time = self.random.u64(0..6 * self.hazards.longest_way);
        let killed_at = if (4..7).contains(&fate) { some_time } else { NEVER };
        let interrupted_at = if fate == 7 { some_time } else { NEVER };
        let start = if round == 0 { RunStart::Fresh } else { RunStart::Resumed };
        let options = DispatchOptions { start, ..options(self.concurrency) };
        let crash = Crash { commits_left, happened: happened.clone(), survivor };
        let writer = |journal| Ok(JournalWriter::inline(InlineWriter::with_crash(journal, crash)));
        let mut observed = Recorder::default();
        let mut shutdown = ShutdownSignal::new();
        let signal = shutdown.clone();
        let finished = {
            let dispatcher = Dispatcher::with_writer(transport, options, &[], journal, writer).unwrap();
            let running = dispatcher.run(&mut shutdown, &mut observed);
            let interrupting = async {
                sleep(Duration::from_millis(interrupted_at)).await;
                signal.request();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                biased;
                () = happened.notified() => None,
                () = sleep(Duration::from_millis(killed_at)) => None,
                finished = running => Some(finished.unwrap()),
                () = interrupting => None,
            }
        };
        // It may also be killed before its very last commit.
        let was_killed = happened.notified().now_or_never().is_some();
        match finished {
            Some((journal, end)) => (journal, Some(end).filter(|_| !was_killed)),
            None => (survived.recv().unwrap(), None),
        }
    }

    /// Nothing lost, nothing doubled, the quota kept.
    fn check(&self, journal: &Journal) -> Result<(), String> {
        let mut outcomes = BTreeMap::new();
        journal
            .each_outcome(&mut |step, outcome| {
                outcomes.insert(step.number, outcome.result);
            })
            .map_err(|error| error.to_string())?;
        let records = self.service.records();
        for (number, expected) in &self.expected {
            let held: Vec<_> = records.iter().filter(|record| record["name"] == format!("L-{number}")).collect();
            match (outcomes.get(number), expected, held.as_slice()) {
                (Some(StepResult::Applied | StepResult::AlreadyApplied), None, []) => {}
                (Some(StepResult::Applied | StepResult::AlreadyApplied), Some(city), [record])
                    if record["city"] == city.as_str() => {}
                (Some(StepResult::Failed), Some(_), []) => {}
                // A request that arrived after the end is beyond what anybody can see.
                (Some(StepResult::Applied | StepResult::AlreadyApplied), Some(_), [_, later @ ..])
                    if !later.is_empty() && later.iter().all(|record| self.service.came_unseen(record)) => {}
                // A person is told to look.
                (Some(StepResult::Unknown), ..) => {}
                (outcome, ..) => {
                    let held: Vec<_> = held.iter().map(|record| (&record["id"], &record["city"])).collect();
                    return Err(format!("L-{number} should be {expected:?} and is {held:?}: {outcome:?}"));
                }
            }
        }
        let most = self.service.most_in_an_hour();
        if most > QUOTA as usize {
            return Err(format!("{most} requests of one process in an hour, where {QUOTA} are allowed"));
        }
        Ok(())
    }
}

/// A plan of creates, some of which need others, of updates and of deletes.
fn plan(random: &mut fastrand::Rng, service: &SimulatedService) -> (Vec<Step>, BTreeMap<u32, Option<String>>) {
    let mut expected = BTreeMap::new();
    let steps = (0..random.u32(1..14)).map(|number| {
        let mut planned = step(number);
        let (name, city) = (format!("L-{number}"), format!("City {number}"));
        let held = json!({"name": name, "city": "before"});
        match random.u8(0..6) {
            0 => {
                let id = service.add(held.clone());
                planned.write = WriteKind::Update(id);
                planned.body = json!({"city": city}).as_object().unwrap().clone();
                planned.before = Some(with_id(&held, id));
                expected.insert(number, Some(city));
            }
            1 => {
                let id = service.add(held.clone());
                planned.write = WriteKind::Delete(id);
                planned.body.clear();
                planned.before = Some(with_id(&held, id));
                expected.insert(number, None);
            }
            _ => {
                planned.body.insert(String::from("city"), city.clone().into());
                expected.insert(number, Some(city));
            }
        }
        planned
    });
    (steps.collect::<Vec<_>>(), expected)
}

fn with_id(record: &serde_json::Value, id: i64) -> Record {
    let mut record = record.as_object().unwrap().clone();
    record.insert(String::from("id"), id.into());
    record
}

/// Runs one schedule; says what went wrong.
fn simulate(seed: u64, bug: Option<Bug>) -> Result<(), String> {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let began = Instant::now();
        let mut schedule = Schedule::new(seed, bug);
        let journal = schedule.run().await.map_err(|error| format!("{error}, after {:?}", began.elapsed()))?;
        schedule.check(&journal)
    })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn simulated_schedules_lose_and_double_nothing_and_keep_the_quota() {
    let seeds = match number("TALLYPORT_SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TALLYPORT_SIMULATIONS").unwrap_or(few_or_all(SCHEDULES / 4, SCHEDULES)),
    };
    let failed: Vec<String> =
        seeds.filter_map(|seed| simulate(seed, None).err().map(|error| format!("seed {seed}: {error}"))).collect();
    assert!(failed.is_empty(), "{} schedules failed:\n{}", failed.len(), failed[..failed.len().min(20)].join("\n"));
}

#[test]
fn simulated_faults_of_the_engine_are_found() {
    for bug in [Bug::ForgottenIntents, Bug::ForgottenLostResponses] {
        assert!((0..SCHEDULES).any(|seed| simulate(seed, Some(bug)).is_err()), "{bug:?}");
    }
}

#[test]
fn a_simulation_is_replayed_by_its_seed() {
    for seed in 0..20 {
        let runs = [(); 2].map(|()| simulate(seed, Some(Bug::ForgottenLostResponses)));
        assert_eq!(runs[0], runs[1], "{seed}");
    }
}
