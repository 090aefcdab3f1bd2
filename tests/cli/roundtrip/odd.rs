//! A server with irregular records, as real accounts have them and the sandbox would refuse. It serves them page by
//! page, as they are, and refuses every write.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The server; its thread ends with the process.
pub struct OddService {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    records: Mutex<BTreeMap<String, Vec<Value>>>,
    writes: AtomicUsize,
}

impl OddService {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // The client may disconnect at any time.
                serve(stream, &serving).ok();
            }
        });
        Self { address, shared }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// Adds a record and sets its id and timestamps.
    pub fn holds(&self, collection: &str, mut record: Value) {
        let mut records = self.shared.records.lock().unwrap();
        let table = records.entry(collection.to_owned()).or_default();
        record["id"] = json!(table.len() + 1);
        record["created_at"] = json!("2024-05-01T12:34:56.789Z");
        record["updated_at"] = json!("2024-06-01T01:02:03.004Z");
        table.push(record);
    }

    pub fn records(&self, collection: &str) -> Vec<Value> {
        self.shared.records.lock().unwrap().get(collection).cloned().unwrap_or_default()
    }

    pub fn writes(&self) -> usize {
        self.shared.writes.load(Ordering::SeqCst)
    }
}

/// Answers one request and closes the connection.
fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    // Skip the headers; the body is ignored.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, body) = match method {
        "GET" => (200, read(target, shared).to_string()),
        _ => {
            shared.writes.fetch_add(1, Ordering::SeqCst);
            (422, json!({"message": "nothing may be written"}).to_string())
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A page of a list.
fn read(target: &str, shared: &Shared) -> Value {
    let path = target.trim_start_matches("/api/v1/");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let number = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse::<usize>().ok())
    };
    let records = shared.records.lock().unwrap();
    let table = records.get(path).map(Vec::as_slice).unwrap_or_default();
    table.iter().skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(50)).cloned().collect()
}
