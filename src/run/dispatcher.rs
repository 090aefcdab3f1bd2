//! The loop that owns the state of a run.
//!
//! A step's way: read from the journal, *intended* (on disk), in flight, landed, *concluded* (on disk), told. A step
//! whose answer was lost is parked; once nothing is in flight and nothing else can go, or many are parked, all of them
//! are looked for together, and each is then concluded or goes again.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::time::{Instant, Interval, interval, sleep_until};

use super::background::{self, Background};
use super::losses::{Again, Losses, Lost, Others, Weather};
use super::outcome::{self, Landing, Loss, Sent};
use super::reconcile::{ExternalChanges, Resolution, reconcile};
use super::standing::{Readiness, Standing};
use super::worker::{self, Flown};
use super::{Doing, End, Interrupts, Settings, Start, Watcher};
use crate::api::Client;
use crate::plan::StepOutcome;
use crate::plan::{Step, StepRole};
use crate::run::journal::{Journal, JournalError, JournalWriter, SheetHeader, WriteCommand, WriteEvent};
use crate::schema::Entity;

/// How often the watcher hears that time passes.
const TICK: Duration = Duration::from_millis(500);

/// Steps read from the journal at a time.
const READ: usize = 512;

type Flight<'c> = Pin<Box<dyn Future<Output = Flown> + 'c>>;

/// Sends what a journal holds and tells the watcher of each step, in the order in which they end.
pub struct Dispatch<'c> {
    client: &'c Client,
    settings: Settings,
    sheets: &'c [SheetHeader],
    background: Background,
    scribe: JournalWriter,
    /// Steps read from the journal and not looked at.
    queue: VecDeque<Step>,
    /// Steps that go again, before all others.
    again: VecDeque<Step>,
    reading: Reading,
    /// Steps whose intent is on its way to the disk.
    intended: HashMap<u32, Step>,
    /// Steps whose intent is on disk, waiting for a place in flight.
    ready: VecDeque<Step>,
    in_flight: FuturesUnordered<Flight<'c>>,
    /// Steps whose outcome is on its way to the disk.
    concluding: HashMap<u32, (Step, StepOutcome)>,
    standing: Standing,
    losses: Losses,
    weather: Weather,
    /// How steps have fared since the last look.
    fares: Others,
    /// What others may have done since the plan was made; none where the plan is fresh.
    newcomers: ExternalChanges,
    /// What a plan that was taken up again still writes to, until it is known what is new there.
    unmet: Vec<&'static Entity>,
    began: Timestamp,
    sheet: Option<u16>,
    failed: u64,
    end: End,
    interrupts: u32,
    journal_is_broken: bool,
}

/// How far the journal's steps are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    From(u32),
    Asked(u32),
    Over,
}

/// What the loop does next.
enum Next {
    /// Something is on its way.
    Listen,
    Rest(Instant),
    Look,
    /// See what others have done since the plan was made.
    Meet,
    Leave,
}

impl<'c> Dispatch<'c> {
    /// Takes up a run where its journal says it stands.
    ///
    /// # Errors
    /// Where the journal cannot be read, or the system gives no thread for it.
    pub fn new(
        client: &'c Client,
        settings: Settings,
        sheets: &'c [SheetHeader],
        journal: Journal,
    ) -> Result<Self, JournalError> {
        let mut standing = Standing::default();
        journal.each_outcome(&mut |mut step, outcome| {
            standing.fill(&mut step);
            standing.end(&step, &outcome);
        })?;
        let slowest = Duration::from_millis(journal.slowest_response()?);
        let mut losses = Losses::new(settings.least_grace, slowest);
        for mut step in journal.unresolved_steps()? {
            standing.begin(step.number);
            standing.fill(&mut step);
            let cause = String::from("its answer was lost when an earlier process ended");
            losses.add(step, Loss { cause, status: None, sent: Sent::Yes }, Instant::now());
        }
        let background = Background::new(journal.account_snapshot()?);
        let unmet = match settings.start {
            Start::Fresh => Vec::new(),
            Start::TakenUp => journal.pending_entities()?,
        };
        let began = Timestamp::from_millisecond(journal.started_at()?).unwrap_or_default();
        let path = journal.path();
        let scribe = JournalWriter::start(journal).map_err(|source| JournalError::Folder { path, source })?;
        Ok(Self {
            client,
            failed: settings.failed_before,
            settings,
            sheets,
            background,
            scribe,
            queue: VecDeque::new(),
            again: VecDeque::new(),
            reading: Reading::From(0),
            intended: HashMap::new(),
            ready: VecDeque::new(),
            in_flight: FuturesUnordered::new(),
            concluding: HashMap::new(),
            standing,
            losses,
            weather: Weather::default(),
            fares: Others::Fail,
            newcomers: ExternalChanges::default(),
            unmet,
            began,
            sheet: None,
            end: End::Complete,
            interrupts: 0,
            journal_is_broken: false,
        })
    }

    /// Runs to the end of the plan, or until something stops it; those in flight always land, unless a second
    /// interrupt says otherwise. Gives the journal back, which knows all that was sent.
    ///
    /// # Errors
    /// Where the journal's thread has died, which only a bug does.
    pub async fn run(
        mut self,
        interrupts: &mut impl Interrupts,
        watcher: &mut dyn Watcher,
    ) -> Result<(Journal, End), JournalError> {
        self.mind_errors();
        // One clock for the whole loop: a sleep begun anew at every turn would never end while steps do.
        let mut clock = interval(TICK);
        loop {
            // What an earlier process left is looked for before anything new is sent.
            if self.unmet.is_empty() && (self.sheet.is_some() || self.losses.is_empty()) {
                self.launch(watcher);
            }
            match self.next(Instant::now()) {
                Next::Listen => self.listen(interrupts, &mut clock, watcher).await,
                Next::Rest(until) => self.rest(until, interrupts, &mut clock, watcher).await,
                Next::Look => self.look(interrupts, &mut clock, watcher).await,
                Next::Meet => self.meet(interrupts, &mut clock, watcher).await,
                Next::Leave => break,
            }
            if self.interrupts > 1 {
                break;
            }
        }
        self.leave(watcher)
    }

    fn next(&self, now: Instant) -> Next {
        if self.is_busy() {
            return Next::Listen;
        }
        let may_look = matches!(self.end, End::Complete | End::TooManyErrors);
        if let Some(until) = self.weather.pause(now).filter(|_| may_look) {
            return Next::Rest(until);
        }
        if may_look && !self.losses.is_empty() {
            let at = self.losses.look_at(now);
            return if at > now { Next::Rest(at) } else { Next::Look };
        }
        if self.end == End::Complete && !self.unmet.is_empty() {
            return Next::Meet;
        }
        match self.end == End::Complete && !self.is_exhausted() {
            true => Next::Listen,
            false => Next::Leave,
        }
    }

    fn is_busy(&self) -> bool {
        self.is_sending() || !self.concluding.is_empty() || matches!(self.reading, Reading::Asked(_))
    }

    fn is_sending(&self) -> bool {
        !self.in_flight.is_empty() || !self.intended.is_empty() || !self.ready.is_empty()
    }

    fn is_exhausted(&self) -> bool {
        self.reading == Reading::Over && self.queue.is_empty() && self.again.is_empty()
    }

    /// Takes steps while there is room and the next one may go.
    fn launch(&mut self, watcher: &mut dyn Watcher) {
        let now = Instant::now();
        while self.has_room(now) {
            let Some(mut step) = self.again.pop_front().or_else(|| self.queue.pop_front()) else {
                return self.ask_for_steps();
            };
            match self.readiness(&step) {
                Readiness::Wait => return self.queue.push_front(step),
                Readiness::Never(reason) => {
                    let outcome = outcome::awaited(&step, reason);
                    self.conclude(step, outcome, watcher);
                }
                Readiness::Go => {
                    self.sheet = Some(step.row.sheet);
                    self.standing.fill(&mut step);
                    self.standing.begin(step.number);
                    if self.is_suspected(&step) {
                        self.losses.add(step, Loss::by_others(), now);
                        continue;
                    }
                    self.scribe.append(WriteCommand::RecordIntent(step.number));
                    self.intended.insert(step.number, step);
                }
            }
        }
    }

    /// Whether others may have made what the step is to make. Each step is suspected once: then it was looked for.
    fn is_suspected(&self, step: &Step) -> bool {
        !self.losses.was_tried(step.number) && self.newcomers.may_include(step)
    }

    /// Twice as many steps are made ready ahead as are in flight, so that none waits for the disk.
    fn has_room(&self, now: Instant) -> bool {
        self.end == End::Complete
            && self.weather.pause(now).is_none()
            && !self.losses.are_many()
            && self.intended.len() + self.ready.len() < self.ahead()
    }

    /// While the service is unwell one step at a time tries whether it is well again.
    fn ahead(&self) -> usize {
        match self.weather.is_clear() {
            true => 2 * self.settings.concurrency,
            false => usize::from(self.in_flight.is_empty()),
        }
    }

    fn ask_for_steps(&mut self) {
        if let Reading::From(from) = self.reading {
            self.scribe.append(WriteCommand::ReadSteps { from, limit: READ });
            self.reading = Reading::Asked(from);
        }
    }

    /// A step goes when the sheet before its own has landed and what it awaits is there.
    fn readiness(&self, step: &Step) -> Readiness {
        let is_quiet = !self.is_busy() && self.losses.is_empty();
        if self.sheet.is_some_and(|sheet| sheet != step.row.sheet) && !is_quiet {
            return Readiness::Wait;
        }
        match self.standing.readiness(step) {
            // Nothing is left that could end what it awaits.
            Readiness::Wait if is_quiet => {
                Readiness::Never("the record that another row creates; that row has not ended")
            }
            readiness => readiness,
        }
    }

    /// Waits for the next thing to happen, and does what it asks for.
    async fn listen(&mut self, interrupts: &mut impl Interrupts, clock: &mut Interval, watcher: &mut dyn Watcher) {
        self.scribe.flush();
        tokio::select! {
            biased;
            () = interrupts.next() => {
                self.interrupt();
                watcher.tick(self.doing());
            }
            _ = clock.tick() => watcher.tick(self.doing()),
            event = self.scribe.next(), if !self.journal_is_broken => self.hear(event, watcher),
            Some(flown) = self.in_flight.next(), if !self.in_flight.is_empty() => self.land(flown, watcher),
        }
        // Whatever else has come goes into the same commit.
        while let Some(Some(flown)) = self.in_flight.next().now_or_never() {
            self.land(flown, watcher);
        }
        while let Some(event) = self.scribe.try_next() {
            self.hear(event, watcher);
        }
        self.take_off();
    }

    fn doing(&self) -> Doing {
        match self.weather.pause(Instant::now()) {
            _ if self.interrupts > 0 => Doing::Landing { requests: self.in_flight.len() },
            Some(until) => Doing::Waiting { until },
            None => Doing::Sending,
        }
    }

    fn hear(&mut self, event: WriteEvent, watcher: &mut dyn Watcher) {
        match event {
            WriteEvent::IntentRecorded(step) => self.ready.extend(self.intended.remove(&step)),
            WriteEvent::OutcomeRecorded(step) => self.tell(step, watcher),
            WriteEvent::Steps(steps) => {
                self.reading = match steps.last() {
                    Some(last) => Reading::From(last.number + 1),
                    None => Reading::Over,
                };
                self.queue.extend(steps);
            }
            WriteEvent::Failed(error) => self.break_off(&error, watcher),
        }
    }

    fn take_off(&mut self) {
        while self.in_flight.len() < self.settings.concurrency && self.end == End::Complete {
            let Some(step) = self.ready.pop_front() else { return };
            self.in_flight.push(Box::pin(worker::perform(self.client, step)));
        }
        if self.end != End::Complete {
            self.withdraw_unsent();
        }
    }

    /// Steps that were made ready and will not be sent are as if they had never been touched.
    fn withdraw_unsent(&mut self) {
        let unsent: Vec<u32> = self
            .ready
            .drain(..)
            .map(|step| step.number)
            .chain(self.intended.drain().map(|(number, _)| number))
            .collect();
        unsent.into_iter().for_each(|step| self.scribe.append(WriteCommand::ClearIntent(step)));
    }

    fn land(&mut self, flown: Flown, watcher: &mut dyn Watcher) {
        let Flown { step, landing, attempts } = flown;
        for attempted in &attempts {
            if attempted.status.is_some() {
                self.losses.answered_within(attempted.took);
            }
        }
        let notes = attempts.into_iter().map(|attempted| worker::note(step.number, attempted)).collect();
        self.scribe.append(WriteCommand::RecordAttempts(notes));
        if let Some(reason) = landing.stops_the_run() {
            // After fixing the cause, `resume` retries this step.
            self.stop(End::Refused(reason.to_owned()));
            return self.scribe.append(WriteCommand::ClearIntent(step.number));
        }
        match landing {
            Landing::Done { id, record } => {
                self.fares = Others::Succeed;
                self.weather.clear();
                let outcome = outcome::done(&step, id, record.as_ref());
                self.conclude(step, outcome, watcher);
            }
            Landing::Refused(failure) => {
                self.weather.clear();
                let outcome = match self.sheets.get(usize::from(step.row.sheet)) {
                    Some(sheet) => outcome::refused(&step, &failure, sheet),
                    None => outcome::given_up(
                        &step,
                        &Loss { cause: failure.message, status: failure.status, sent: Sent::Yes },
                        1,
                    ),
                };
                self.conclude(step, outcome, watcher);
            }
            Landing::NotSent(failure) => {
                self.scribe.append(WriteCommand::ClearIntent(step.number));
                self.again.push_back(step);
                self.worsen(&failure.message);
            }
            Landing::Lost(loss) => self.losses.add(step, loss, Instant::now()),
        }
    }

    /// The service as a whole is unwell.
    fn worsen(&mut self, cause: &str) {
        if !self.weather.worsen(Instant::now()) {
            self.stop(End::Unreachable(cause.to_owned()));
        }
    }

    /// The first reason to stop counts.
    fn stop(&mut self, end: End) {
        if self.end == End::Complete {
            self.end = end;
        }
    }

    fn interrupt(&mut self) {
        self.interrupts += 1;
        if self.interrupts == 1 {
            // Too many errors leave the lost to be looked for, which an interrupt cuts short. Any other end stands.
            if matches!(self.end, End::Complete | End::TooManyErrors) {
                self.end = End::Interrupted;
            }
            self.client.stop();
        }
    }

    fn break_off(&mut self, error: &JournalError, watcher: &mut dyn Watcher) {
        self.journal_is_broken = true;
        self.reading = Reading::Over;
        self.stop(End::Broken(format!("{error}; {}", error.hint())));
        self.intended.clear();
        self.ready.clear();
        // What was done was done, whether the journal could take it or not.
        let known: Vec<u32> = self.concluding.keys().copied().collect();
        known.into_iter().for_each(|step| self.tell(step, watcher));
    }

    /// The outcome goes to disk first.
    fn conclude(&mut self, step: Step, outcome: StepOutcome, watcher: &mut dyn Watcher) {
        let number = step.number;
        self.scribe.append(WriteCommand::RecordOutcome(Box::new(outcome.clone())));
        self.concluding.insert(number, (step, outcome));
        if self.journal_is_broken {
            self.tell(number, watcher);
        }
    }

    /// The outcome is on disk.
    fn tell(&mut self, step: u32, watcher: &mut dyn Watcher) {
        let Some((step, outcome)) = self.concluding.remove(&step) else { return };
        self.standing.end(&step, &outcome);
        self.losses.forget(step.number);
        watcher.ended(&step, &outcome);
        // A record that a row names fails with its row, which says so itself.
        if !outcome.is_applied() && step.role == StepRole::Row {
            self.failed += 1;
            self.mind_errors();
        }
    }

    fn mind_errors(&mut self) {
        if self.settings.max_errors.is_some_and(|most| self.failed >= most) {
            self.stop(End::TooManyErrors);
        }
    }

    async fn rest(
        &mut self,
        until: Instant,
        interrupts: &mut impl Interrupts,
        clock: &mut Interval,
        watcher: &mut dyn Watcher,
    ) {
        let doing = match self.weather.pause(Instant::now()) {
            Some(until) => Doing::Waiting { until },
            None => Doing::Looking { records: self.losses.len() },
        };
        tokio::select! {
            biased;
            () = interrupts.next() => self.interrupt(),
            _ = clock.tick() => watcher.tick(doing),
            () = sleep_until(until) => {}
        }
    }

    /// Looks for every step whose answer was lost.
    async fn look(&mut self, interrupts: &mut impl Interrupts, clock: &mut Interval, watcher: &mut dyn Watcher) {
        let lost = self.losses.take();
        let steps: Vec<&Step> = lost.iter().map(|lost| &lost.step).collect();
        let available = background::available(steps.iter().copied(), &self.standing);
        let known = self.background.known(&self.standing, &available, self.began);
        let doing = Doing::Looking { records: lost.len() };
        let found = {
            let looking = reconcile(self.client, &steps, &known);
            tokio::pin!(looking);
            loop {
                tokio::select! {
                    biased;
                    () = interrupts.next() => break None,
                    _ = clock.tick() => watcher.tick(doing),
                    found = &mut looking => break Some(found),
                }
            }
        };
        match found {
            None => self.interrupt(),
            Some(Ok(settlements)) => return self.settle(lost, settlements, watcher),
            Some(Err(error)) if error.is_transient() => self.worsen(&error.to_string()),
            Some(Err(error)) => self.stop(End::Refused(error.to_string())),
        }
        self.losses.put_back(lost);
    }

    /// Sees what has come since the plan was made.
    async fn meet(&mut self, interrupts: &mut impl Interrupts, clock: &mut Interval, watcher: &mut dyn Watcher) {
        let found = {
            let log = (&self.background.log, self.standing.done_actions());
            let looking = ExternalChanges::detect(self.client, &self.unmet, self.began, self.standing.told(), log);
            tokio::pin!(looking);
            loop {
                tokio::select! {
                    biased;
                    () = interrupts.next() => break None,
                    _ = clock.tick() => watcher.tick(Doing::Sending),
                    found = &mut looking => break Some(found),
                }
            }
        };
        match found {
            None => self.interrupt(),
            Some(Ok(newcomers)) => {
                self.newcomers = newcomers;
                self.unmet.clear();
            }
            Some(Err(error)) if error.is_transient() => self.worsen(&error.to_string()),
            Some(Err(error)) => self.stop(End::Refused(error.to_string())),
        }
    }

    fn settle(&mut self, lost: Vec<Lost>, settlements: Vec<Resolution>, watcher: &mut dyn Watcher) {
        let mut goes_again = None;
        for (Lost { step, loss }, settlement) in lost.into_iter().zip(settlements) {
            match settlement {
                Resolution::Applied { id, record } => {
                    let outcome = outcome::found(&step, &loss, id, record.as_ref());
                    self.conclude(step, outcome, watcher);
                }
                Resolution::Indeterminate(look_at) => {
                    let outcome = outcome::undecided(&step, &loss, &look_at);
                    self.conclude(step, outcome, watcher);
                }
                Resolution::NotApplied if loss.is_success() => {
                    let outcome = outcome::undecided(&step, &loss, "it said that it was done, and it is not there");
                    self.conclude(step, outcome, watcher);
                }
                Resolution::NotApplied => match self.losses.not_done(step.number, self.fares, Instant::now()) {
                    Again::Send => {
                        if loss.sent == Sent::Yes {
                            goes_again.get_or_insert(loss.cause);
                        }
                        self.again.push_back(step);
                    }
                    Again::GiveUp { tries } => {
                        let outcome = outcome::given_up(&step, &loss, tries);
                        self.conclude(step, outcome, watcher);
                    }
                },
            }
        }
        if let (Some(cause), Others::Fail) = (goes_again, self.fares) {
            self.worsen(&cause);
        }
        self.fares = Others::Fail;
        self.sheet.get_or_insert(0);
    }

    /// Puts the journal in order. What is in flight after a second interrupt stays intended: nobody knows its fate.
    fn leave(mut self, watcher: &mut dyn Watcher) -> Result<(Journal, End), JournalError> {
        self.withdraw_unsent();
        let (end, mut concluding) = (self.end, self.concluding);
        let (journal, events) = self.scribe.finish()?;
        let mut end = end;
        for event in events {
            match event {
                WriteEvent::OutcomeRecorded(step) => {
                    if let Some((step, outcome)) = concluding.remove(&step) {
                        watcher.ended(&step, &outcome);
                    }
                }
                WriteEvent::Failed(error) => end = End::Broken(format!("{error}; {}", error.hint())),
                WriteEvent::IntentRecorded(_) | WriteEvent::Steps(_) => {}
            }
        }
        Ok((journal, end))
    }
}
