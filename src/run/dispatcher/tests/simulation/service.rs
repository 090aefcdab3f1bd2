//! A service and the network before it, driven by a seed: requests arrive late, twice as slow or never, replies are lost,
//! gateways answer for the service. Nothing here knows the client.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};
use tokio::time::{Instant, sleep_until};

use crate::api::{Method, SimulatedNetwork, SimulatedReply, SimulatedRequest};

const HOUR: Duration = Duration::from_secs(3_600);

/// What goes wrong, in requests out of a hundred.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hazards {
    pub(super) refused_connections: u32,
    /// The request arrives, the reply does not.
    pub(super) lost_replies: u32,
    /// The request does not arrive, and nobody says so.
    pub(super) lost_requests: u32,
    /// A gateway answers 502 or 504, and the request may arrive all the same.
    pub(super) gateway_errors: u32,
    /// The service answers 500 and has done nothing.
    pub(super) errors: u32,
    pub(super) throttled: u32,
    /// The longest way to the service and back, in milliseconds.
    pub(super) longest_way: u64,
    /// How long after its reply was given up a request may still arrive, in milliseconds.
    pub(super) latest_arrival: u64,
}

impl Hazards {
    pub(super) const NONE: Hazards = Hazards {
        refused_connections: 0,
        lost_replies: 0,
        lost_requests: 0,
        gateway_errors: 0,
        errors: 0,
        throttled: 0,
        longest_way: 50,
        latest_arrival: 0,
    };
}

/// One collection, with requests on their way to it.
#[derive(Debug)]
struct ServiceState {
    random: fastrand::Rng,
    hazards: Hazards,
    records: Vec<Map<String, Json>>,
    last_id: i64,
    /// Requests that will arrive, with their numbers.
    on_the_way: Vec<(Instant, u64, SimulatedRequest)>,
    replies: HashMap<u64, Carried>,
    requests: u64,
    /// When requests were sent, within an hour.
    sent: VecDeque<Instant>,
    most_in_an_hour: usize,
    /// When records of a name, or all, were read last, of those reads whose reply reached the client.
    last_read: HashMap<Option<String>, Timestamp>,
    began: Instant,
    epoch: Timestamp,
}

/// What the service did with a request.
#[derive(Debug)]
struct Carried {
    at: Timestamp,
    status: u16,
    body: Vec<u8>,
    /// Of a read of the list: the name that it asked for, if any.
    read: Option<Option<String>>,
}

#[derive(Debug)]
pub(super) struct SimulatedService(Mutex<ServiceState>);

/// What becomes of one request, as far as the network goes.
enum Fate {
    NotSent,
    /// The reply to this request comes at that time.
    Answered(u64, Instant),
    /// Something else answers at that time, or nothing.
    Replaced(SimulatedReply, Instant),
}

impl SimulatedService {
    pub(super) fn new(seed: u64, hazards: Hazards) -> Self {
        Self(Mutex::new(ServiceState {
            random: fastrand::Rng::with_seed(seed),
            hazards,
            records: Vec::new(),
            last_id: 100,
            on_the_way: Vec::new(),
            replies: HashMap::new(),
            requests: 0,
            sent: VecDeque::new(),
            most_in_an_hour: 0,
            last_read: HashMap::new(),
            began: Instant::now(),
            epoch: Timestamp::UNIX_EPOCH,
        }))
    }

    /// Counts the requests of a new process.
    pub(super) fn begin_process(&self, hazards: Hazards) {
        let mut state = self.0.lock().unwrap();
        state.hazards = hazards;
        state.sent.clear();
    }

    /// Sets the clock to the time when the run began.
    pub(super) fn set_clock(&self, now: Timestamp) {
        let mut state = self.0.lock().unwrap();
        (state.began, state.epoch) = (Instant::now(), now);
    }

    /// Adds a record that was there before the run, and gives its id.
    pub(super) fn add(&self, record: Json) -> i64 {
        self.0.lock().unwrap().create(Timestamp::UNIX_EPOCH, record.as_object().unwrap().clone())
    }

    /// The records, once everything on its way has arrived.
    pub(super) fn records(&self) -> Vec<Map<String, Json>> {
        let mut state = self.0.lock().unwrap();
        state.deliver(None);
        state.records.clone()
    }

    /// Whether a record was made after the client looked for records of its name for the last time.
    pub(super) fn came_unseen(&self, record: &Map<String, Json>) -> bool {
        let made: Option<Timestamp> = record["created_at"].as_str().and_then(|text| text.parse().ok());
        let state = self.0.lock().unwrap();
        let by_name = state.last_read.get(&record["name"].as_str().map(str::to_owned));
        made.as_ref() > by_name.max(state.last_read.get(&None))
    }

    pub(super) fn most_in_an_hour(&self) -> usize {
        self.0.lock().unwrap().most_in_an_hour
    }
}

impl ServiceState {
    fn chance(&mut self, percent: u32) -> bool {
        self.random.u32(0..100) < percent
    }

    fn way(&mut self) -> Duration {
        Duration::from_millis(self.random.u64(1..=self.hazards.longest_way))
    }

    /// Decides what becomes of a request sent now.
    fn send(&mut self, request: SimulatedRequest) -> Fate {
        let now = Instant::now();
        let hazards = self.hazards;
        if self.chance(hazards.refused_connections) {
            return Fate::NotSent;
        }
        self.count(now);
        let (there, back) = (self.way(), self.way());
        if self.chance(hazards.throttled) {
            let retry_after = Some(Duration::from_secs(self.random.u64(1..30)));
            let reply = SimulatedReply::Answered { status: 429, retry_after, body: Vec::new() };
            return Fate::Replaced(reply, now + there + back);
        }
        if self.chance(hazards.errors) {
            let body = br#"{"error":"internal error"}"#.to_vec();
            let reply = SimulatedReply::Answered { status: 500, retry_after: None, body };
            return Fate::Replaced(reply, now + there + back);
        }
        if self.chance(hazards.lost_requests) {
            return Fate::Replaced(SimulatedReply::Lost, now + self.way());
        }
        let given_up = now + self.way();
        let latest = given_up + Duration::from_millis(self.random.u64(0..=hazards.latest_arrival));
        if self.chance(hazards.lost_replies) {
            self.arrive((now + there).min(latest), request);
            return Fate::Replaced(SimulatedReply::Lost, given_up);
        }
        if self.chance(hazards.gateway_errors) {
            if self.chance(70) {
                self.arrive(latest, request);
            }
            let status = if self.chance(50) { 502 } else { 504 };
            let body = b"<html><title>Bad gateway</title></html>".to_vec();
            return Fate::Replaced(SimulatedReply::Answered { status, retry_after: None, body }, given_up);
        }
        let number = self.arrive(now + there, request);
        Fate::Answered(number, now + there + back)
    }

    fn arrive(&mut self, at: Instant, request: SimulatedRequest) -> u64 {
        self.requests += 1;
        self.on_the_way.push((at, self.requests, request));
        self.requests
    }

    fn count(&mut self, now: Instant) {
        self.sent.push_back(now);
        while self.sent.front().is_some_and(|first| *first + HOUR <= now) {
            self.sent.pop_front();
        }
        self.most_in_an_hour = self.most_in_an_hour.max(self.sent.len());
    }

    /// Carries out what has arrived until then, in the order of arrival; everything if no time is given.
    fn deliver(&mut self, until: Option<Instant>) {
        self.on_the_way.sort_by_key(|(at, number, _)| (*at, *number));
        let arrived = self.on_the_way.partition_point(|(at, ..)| until.is_none_or(|until| *at <= until));
        for (at, number, request) in self.on_the_way.drain(..arrived).collect::<Vec<_>>() {
            let at = self.epoch + SignedDuration::try_from(at.saturating_duration_since(self.began)).unwrap();
            let (status, body) = self.carry_out(at, &request);
            let body = serde_json::to_vec(&body).unwrap();
            let is_list = request.method == Method::Get && request.record.is_none();
            let name = request.query.iter().find(|(name, _)| name == "name").map(|(_, name)| name.clone());
            self.replies.insert(number, Carried { at, status, body, read: is_list.then_some(name) });
        }
    }

    fn carry_out(&mut self, now: Timestamp, request: &SimulatedRequest) -> (u16, Json) {
        let body = || serde_json::from_slice::<Map<String, Json>>(&request.body).unwrap();
        let place = request.record.map(|id| self.records.iter().position(|record| record["id"] == id));
        match (request.method, place) {
            _ if request.path != "locations" => (404, json!({"error": "not found"})),
            (Method::Get, None) => (200, self.page(request)),
            (Method::Get, Some(Some(place))) => (200, self.records[place].clone().into()),
            (Method::Post, None) => {
                let id = self.create(now, body());
                (201, self.records.iter().find(|record| record["id"] == id).cloned().into())
            }
            (Method::Put, Some(Some(place))) => {
                self.records[place].extend(body());
                (200, self.records[place].clone().into())
            }
            (Method::Delete, Some(Some(place))) => {
                self.records.remove(place);
                (200, json!({"message": "Deleted"}))
            }
            _ => (404, json!({"error": "not found"})),
        }
    }

    fn create(&mut self, now: Timestamp, mut record: Map<String, Json>) -> i64 {
        self.last_id += 1;
        record.insert(String::from("id"), self.last_id.into());
        record.insert(String::from("created_at"), now.to_string().into());
        self.records.push(record);
        self.last_id
    }

    fn page(&self, request: &SimulatedRequest) -> Json {
        let parameter = |name: &str| request.query.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let number = |name: &str| parameter(name).and_then(|text| text.parse::<usize>().ok());
        let is_asked = |record: &&Map<String, Json>| {
            let filters = ["name", "city"].iter().filter_map(|name| Some((*name, parameter(name)?)));
            filters.clone().all(|(name, value)| record.get(name).and_then(Json::as_str) == Some(value.as_str()))
        };
        let mut asked: Vec<_> = self.records.iter().filter(is_asked).cloned().collect();
        if parameter("order").is_some_and(|order| order == "desc") {
            asked.reverse();
        }
        let page = asked.into_iter().skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(50));
        page.map(Json::from).collect()
    }
}

impl SimulatedNetwork for SimulatedService {
    fn carry(&self, request: SimulatedRequest) -> BoxFuture<'_, SimulatedReply> {
        let fate = self.0.lock().unwrap().send(request);
        Box::pin(async move {
            let (reply, at) = match fate {
                Fate::NotSent => return SimulatedReply::NotSent,
                Fate::Answered(number, at) => (Err(number), at),
                Fate::Replaced(reply, at) => (Ok(reply), at),
            };
            sleep_until(at).await;
            let mut state = self.0.lock().unwrap();
            state.deliver(Some(Instant::now()));
            reply.unwrap_or_else(|number| {
                let Carried { at, status, body, read } = state.replies.remove(&number).unwrap();
                if let Some(name) = read {
                    let last = state.last_read.entry(name).or_insert(at);
                    *last = at.max(*last);
                }
                SimulatedReply::Answered { status, retry_after: None, body }
            })
        })
    }
}
