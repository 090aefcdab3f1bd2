//! A proxy between client and server that counts requests and reports when the one to kill at has come.
//!
//! The forwarding thread waits until the client has been killed, so the timing is exact: before the request is
//! forwarded, after it, or after the response has been passed on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// When the client is killed, relative to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillTiming {
    /// Before the request reaches the server.
    Arrived,
    /// After the server has the request, before the client has the response.
    Forwarded,
    /// After the response, or its first part, has been passed on.
    Answered,
}

impl KillTiming {
    pub const ALL: [Self; 3] = [Self::Arrived, Self::Forwarded, Self::Answered];
}

/// Where to kill the client: at the request number `at` from now, counted from 1.
pub struct KillPoint {
    pub at: u64,
    pub timing: KillTiming,
    /// Receives, at that point, a channel to reply on when the client is dead.
    pub notify: Sender<Sender<()>>,
}

impl KillPoint {
    /// Notifies, and waits for the reply.
    fn trigger(&self) {
        let (done, wait) = mpsc::channel();
        if self.notify.send(done).is_ok() {
            wait.recv().ok();
        }
    }
}

/// The proxy; stops on drop.
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
    kill_point: Option<KillPoint>,
    /// Connections that are not closed on both sides.
    open: usize,
    /// The peer that connected last.
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

    /// Forwards new connections to another server.
    pub fn moves_to(&self, to: SocketAddr) {
        *self.shared.to.lock().unwrap() = to;
    }

    pub fn set(&self, kill_point: Option<KillPoint>) {
        self.shared.state().kill_point = kill_point;
    }

    /// The number of requests received.
    pub fn requests(&self) -> u64 {
        self.shared.state().requests
    }

    /// The number of writes forwarded.
    pub fn writes(&self) -> u64 {
        self.shared.state().writes
    }

    /// Waits until the server has finished every request of dead clients.
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
        // Wake the accept loop.
        TcpStream::connect(self.address).ok();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Counts a request and returns the kill point if it is for this request.
    fn count(&self) -> Option<KillPoint> {
        let mut state = self.state();
        state.requests += 1;
        let kill_point = state.kill_point.as_mut()?;
        kill_point.at -= 1;
        if kill_point.at == 0 { state.kill_point.take() } else { None }
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
            // Broken connections are expected here.
            relay(stream, &shared).ok();
            shared.state().open -= 1;
            shared.changed.notify_all();
        });
    }
}

/// Relays a connection until both sides have closed it.
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
    awaited: &Mutex<Option<KillPoint>>,
) -> io::Result<()> {
    let mut reading = BufReader::new(client);
    while let Some(request) = read(&mut reading)? {
        let kill_point = shared.count();
        let timing = kill_point.as_ref().map(|kill_point| kill_point.timing);
        if let (Some(kill_point), Some(KillTiming::Arrived)) = (&kill_point, timing) {
            kill_point.trigger();
            return Ok(());
        }
        if !request.starts_with(b"GET ") {
            shared.state().writes += 1;
        }
        match (kill_point, timing) {
            (Some(kill_point), Some(KillTiming::Forwarded)) => {
                // Responses are passed on under this lock, so this one waits until the client is dead.
                let _held = awaited.lock().unwrap();
                server.write_all(&request)?;
                kill_point.trigger();
            }
            (kill_point, _) => {
                *awaited.lock().unwrap() = kill_point;
                server.write_all(&request)?;
            }
        }
    }
    Ok(())
}

/// Reads the next request, byte for byte; `None` at the end.
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

fn pass_answers(mut server: TcpStream, mut client: TcpStream, awaited: &Mutex<Option<KillPoint>>) {
    let mut bytes = [0; 16 * 1024];
    // Read the response even if the client is gone, so that the server can finish.
    while let Ok(length @ 1..) = server.read(&mut bytes) {
        let kill_point = awaited.lock().unwrap().take();
        client.write_all(&bytes[..length]).ok();
        if let Some(kill_point) = kill_point {
            kill_point.trigger();
        }
    }
    client.shutdown(Shutdown::Both).ok();
}
