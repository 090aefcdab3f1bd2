//! A server that speaks the guide and is not our sandbox.
//!
//! It was written from the API guide and the field notes alone and shares no code with the client or the sandbox, so
//! that a mistake in our reading of either shows. It keeps everything in memory, answers in any of several
//! [`Shapes`], and goes wrong on request ([`Faults`]). A thread serves each connection: a commit that comes late
//! happens even when the client has gone by then, and [`Stranger::settled`] waits for it.

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

pub use account::{Account, Entry, Holding, Record};
pub use faults::{Fault, Faults, Side};
pub use shapes::Shapes;

use service::{Reply, Request};
use wire::{After, Extent};

/// The key it wants.
pub const KEY: &str = "stranger-key-5b1e94";

/// The server; it stops when it is dropped.
pub struct Stranger {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// Below the base link, without the query.
    pub path: String,
}

struct Shared {
    shapes: Shapes,
    state: Mutex<State>,
    /// A request has arrived or is done with.
    changed: Condvar,
    stops: AtomicBool,
}

struct State {
    account: Account,
    faults: Faults,
    seen: Vec<Seen>,
    /// Requests that arrived and are not done with.
    under_way: usize,
}

impl Stranger {
    pub fn start(shapes: Shapes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { account: Account::default(), faults: Faults::None, seen: Vec::new(), under_way: 0 };
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

    /// From now on things go wrong so.
    pub fn suffers(&self, faults: Faults) {
        self.shared.state().faults = faults;
    }

    /// Puts a record there and tells its id.
    #[track_caller]
    pub fn holds(&self, name: &str, record: Value) -> i64 {
        let of = tables::collection(name).unwrap();
        self.shared.state().account.create(of, record.as_object().unwrap()).unwrap()
    }

    /// Every record of a collection by id, in plain values whatever the shapes.
    pub fn records(&self, name: &str) -> Vec<Record> {
        let of = tables::collection(name).unwrap();
        let state = self.shared.state();
        state.account.table(name).filter_map(|(id, _)| state.account.shown(of, id)).collect()
    }

    pub fn holdings(&self) -> Vec<Holding> {
        self.shared.state().account.holdings.clone()
    }

    /// The activity log, oldest first.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.state().account.log.clone()
    }

    /// Every request in the order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// Waits until so many requests have arrived and all are done with, those of clients that are gone too.
    pub fn settled(&self, requests: usize) {
        let mut state = self.shared.state();
        while state.under_way > 0 || state.seen.len() < requests {
            state = self.shared.changed.wait(state).unwrap();
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::SeqCst);
        // Wakes the loop that accepts.
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
        // A connection that breaks is the client's affair.
        thread::spawn(move || converse(stream, &shared).ok());
    }
}

/// Serves a connection until either side ends it.
fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reading = BufReader::new(stream.try_clone()?);
    while let Some((request, after)) = wire::read(&mut reading)? {
        let fault = arrived(shared, &request);
        let answer = serve(shared, &request, fault);
        let mut state = shared.state();
        state.under_way -= 1;
        shared.changed.notify_all();
        drop(state);
        let Some((reply, extent)) = answer else { return stream.shutdown(Shutdown::Both) };
        wire::write(&mut stream, &reply, extent)?;
        if (extent, after) != (Extent::Whole, After::Stay) {
            return stream.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

fn arrived(shared: &Shared, request: &Request) -> Option<Fault> {
    let mut state = shared.state();
    state.seen.push(Seen { method: request.method.clone(), path: request.path.clone() });
    state.under_way += 1;
    shared.changed.notify_all();
    state.faults.draw()
}

/// Carries a request out, with what goes wrong on the way; none where the connection is dropped.
fn serve(shared: &Shared, request: &Request, fault: Option<Fault>) -> Option<(Reply, Extent)> {
    let shapes = shared.shapes;
    let commit = || service::answer(&mut shared.state().account, shapes, KEY, request);
    let whole = |reply| Some((reply, Extent::Whole));
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
        Some(Fault::Truncate) => Some((commit(), Extent::Half)),
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
