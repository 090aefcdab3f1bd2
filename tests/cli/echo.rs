//! A service that quotes the API key, in every spelling and at every place of a reply: no output, journal or result
//! shows it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{CommandOutput, some_of, tallyport};

const KEY: &str = "btk/q7Xw93+LmZp0RtY5e";
/// The longest part of the key that may be shown.
const PART: usize = 7;

/// One reply: status, header lines, body.
type Reply = (u16, String, String);

/// A service that gives one reply to every request but the first reads, which find nothing.
struct EchoServer(SocketAddr);

impl EchoServer {
    fn start(reads: Option<Reply>, writes: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Ends with the process: a test's server holds nothing.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (reads, writes) = (reads.clone(), writes.clone());
                thread::spawn(move || serve(stream, reads.as_ref(), &writes));
            }
        });
        Self(address)
    }
}

fn serve(stream: TcpStream, reads: Option<&Reply>, writes: &Reply) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().to_ascii_lowercase().split_once("content-length:") {
            Some((_, number)) => length = number.trim().parse().ok()?,
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    reader.by_ref().take(length).read_to_end(&mut Vec::new()).ok()?;
    let nothing = (200, String::new(), String::from("[]"));
    let is_behind_the_end = first.contains("offset=") && !first.contains("offset=0&");
    let (status, headers, body) = match reads {
        _ if !first.starts_with("GET") => writes,
        Some(reads) if !is_behind_the_end => reads,
        _ => &nothing,
    };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    (&stream).write_all(head.as_bytes()).ok()?;
    (&stream).write_all(body.as_bytes()).ok()
}

fn spelt(each: impl Fn(u32) -> String) -> String {
    KEY.chars().map(|char| each(u32::from(char))).collect()
}

/// The key as text that stands in a JSON string, in a page or in a header.
fn spellings() -> Vec<String> {
    vec![
        KEY.into(),
        format!("Bearer {KEY}"),
        KEY.to_uppercase(),
        KEY.replace('/', "\\/"),
        KEY.replacen('t', "\\u0074", 1),
        spelt(|code| format!("\\u{code:04X}")),
        KEY.replace('/', "%2F").replace('+', "%2b"),
        spelt(|code| format!("%{code:02X}")),
        KEY.replace('/', "&sol;").replace('+', "&plus;"),
        spelt(|code| format!("&#{code};")),
        spelt(|code| format!("{code:02x}")),
        // The key, `Bearer ` and the key, and `ada:` and the key in base64, the last for URLs.
        "YnRrL3E3WHc5MytMbVpwMFJ0WTVl".into(),
        "QmVhcmVyIGJ0ay9xN1h3OTMrTG1acDBSdFk1ZQ==".into(),
        "YWRhOmJ0ay9xN1h3OTMrTG1acDBSdFk1ZQ".into(),
        format!("{}\\n {}", &KEY[..10], &KEY[10..]),
        format!("{} … {}", &KEY[..10], &KEY[10..]),
    ]
}

/// The parts of text that nobody may find: of the key, and of its other spellings.
fn forbidden() -> Vec<String> {
    let parts = |text: &str| {
        let chars: Vec<char> = text.to_lowercase().chars().collect();
        chars.windows(PART + 1).map(String::from_iter).collect::<Vec<_>>()
    };
    let mut all: Vec<String> =
        spellings()[10..14].iter().flat_map(|text| parts(&text.trim_end_matches('=')[12..])).collect();
    all.extend(parts(KEY));
    all.extend(spellings()[3..10].iter().map(|text| text.to_lowercase()));
    all
}

fn expect_hidden(place: &str, text: &[u8], forbidden: &[String]) {
    let text = String::from_utf8_lossy(text).to_lowercase();
    for word in forbidden {
        assert!(!text.contains(word), "{place} shows `{word}`:\n{text}");
    }
}

fn expect_hidden_in_files(folder: &Path, forbidden: &[String]) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => expect_hidden_in_files(&entry.path(), forbidden),
            false => expect_hidden(&entry.path().display().to_string(), &fs::read(entry.path()).unwrap(), forbidden),
        }
    }
}

/// Every way to quote a text: what reads get, and what writes get.
fn replies(quoted: &str) -> Vec<(Option<Reply>, Reply)> {
    let header = quoted.replace(['\\', '\n', '…'], "");
    let object = |status: u16, body: String| (status, String::from("Content-Type: application/json\r\n"), body);
    let page = format!("<html><title>{quoted}</title></html>");
    let nothing = || object(201, String::from("{\"id\":1}"));
    vec![
        (Some(object(401, format!("{{\"message\":\"no such key {quoted}\"}}"))), nothing()),
        (Some(object(403, format!("no such key {quoted}"))), nothing()),
        (Some((403, format!("Content-Type: text/html\r\ncf-ray: {header}\r\n"), page.clone())), nothing()),
        (Some((403, format!("Content-Type: text/html\r\nx-request-id: {header}\r\n"), page)), nothing()),
        (Some((302, format!("Location: https://x.example/{header}/login?key={header}\r\n"), String::new())), nothing()),
        (Some(object(200, format!("{{\"{quoted}\":1,\"a\":\"{quoted}\"}}"))), nothing()),
        (
            Some(object(200, format!("[{{\"id\":1,\"name\":\"Berlin\",\"notes\":\"{quoted}\",\"{quoted}\":2}}]"))),
            nothing(),
        ),
        (None, object(422, format!("{{\"errors\":{{\"name\":[\"{quoted}\"],\"{quoted}\":\"is {quoted}\"}}}}"))),
        (None, object(401, format!("{{\"error\":\"{quoted}\"}}"))),
        (None, object(200, format!("{{\"id\":1,\"name\":\"{quoted}\",\"{quoted}\":\"{quoted}\"}}"))),
    ]
}

#[test]
fn the_key_is_shown_in_no_spelling() {
    let forbidden = forbidden();
    // Every spelling in some replies, and every reply with some spellings: all pairs would take minutes.
    // Halves are masked in messages only.
    for (number, quoted) in some_of(spellings().into_iter().take(15).enumerate(), 2) {
        let some = replies(&quoted).into_iter().enumerate().filter(|(reply, _)| (reply + number) % 5 == 0);
        for (_, (reads, writes)) in some {
            let folder = TempDir::new().unwrap();
            fs::write(folder.path().join("locations.csv"), "name,city\nBerlin,Berlin\n").unwrap();
            let server = EchoServer::start(reads, writes);
            let base_url = format!("http://{}/api/v1", server.0);
            let run = |arguments: &[&str]| {
                let mut command = tallyport(folder.path(), arguments);
                command.env("BLUETALLY_BASE_URL", &base_url).env("BLUETALLY_API_KEY", KEY);
                let ran = CommandOutput::run(command);
                expect_hidden(&format!("{arguments:?}"), ran.text().as_bytes(), &forbidden);
            };
            run(&["import", "locations.csv", "-vvv", "--result", "result.csv"]);
            run(&["import", "locations.csv", "-vvv", "--json", "--log-format", "json"]);
            run(&["runs", "--json"]);
            expect_hidden_in_files(folder.path(), &forbidden);
        }
    }
}

#[test]
fn what_other_commands_print_hides_the_key_too() {
    let forbidden = forbidden();
    for quoted in spellings().iter().step_by(3) {
        let reply = (401, String::new(), json!({ "message": quoted }).to_string().replace("\\\\", "\\"));
        let server = EchoServer::start(Some(reply.clone()), reply);
        let folder = TempDir::new().unwrap();
        for arguments in
            [&["doctor", "-vvv"][..], &["doctor", "--json"], &["export", "locations", "-o", "x.csv", "-vvv", "--json"]]
        {
            let mut command = tallyport(folder.path(), arguments);
            command.env("BLUETALLY_BASE_URL", format!("http://{}/api/v1", server.0)).env("BLUETALLY_API_KEY", KEY);
            let ran = CommandOutput::run(command);
            assert_eq!(ran.code, 3, "{}", ran.text());
            expect_hidden(&format!("{arguments:?}"), ran.text().as_bytes(), &forbidden);
        }
    }
}

#[test]
fn the_key_in_arguments_and_files_is_masked_where_it_is_printed() {
    let forbidden = forbidden();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("odd.csv"), format!("{KEY}\nx\n")).unwrap();
    for arguments in [
        &["check", "odd.csv"][..],
        &["check", "odd.csv", "--json", "--entity", "locations"],
        &["check", KEY],
        &["import", "odd.csv", "--entity", KEY],
        &["export", "locations", "-o", "x.csv", "--where", KEY],
        &["--profile", KEY, "doctor"],
        &[KEY],
        &["--tenant", KEY, "doctor"],
        &["runs", KEY, "--json"],
    ] {
        let mut command = tallyport(folder.path(), arguments);
        let ran = CommandOutput::run(command.env("BLUETALLY_API_KEY", KEY));
        expect_hidden(&format!("{arguments:?}"), ran.text().as_bytes(), &forbidden);
    }
}
