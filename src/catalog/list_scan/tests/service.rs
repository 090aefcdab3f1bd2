//! A list that is read while others write, and answers that come in any order.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use fastrand::Rng;
use futures::executor::block_on;

use super::super::{ListScan, ScanError, ScanStats};
use crate::api::{RawPage, RawRecord, Record};
use crate::catalog::RecordSource;
use crate::schema::{ACTIVITY, Entity, collection};

/// What the service says no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(pub(super) u64);

/// What others do before a request is answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Churn {
    /// Chances of a hundred that something of the kind happens, and how much of it at once at most.
    pub(super) appends: (u32, usize),
    pub(super) inserts: (u32, usize),
    pub(super) deletes: (u32, usize),
    pub(super) recovers: (u32, usize),
    pub(super) updates: (u32, usize),
}

/// What the service does with offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Steady,
    /// Every page is the first.
    IgnoresOffset,
    /// Every page is so long, whatever was asked for.
    IgnoresLimit(usize),
    /// Another order for each page.
    Shuffles,
    /// A request from behind the end is an error.
    RefusesBeyond,
    /// This request is an error.
    Fails(u64),
    /// The record at this place is cut out of a page after the page was made.
    Hides(usize),
}

/// The service, with one list.
pub(super) struct Service {
    pub(super) entity: &'static Entity,
    /// What it says is its longest_page page.
    pub(super) limit: Cell<u32>,
    /// What it refuses to give more than, and says so; the client then learns it.
    pub(super) refuses_above: u32,
    /// What it cuts pages to without a word.
    pub(super) cut: u32,
    pub(super) manner: Manner,
    pub(super) churn: Churn,
    /// Whether all records were created at the same time.
    has_ties: bool,
    pub(super) requests: Cell<u64>,
    /// Requests that name a sort order.
    pub(super) sorted: Cell<u64>,
    /// Requests that are waiting for their answer, and the most that ever were.
    waiting: Cell<usize>,
    pub(super) most_waiting: Cell<usize>,
    state: RefCell<State>,
}

/// One entry: its id, how often it was changed, and what a row of the log says instead of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    id: i64,
    version: u32,
}

struct State {
    /// By place in the order, which they are sorted by.
    list: Vec<(u64, Item)>,
    deleted: BTreeMap<u64, Item>,
    next_id: i64,
    /// How often each entry's name was there: from beginning to now without a break, and ever.
    throughout: HashMap<String, u32>,
    ever: HashMap<String, u32>,
    rng: Rng,
    alike: Alike,
    /// The list grows no longer than this: one that grows as fast as it is read has no end.
    most: usize,
}

/// Which rows of a list without ids say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    None,
    /// The first so many of each ten.
    OfTen(u64),
    All,
}

/// Room in the order between two entries, for those that come in between.
const GAP: u64 = 1 << 20;

impl Service {
    pub(super) fn new(entity: &'static Entity, count: usize, seed: u64) -> Self {
        Self::alike(entity, count, seed, Alike::None)
    }

    pub(super) fn assets(count: usize) -> Self {
        Self::new(collection("assets").unwrap(), count, 7)
    }

    pub(super) fn alike(entity: &'static Entity, count: usize, seed: u64, alike: Alike) -> Self {
        let mut state = State {
            list: Vec::new(),
            deleted: BTreeMap::new(),
            next_id: 1,
            throughout: HashMap::new(),
            ever: HashMap::new(),
            rng: Rng::with_seed(seed),
            alike,
            most: 2 * count + 500,
        };
        (0..count).for_each(|_| state.append());
        state.throughout = state.ever.clone();
        Self {
            entity,
            limit: Cell::new(1_000),
            refuses_above: u32::MAX,
            cut: u32::MAX,
            manner: Manner::Steady,
            churn: Churn::default(),
            has_ties: false,
            requests: Cell::new(0),
            sorted: Cell::new(0),
            waiting: Cell::new(0),
            most_waiting: Cell::new(0),
            state: RefCell::new(state),
        }
    }

    pub(super) fn that(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    pub(super) fn cut_to(self, cut: u32) -> Self {
        Self { cut, ..self }
    }

    pub(super) fn under(self, churn: Churn) -> Self {
        Self { churn, ..self }
    }

    /// All records were created at the same time.
    pub(super) fn with_ties(self) -> Self {
        Self { has_ties: true, ..self }
    }

    /// Everything in the list now, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let state = self.state.borrow();
        state.list.iter().map(|(place, item)| state.name(*place, *item)).collect()
    }

    /// How often each was there all the time, and how often ever.
    pub(super) fn witnessed(&self) -> (HashMap<String, u32>, HashMap<String, u32>) {
        let state = self.state.borrow();
        (state.throughout.clone(), state.ever.clone())
    }

    /// Scans the list; gives the names in the order they came.
    pub(super) fn scan(&self, scan: ListScan<'_>) -> Result<(ScanStats, Vec<String>), ScanError<Refused, String>> {
        let mut names = Vec::new();
        let mut take = |record: RawRecord<'_>| {
            names.push(name_of(record));
            Ok(())
        };
        block_on(scan.run(self, &mut take)).map(|stats| (stats, names))
    }

    pub(super) fn whole(&self) -> ListScan<'static> {
        ListScan {
            entity: self.entity,
            filters: &[],
            expected: None,
            concurrency: 4,
            longest_page: 0,
            confirmed_end: None,
        }
    }

    fn answer(&self, request: u64, offset: u64, limit: u32) -> Result<RawPage, Refused> {
        let mut state = self.state.borrow_mut();
        state.churn(self.churn);
        if limit > self.refuses_above {
            self.limit.set(self.refuses_above);
        }
        let limit = limit.min(self.refuses_above).min(self.cut) as usize;
        let (mut offset, mut limit) = (offset, limit);
        let mut shuffled = Vec::new();
        match self.manner {
            Manner::Fails(failing) if failing == request => return Err(Refused(offset)),
            Manner::RefusesBeyond if offset >= state.list.len() as u64 && offset > 0 => return Err(Refused(offset)),
            Manner::IgnoresOffset => offset = 0,
            Manner::IgnoresLimit(length) => limit = length,
            Manner::Shuffles => {
                shuffled.clone_from(&state.list);
                state.rng.shuffle(&mut shuffled);
            }
            Manner::Steady | Manner::RefusesBeyond | Manner::Fails(_) | Manner::Hides(_) => {}
        }
        let entries = if shuffled.is_empty() { &state.list } else { &shuffled };
        let hidden = if let Manner::Hides(place) = self.manner { Some(place) } else { None };
        let page = entries.iter().enumerate().skip(offset as usize).take(limit);
        let page = page.filter(|(place, _)| Some(*place) != hidden).map(|(_, entry)| entry);
        let texts: Vec<String> = page.map(|(place, item)| state.json(*place, *item, self)).collect();
        Ok(RawPage::of(format!("[{}]", texts.join(","))).unwrap())
    }

    fn pause(&self, most: u32) -> Pause {
        Pause(self.state.borrow_mut().rng.u32(0..=most))
    }
}

impl RecordSource for Service {
    type Error = Refused;

    fn page_limit(&self) -> u32 {
        self.limit.get()
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, Refused> {
        assert_eq!(entity.name, self.entity.name);
        let request = self.requests.get() + 1;
        self.requests.set(request);
        self.sorted.set(self.sorted.get() + u64::from(filters.iter().any(|(name, _)| *name == "sort")));
        self.waiting.set(self.waiting.get() + 1);
        self.most_waiting.set(self.most_waiting.get().max(self.waiting.get()));
        self.pause(12).await;
        let page = self.answer(request, offset, limit);
        self.pause(12).await;
        self.waiting.set(self.waiting.get() - 1);
        page
    }

    async fn record(&self, _: &'static Entity, _: i64) -> Result<Option<Record>, Refused> {
        unreachable!("a scan reads lists")
    }
}

impl State {
    fn json(&self, place: u64, item: Item, service: &Service) -> String {
        let created_at = if service.has_ties { 0 } else { place };
        match service.entity.is_collection() {
            true => format!(
                r#"{{"id":{},"name":"{}","version":{},"created_at":"{created_at:020}"}}"#,
                item.id,
                self.name(place, item),
                item.version
            ),
            false => format!(r#"{{"name":"{}"}}"#, self.name(place, item)),
        }
    }

    /// What tells the entry from others, where anything does: entries that are alike have one name.
    fn name(&self, place: u64, item: Item) -> String {
        let number = place / GAP;
        let first = match self.alike {
            Alike::None => number,
            Alike::OfTen(alike) => number - (number % 10).min(alike - 1),
            Alike::All => 0,
        };
        match place.is_multiple_of(GAP) {
            true => format!("{first:010}"),
            false => format!("{number:010}+{}", item.id),
        }
    }

    fn add(&mut self, place: u64) {
        let item = Item { id: self.next_id, version: 0 };
        self.next_id += 1;
        *self.ever.entry(self.name(place, item)).or_default() += 1;
        self.put(place, item);
    }

    fn put(&mut self, place: u64, item: Item) {
        let index = self.list.partition_point(|(other, _)| *other < place);
        self.list.insert(index, (place, item));
    }

    /// Behind all that ever were.
    fn append(&mut self) {
        let last = self.list.last().map(|(place, _)| place).max(self.deleted.keys().next_back());
        self.add(last.map_or(0, |last| last / GAP + 1) * GAP);
    }

    /// Where in the list some neighbours stand.
    fn neighbours(&mut self, count: usize) -> Range<usize> {
        let from = self.rng.usize(0..=self.list.len());
        from..self.list.len().min(from + count)
    }

    fn churn(&mut self, churn: Churn) {
        let (appended, inserted) = (self.happens(churn.appends), self.happens(churn.inserts));
        if self.list.len() + appended + inserted <= self.most {
            (0..appended).for_each(|_| self.append());
            (0..inserted).for_each(|_| self.insert());
        }
        let deleted = self.happens(churn.deletes);
        self.delete(deleted);
        (0..self.happens(churn.recovers)).for_each(|_| self.recover());
        let updated = self.happens(churn.updates);
        for index in self.neighbours(updated) {
            self.list[index].1.version += 1;
        }
    }

    /// How often it happens now.
    fn happens(&mut self, (chance, most): (u32, usize)) -> usize {
        if self.rng.u32(0..100) < chance { self.rng.usize(1..=most) } else { 0 }
    }

    fn insert(&mut self) {
        let index = self.neighbours(1).start;
        let Some((before, _)) = self.list.get(index) else { return };
        let place = before / GAP * GAP + self.rng.u64(1..GAP);
        let is_taken = self.list.binary_search_by_key(&place, |(place, _)| *place).is_ok();
        if !is_taken && !self.deleted.contains_key(&place) {
            self.add(place);
        }
    }

    fn delete(&mut self, count: usize) {
        let range = self.neighbours(count);
        let deleted: Vec<_> = self.list.drain(range).collect();
        for (place, item) in deleted {
            // Of those that are alike, one that came later may go: fewer were there all the time at most.
            if let Some(count) = self.throughout.get_mut(&self.name(place, item)) {
                *count = count.saturating_sub(1);
            }
            self.deleted.insert(place, item);
        }
    }

    fn recover(&mut self) {
        let Some(place) = self.rng.choice(self.deleted.keys()).copied() else { return };
        let item = self.deleted.remove(&place).unwrap();
        self.put(place, item);
    }
}

fn name_of(record: RawRecord<'_>) -> String {
    let record: serde_json::Value = serde_json::from_str(record.json).unwrap();
    record["name"].as_str().unwrap().to_owned()
}

/// Lets others go first, so many times.
struct Pause(u32);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

pub(super) fn log(count: usize, seed: u64, alike: Alike) -> Service {
    Service::alike(&ACTIVITY, count, seed, alike)
}
