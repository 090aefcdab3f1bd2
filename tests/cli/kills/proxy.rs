//! Between client and server: forwards bytes, counts requests, and says when the one for the kill has come.
//!
//! The thread that forwards waits until whoever listens has struck, so the moment is exact: before the request goes
//! on, after it has, or once its answer is passed on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// When a request is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It never reaches the server.
    Arrived,
    /// The server has it; nobody is left to take the answer.
    Forwarded,
    /// The answer, or the first piece of it, has been passed on.
    Answered,
}

impl Moment {
    pub const ALL: [Self; 3] = [Self::Arrived, Self::Forwarded, Self::Answered];
}

/// A snare for the request that comes as number `at` from now, counted from 1.
pub struct Snare {
    pub at: u64,
    pub moment: Moment,
    /// Is sent a channel to answer on when the moment is there.
    pub tell: Sender<Sender<()>>,
}

impl Snare {
    /// Tells, and waits until it is done with.
    fn spring(&self) {
        let (done, wait) = mpsc::channel();
        if self.tell.send(done).is_ok() {
            wait.recv().ok();
        }
    }
}

/// The proxy; it stops when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    to: Mutex<SocketAddr>,
    state: Mutex<State>,
    changed: Condvar,
    stops: AtomicBool,
}

#[derive(Default)]
struct State {
    requests: u64,
    writes: u64,
    snare: Option<Snare>,
    /// Connections that have not ended on both sides.
    open: usize,
    /// Who connected last.
    last: Option<SocketAddr>,
}

impl Proxy {
    pub fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            to: Mutex::new(to),
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            stops: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// From now on the server is there.
    pub fn moves_to(&self, to: SocketAddr) {
        *self.shared.to.lock().unwrap() = to;
    }

    pub fn set(&self, snare: Option<Snare>) {
        self.shared.state().snare = snare;
    }

    /// Requests that arrived.
    pub fn requests(&self) -> u64 {
        self.shared.state().requests
    }

    /// Requests that went on to the server and were no reads.
    pub fn writes(&self) -> u64 {
        self.shared.state().writes
    }

    /// Waits until the server is done with every request of clients that are gone.
    pub fn settled(&self) {
        // Connections are accepted in order: once this one is, all before it are counted.
        let marker = TcpStream::connect(self.address).unwrap();
        let marked = marker.local_addr().unwrap();
        drop(marker);
        let mut state = self.shared.state();
        while state.open > 0 || state.last != Some(marked) {
            state = self.shared.changed.wait(state).unwrap();
        }
    }
}

impl Drop for Proxy {
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

    /// Counts a request and takes the snare if it is for this one.
    fn count(&self) -> Option<Snare> {
        let mut state = self.state();
        state.requests += 1;
        let snare = state.snare.as_mut()?;
        snare.at -= 1;
        if snare.at == 0 { state.snare.take() } else { None }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stops.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let mut state = shared.state();
        state.open += 1;
        state.last = stream.peer_addr().ok();
        drop(state);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A side that breaks off is what this is for.
            relay(stream, &shared).ok();
            shared.state().open -= 1;
            shared.changed.notify_all();
        });
    }
}

/// Serves a connection until both sides have ended it.
fn relay(client: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let server = TcpStream::connect(*shared.to.lock().unwrap())?;
    let awaited = Arc::new(Mutex::new(None));
    let (from, to, on_answer) = (server.try_clone()?, client.try_clone()?, Arc::clone(&awaited));
    let answers = thread::spawn(move || pass_answers(from, to, &on_answer));
    pass_requests(client, &server, shared, &awaited).ok();
    server.shutdown(Shutdown::Write).ok();
    answers.join().ok();
    Ok(())
}

fn pass_requests(
    client: TcpStream,
    mut server: &TcpStream,
    shared: &Shared,
    awaited: &Mutex<Option<Snare>>,
) -> io::Result<()> {
    let mut reading = BufReader::new(client);
    while let Some(request) = read(&mut reading)? {
        let snare = shared.count();
        let moment = snare.as_ref().map(|snare| snare.moment);
        if let (Some(snare), Some(Moment::Arrived)) = (&snare, moment) {
            snare.spring();
            return Ok(());
        }
        if !request.starts_with(b"GET ") {
            shared.state().writes += 1;
        }
        match (snare, moment) {
            (Some(snare), Some(Moment::Forwarded)) => {
                // Answers are passed on by who has the lock: this one waits until the snare is done with.
                let _held = awaited.lock().unwrap();
                server.write_all(&request)?;
                snare.spring();
            }
            (snare, _) => {
                *awaited.lock().unwrap() = snare;
                server.write_all(&request)?;
            }
        }
    }
    Ok(())
}

/// The next request, byte for byte; none at the end.
fn read(reading: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if reading.read_until(b'\n', &mut request)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&request[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim_end().is_empty() {
            break;
        }
    }
    let start = request.len();
    request.resize(start + length, 0);
    reading.read_exact(&mut request[start..])?;
    Ok(Some(request))
}

fn pass_answers(mut server: TcpStream, mut client: TcpStream, awaited: &Mutex<Option<Snare>>) {
    let mut bytes = [0; 16 * 1024];
    // A client that is gone does not keep the server from ending: its answer is read all the same.
    while let Ok(length @ 1..) = server.read(&mut bytes) {
        let snare = awaited.lock().unwrap().take();
        client.write_all(&bytes[..length]).ok();
        if let Some(snare) = snare {
            snare.spring();
        }
    }
    client.shutdown(Shutdown::Both).ok();
}
