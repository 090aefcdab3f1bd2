//! Nothing lost, nothing duplicated: an import is killed at random points and resumed until it finishes.
//!
//! Each round starts a fresh account, imports a workbook of several sheets with the real binary, or applies its plan, kills
//! it (SIGKILL or its counterpart) at a point drawn from the seed of the round, and runs `resume --last` until it finishes,
//! which is sometimes killed too. Then the account is compared with the sheets. There are two servers, the sandbox as a separate
//! process and the [reference server](crate::reference_server) with other reply shapes; requests fail in both.
//!
//! `TALLYPORT_KILLS` sets how many rounds must be killed, `TALLYPORT_SEED` the first seed. Round `n` of seed `s` is
//! round 0 of seed `s + n`, so a failure can be run again by itself, as far as the timing of the system allows.
//! `tests/kills.sh` runs thousands of rounds.

mod audit;
mod oracle;
pub mod proxy;
mod server;

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{request, tallyport, tries_all};
use oracle::Sheet;
use proxy::{KillPoint, KillTiming, Proxy};
use server::{Kind, Network, Server};

const WORKBOOK: &str = "inventory.xlsx";
const RESULT: &str = "inventory.result.xlsx";
const PLAN: &str = "plan.xlsx";
const PLAN_RESULT: &str = "plan.result.xlsx";
const IMPORT: [&str; 5] = ["import", WORKBOOK, "--yes", "--map", "holder=assigned_to"];
/// A command that runs longer has hung.
const PATIENCE: Duration = Duration::from_secs(120);
/// The most starts of the command in a round.
const MOST_STARTS: usize = 40;
/// The most differences shown for a round.
const MOST_SHOWN: usize = 40;
/// The most kills in a round.
const MOST_KILLS: usize = 4;

/// A round: a folder, an account, and the sheets to import.
struct Round {
    folder: TempDir,
    work: Work,
    server: Server,
    proxy: Proxy,
    sheets: Vec<Sheet>,
    seed: u64,
    random: Rng,
    kills: usize,
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Import,
    /// Of a plan that is made before.
    Apply,
}

/// When to kill a command.
enum Kill {
    Never,
    At(u64, KillTiming),
    After(Duration),
}

/// How a command ended.
enum Ended {
    Exited(i32, Value),
    Killed,
}

/// Requests and duration of an undisturbed import.
struct Length {
    requests: u64,
    time: Duration,
}

#[test]
fn the_audit_detects_lost_duplicate_and_changed_records() {
    let mut round = Round::new(Kind::Reference, Work::Import, Network::Stable, 2);
    round.run(&IMPORT, Kill::Never);
    let Server::Reference(server) = &round.server else { unreachable!() };
    server.holds("departments", json!({"name": "Dept. 1/1", "email": "dept1@example.com", "phone": "+49 30 00001"}));
    let ask = |method: &str, path: &str, body: Value| {
        let (status, answer) = request(round.server.address(), round.server.key(), method, path, Some(&body));
        assert!(status < 300, "{answer}");
    };
    ask("PUT", "assets/1", json!({"notes": "as before"}));
    ask("PUT", "assets/14", json!({"notes": "changed"}));
    let taken = json!({"accessory_id": 1, "employee_id": 1, "quantity": 1, "checkout_date": "2024-06-04"});
    ask("POST", "checkout/accessory", taken);
    let differences = audit::account(&round.server.account(), &round.sheets);
    for part in [
        "departments: 2 records for Dept. 1/1",
        "departments: 6 records where 5 are due",
        "assets: notes is `as before` and should be `changed 0",
        "assets: OLD-13 was touched",
        "accessories: 1 was handed to employee 1",
        "are left and should be",
    ] {
        assert!(differences.iter().any(|difference| difference.contains(part)), "{part}: {differences:#?}");
    }
    assert_eq!(differences.len(), 6, "{differences:#?}");
    let result = round.path(RESULT);
    let key = round.server.key();
    fs::create_dir_all(round.path("state")).unwrap();
    fs::write(round.path("state/leak.txt"), format!("key {key}")).unwrap();
    assert_eq!(audit::leaks(key, &[&round.path("state"), &result]).len(), 1);
    assert!(audit::leaks("Zürich Süd", &[&result]).len() == 1, "a workbook is looked into");
}

#[test]
fn a_killed_import_into_the_sandbox_is_resumed() {
    kill_and_resume(Kind::Sandbox, Work::Import, 1);
}

#[test]
fn a_killed_import_into_the_reference_server_is_resumed() {
    kill_and_resume(Kind::Reference, Work::Import, 1);
}

#[test]
fn a_killed_apply_into_the_sandbox_is_resumed() {
    kill_and_resume(Kind::Sandbox, Work::Apply, 1);
}

#[test]
fn a_killed_apply_into_the_reference_server_is_resumed() {
    kill_and_resume(Kind::Reference, Work::Apply, 1);
}

fn undisturbed(kind: Kind, work: Work, seed: u64) -> Length {
    let mut round = Round::new(kind, work, Network::Stable, seed);
    let (before, start) = (round.proxy.requests(), Instant::now());
    let Ended::Exited(code, summary) = round.run(work.command(), Kill::Never) else { unreachable!() };
    let length = Length { requests: round.proxy.requests() - before, time: start.elapsed() };
    assert_eq!(code, 0, "{summary}");
    round.audit(Some(&summary));
    length
}

/// Runs the command undisturbed first, to know how long it takes.
fn kill_and_resume(kind: Kind, work: Work, few: u64) {
    let kills = if tries_all() { 6 } else { few };
    let rounds = Rounds::of(setting("TALLYPORT_KILLS", kills), setting("TALLYPORT_SEED", 1));
    let length = undisturbed(kind, work, rounds.seed);
    thread::scope(|scope| {
        for _ in 0..setting("TALLYPORT_JOBS", 4) {
            scope.spawn(|| {
                while let Some(seed) = rounds.begin() {
                    let mut round = Round::new(kind, work, Network::Faulty, seed);
                    let played = panic::catch_unwind(AssertUnwindSafe(|| round.play(&length)));
                    rounds.end(round, played);
                }
            });
        }
    });
    let counts = rounds.counts.lock().unwrap();
    assert_eq!(counts.killed, rounds.wanted, "the kills do not strike: {} rounds", counts.begun);
}

/// The rounds of a test, run by several threads because most of a round is waiting.
struct Rounds {
    /// How many rounds must be killed.
    wanted: u64,
    seed: u64,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    begun: u64,
    in_flight: u64,
    /// Rounds killed at least once.
    killed: u64,
    kills: usize,
    failed: bool,
}

impl Rounds {
    fn of(wanted: u64, seed: u64) -> Self {
        Self { wanted, seed, counts: Mutex::default() }
    }

    /// The seed of the next round. Rounds that finish before the kill do not count, so there may be more than wanted.
    fn begin(&self) -> Option<u64> {
        let mut counts = self.counts.lock().unwrap();
        let is_enough = counts.killed + counts.in_flight >= self.wanted || counts.begun >= self.wanted * 3;
        if is_enough || counts.failed {
            return None;
        }
        counts.begun += 1;
        counts.in_flight += 1;
        Some(self.seed + counts.begun - 1)
    }

    fn end(&self, mut round: Round, played: thread::Result<()>) {
        let mut counts = self.counts.lock().unwrap();
        counts.in_flight -= 1;
        counts.killed += u64::from(round.kills > 0);
        counts.kills += round.kills;
        counts.failed |= played.is_err();
        let Counts { killed, kills, .. } = *counts;
        drop(counts);
        if killed.is_multiple_of(50) || killed == self.wanted {
            eprintln!("{:?}: {killed} of {} runs killed, {kills} kills in all", round.work, self.wanted);
        }
        if let Err(cause) = played {
            round.keep();
            panic::resume_unwind(cause);
        }
    }
}

pub fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

impl Work {
    fn command(self) -> &'static [&'static str] {
        match self {
            Work::Import => &IMPORT,
            Work::Apply => &["apply", PLAN, "--yes"],
        }
    }

    fn result(self) -> &'static str {
        match self {
            Work::Import => RESULT,
            Work::Apply => PLAN_RESULT,
        }
    }
}

impl Round {
    fn new(kind: Kind, work: Work, network: Network, seed: u64) -> Self {
        let folder = TempDir::with_prefix("tallyport-kills-").unwrap();
        let mut random = Rng::with_seed(seed);
        let sheets = oracle::sheets(&mut random);
        oracle::save(&sheets, &folder.path().join(WORKBOOK));
        let server = Server::start(kind, network, folder.path(), seed);
        let proxy = Proxy::to(server.address());
        let mut round = Self { folder, work, server, proxy, sheets, seed, random, kills: 0 };
        if work == Work::Apply {
            // Reading fails too, and is tried again.
            let planned = |round: &mut Self| {
                let ended = round.run(&[&IMPORT[..], &["--plan", PLAN]].concat(), Kill::Never);
                matches!(ended, Ended::Exited(0, _))
            };
            assert!((0..10).any(|_| planned(&mut round)), "no plan");
        }
        round
    }

    /// Imports, kills and resumes until the run finishes, then compares.
    fn play(&mut self, length: &Length) {
        let mut next = Next::Begin;
        for start in 0..MOST_STARTS {
            let arguments: &[&str] = match next {
                Next::Begin => self.work.command(),
                Next::Resume => &["resume", "--last"],
            };
            let kill = if self.kills < MOST_KILLS { self.draw(start, length) } else { Kill::Never };
            let ended = self.run(arguments, kill);
            let nothing_was_sent = self.proxy.writes() == 0;
            next = match ended {
                Ended::Exited(0 | 1, summary) => return self.audit(Some(&summary)),
                // The kill came after the run was finished on disk, so only the result is left to compare.
                Ended::Exited(2, _) if !nothing_was_sent => return self.audit(None),
                Ended::Exited(2 | 3, _) if nothing_was_sent => Next::Begin,
                Ended::Exited(3 | 4, _) | Ended::Killed => Next::Resume,
                Ended::Exited(code, summary) => panic!("exit code {code}: {summary}"),
            };
        }
        panic!("not done after {MOST_STARTS} starts");
    }

    /// When to kill: mostly at a request, sometimes after a time, to hit what happens between requests. The first start
    /// of a round is always killed, later ones sometimes.
    fn draw(&mut self, start: usize, length: &Length) -> Kill {
        if start > 0 && self.random.u8(0..10) < 6 {
            return Kill::Never;
        }
        // A resume sends fewer requests, and a kill point beyond them would not be reached.
        let most = if start == 0 { length.requests } else { length.requests / 3 };
        match self.random.u8(0..10) {
            0..8 => Kill::At(self.random.u64(1..=most), KillTiming::ALL[self.random.usize(0..KillTiming::ALL.len())]),
            _ => Kill::After(length.time.mul_f64(self.random.f64() * 1.2)),
        }
    }

    /// Runs `tallyport` until it ends or is killed.
    fn run(&mut self, arguments: &[&str], kill: Kill) -> Ended {
        enum Event {
            Strike(Sender<()>),
            Ended(String),
        }
        let mut child = self.command(arguments).spawn().unwrap();
        let (events, happened) = mpsc::channel();
        let (strike, struck) = mpsc::channel();
        let (mut stdout, ends) = (child.stdout.take().unwrap(), events.clone());
        thread::spawn(move || {
            let mut said = String::new();
            stdout.read_to_string(&mut said).ok();
            ends.send(Event::Ended(said)).ok();
        });
        thread::spawn(move || struck.into_iter().try_for_each(|done| events.send(Event::Strike(done))));
        let mut patience = PATIENCE;
        match kill {
            Kill::Never => {}
            Kill::After(time) => patience = time,
            Kill::At(at, timing) => self.proxy.set(Some(KillPoint { at, timing, notify: strike })),
        }
        let event = happened.recv_timeout(patience);
        if !matches!(event, Ok(Event::Ended(_))) {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        // Releases a waiting proxy thread and removes an unused kill point.
        self.proxy.set(None);
        match event {
            Ok(Event::Ended(said)) => {
                let code = status.code().unwrap_or(-1);
                Ended::Exited(code, serde_json::from_str(&said).unwrap_or(Value::String(said)))
            }
            Ok(Event::Strike(done)) => {
                done.send(()).ok();
                self.kills += 1;
                Ended::Killed
            }
            Err(RecvTimeoutError::Timeout) if patience < PATIENCE => {
                self.kills += 1;
                Ended::Killed
            }
            Err(_) => panic!("`{}` did not end within {} s", arguments.join(" "), PATIENCE.as_secs()),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let log: File = OpenOptions::new().create(true).append(true).open(self.path("stderr.log")).unwrap();
        let mut command = tallyport(self.folder.path(), &[arguments, &["--json", "--no-progress"]].concat());
        command
            .env("BLUETALLY_BASE_URL", self.proxy.base_url())
            .env("BLUETALLY_API_KEY", self.server.key())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Keeps the folder of a failed round and says how to run it again.
    fn keep(&mut self) {
        self.folder.disable_cleanup(true);
        let log = fs::read_to_string(self.path("stderr.log")).unwrap_or_default();
        let Self { seed, kills, .. } = self;
        eprintln!("seed {seed} failed after {kills} kills; it said:\n{log}");
        eprintln!("kept: {}\nagain: TALLYPORT_SEED={seed} TALLYPORT_KILLS=1", self.folder.path().display());
    }

    /// Compares account, summary and result with the sheets, and fails on any difference.
    fn audit(&mut self, summary: Option<&Value>) {
        self.proxy.settled();
        let account = self.server.account();
        let mut differences = audit::account(&account, &self.sheets);
        let result = self.path(self.work.result());
        match self.work {
            Work::Import => {
                differences.extend(summary.into_iter().flat_map(|summary| audit::summary(summary, &self.sheets)));
                differences.extend(audit::result(&result, &account, &self.sheets));
            }
            // Its lines are fields, and not the rows of the sheets.
            Work::Apply => differences.extend(audit::applied(&result, &self.sheets)),
        }
        let state = self.path("state");
        differences.extend(audit::leaks(self.server.key(), &[&state, &result, &self.path("stderr.log")]));
        let shown = &differences[..differences.len().min(MOST_SHOWN)];
        assert!(
            differences.is_empty(),
            "{} differences:\n{}\n{}",
            differences.len(),
            shown.join("\n"),
            summary.unwrap_or(&Value::Null)
        );
    }
}

/// The next command.
#[derive(Clone, Copy)]
enum Next {
    Begin,
    Resume,
}

/// Every file below a path.
fn files(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => entries.flat_map(|entry| files(&entry.unwrap().path())).collect(),
        Err(_) => vec![path.to_owned()],
    }
}
