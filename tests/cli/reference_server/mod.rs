//! The reference server: an independent implementation of the API guide.
//!
//! It was written from the API guide and the field notes alone and shares no code with the client or the sandbox, so
//! that a misreading in either shows. It keeps everything in memory, replies in any of several [`Shapes`], and fails on
//! request ([`Faults`]). A thread serves each connection; a late commit happens even if the client is gone by then, and
//! [`ReferenceServer::settled`] waits for it.

mod account;
mod faults;
mod rules;
mod service;
mod shapes;
mod tables;
mod tests;
mod wire;

use std::io::{self, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use serde_json::Value;

pub use account::{Account, Assignment, Entry, Record};
pub use faults::{Fault, Faults, Side};
pub use shapes::Shapes;

use account::Ties;
use service::{Reply, Request};
use wire::{After, ReplyLength};

/// The API key.
pub const KEY: &str = "reference-key-5b1e94";

/// The server; stops on drop.
pub struct ReferenceServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedRequest {
    pub method: String,
    /// Below the base URL, without the query.
    pub path: String,
    pub query: Vec<(String, String)>,
}

struct Shared {
    shapes: Shapes,
    state: Mutex<State>,
    /// Notified when a request arrives or is finished.
    changed: Condvar,
    stops: AtomicBool,
}

struct State {
    account: Account,
    faults: Faults,
    received: Vec<ReceivedRequest>,
    /// Requests that have arrived and are not finished.
    in_flight: usize,
}

impl ReferenceServer {
    pub fn start(shapes: Shapes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let account = Account::new(shapes.keeps_custom_fields());
        let state = State { account, faults: Faults::None, received: Vec::new(), in_flight: 0 };
        let shared = Arc::new(Shared {
            shapes,
            state: Mutex::new(state),
            changed: Condvar::new(),
            stops: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the faults of further requests.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.state().faults = faults;
    }

    /// Makes further updates report success and leave these fields as they are.
    pub fn ignores(&self, fields: &[&'static str]) {
        self.shared.state().account.ignored = fields.to_vec();
    }

    /// Leaves these fields out of further replies.
    pub fn leaves_out(&self, fields: &[&'static str]) {
        self.shared.state().account.unreported = fields.to_vec();
    }

    /// Refuses further requests for the activity log.
    pub fn closes_log(&self) {
        self.shared.state().account.is_log_closed = true;
    }

    /// Makes assets list people only, while they may be checked out to places.
    pub fn lists_people_only(&self) {
        self.shared.state().account.lists_people_only = true;
    }

    /// Refuses further requests for the activity log of an item, named by this filter, with that status.
    pub fn refuses_log_of(&self, filter: &'static str, id: i64, status: u16) {
        self.shared.state().account.refused_log = Some((filter, id.to_string(), status));
    }

    /// Creates a record and returns its id.
    #[track_caller]
    pub fn holds(&self, name: &str, record: Value) -> i64 {
        let of = tables::collection(name).unwrap();
        self.shared.state().account.create(of, record.as_object().unwrap()).unwrap()
    }

    /// Creates records at the same time, which lists then show in another order in each page.
    #[track_caller]
    pub fn holds_unordered(&self, name: &str, records: impl IntoIterator<Item = Value>) {
        let of = tables::collection(name).unwrap();
        let records: Vec<Record> = records.into_iter().map(|record| record.as_object().unwrap().clone()).collect();
        let account = &mut self.shared.state().account;
        account.create_at_once(of, &records).unwrap();
        account.ties = Ties::ByPage;
    }

    /// Every record of a collection by id, with plain values whatever the shape.
    pub fn records(&self, name: &str) -> Vec<Record> {
        let of = tables::collection(name).unwrap();
        let state = self.shared.state();
        state.account.table(name).filter_map(|(id, _)| state.account.shown(of, id)).collect()
    }

    pub fn assignments(&self) -> Vec<Assignment> {
        self.shared.state().account.assignments.clone()
    }

    /// The activity log, oldest first.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.state().account.log.clone()
    }

    /// Every request in the order of arrival.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.shared.state().received.clone()
    }

    /// Waits until this many requests have arrived and all are finished, including those of dead clients.
    pub fn settled(&self, requests: usize) {
        let mut state = self.shared.state();
        while state.in_flight > 0 || state.received.len() < requests {
            state = self.shared.changed.wait(state).unwrap();
        }
    }
}

impl Drop for ReferenceServer {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::SeqCst);
        // Wake the accept loop.
        TcpStream::connect(self.address).ok();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stops.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(stream), shared) = (stream, Arc::clone(shared)) else { continue };
        // The client may disconnect at any time.
        thread::spawn(move || converse(stream, &shared).ok());
    }
}

/// Serves a connection until either side closes it.
fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reading = BufReader::new(stream.try_clone()?);
    while let Some((request, after)) = wire::read(&mut reading)? {
        let fault = arrived(shared, &request);
        let answer = serve(shared, &request, fault);
        let mut state = shared.state();
        state.in_flight -= 1;
        shared.changed.notify_all();
        drop(state);
        let Some((reply, length)) = answer else { return stream.shutdown(Shutdown::Both) };
        wire::write(&mut stream, &reply, length)?;
        if (length, after) != (ReplyLength::Full, After::KeepAlive) {
            return stream.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

fn arrived(shared: &Shared, request: &Request) -> Option<Fault> {
    let mut state = shared.state();
    state.received.push(ReceivedRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
    });
    state.in_flight += 1;
    shared.changed.notify_all();
    state.faults.draw()
}

/// Handles a request with a possible fault; `None` if the connection is dropped.
fn serve(shared: &Shared, request: &Request, fault: Option<Fault>) -> Option<(Reply, ReplyLength)> {
    let shapes = shared.shapes;
    let commit = || service::answer(&mut shared.state().account, shapes, KEY, request);
    let whole = |reply| Some((reply, ReplyLength::Full));
    let instead = |side, reply| {
        if side == Side::AfterCommit {
            commit();
        }
        reply
    };
    match fault {
        None => whole(commit()),
        Some(Fault::Drop(side)) => instead(side, None),
        Some(Fault::Status(side, status)) => instead(side, whole(Reply::error(shapes, status))),
        Some(Fault::Page(side, status)) => instead(side, whole(Reply::page(status))),
        Some(Fault::Truncate) => Some((commit(), ReplyLength::Half)),
        Some(Fault::LateCommit(late)) => {
            thread::sleep(late);
            whole(commit())
        }
        Some(Fault::LateReply(late)) => {
            let reply = commit();
            thread::sleep(late);
            whole(reply)
        }
    }
}
