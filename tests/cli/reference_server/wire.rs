//! A minimal HTTP/1.1: enough for clients that send `Content-Length`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::service::{Reply, Request};

/// The path of the base URL.
pub const BASE: &str = "/api/v1/";

/// Whether the connection stays open after the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    KeepAlive,
    Close,
}

/// Reads the next request of a connection; `None` at its end.
pub fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<(Request, After)>> {
    let mut first = String::new();
    if stream.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let (mut length, mut key, mut after) = (0, None, After::KeepAlive);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "connection" if value.trim().eq_ignore_ascii_case("close") => after = After::Close,
            "authorization" => key = value.trim().strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let path = path.strip_prefix(BASE).unwrap_or(path).to_owned();
    Ok(Some((Request { method, path, query, body, key }, after)))
}

/// How much of a response is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyLength {
    Full,
    /// The head announces the full length, but only half is sent.
    Half,
}

pub fn write(stream: &mut TcpStream, reply: &Reply, length: ReplyLength) -> io::Result<()> {
    let Reply { status, content_type, body } = reply;
    let mut bytes = format!("HTTP/1.1 {status} Reference\r\n").into_bytes();
    if *status != 204 {
        bytes.extend(format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(match length {
        ReplyLength::Full => &body[..],
        ReplyLength::Half => &body[..body.len() / 2],
    });
    stream.write_all(&bytes)
}
