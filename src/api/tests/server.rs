//! A server that plays a script, one line a request, and notes what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(super) enum Play {
    /// Status, header lines, body.
    Response(u16, Vec<(&'static str, String)>, String),
    /// Reads the request and hangs up.
    HangUp,
    /// Begins an answer and hangs up within it.
    BreakOff,
}

/// A JSON answer.
pub(super) fn json(status: u16, body: impl Into<String>) -> Play {
    Play::Response(status, vec![("Content-Type", "application/json".to_owned())], body.into())
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Method and link: `GET /api/v1/assets?limit=1`.
    pub(super) line: String,
    pub(super) headers: Vec<String>,
    pub(super) body: String,
}

/// Gone on drop.
pub(super) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Plays `script` in order; a request beyond its end is hung up on.
    pub(super) async fn plays(script: Vec<Play>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, script, Arc::clone(&asked)));
        Self { port, asked, task }
    }

    pub(super) fn base_url(&self) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}/api/v1", self.port)).expect("a link")
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic in the server").clone()
    }

    /// The links asked for, without the base.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line.replace("/api/v1/", "")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, script: Vec<Play>, asked: Arc<Mutex<Vec<Asked>>>) {
    let mut script = script.into_iter();
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = BufReader::new(stream);
        let request = read(&mut stream).await;
        asked.lock().expect("no panic in the client").push(request);
        answer(stream.into_inner(), script.next().unwrap_or(Play::HangUp)).await;
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Asked {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let count = stream.read_line(&mut line).await.expect("a line");
        if count == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("a body");
    let line = lines.remove(0).trim_end_matches(" HTTP/1.1").to_owned();
    Asked { line, headers: lines, body: String::from_utf8(body).expect("text") }
}

async fn answer(mut stream: TcpStream, play: Play) {
    let bytes = match play {
        Play::Response(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
        }
        Play::HangUp => return,
        Play::BreakOff => "HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n{\"id\":".to_owned(),
    };
    // The client may have gone; then nobody misses the answer.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let _ = stream.shutdown().await;
}
