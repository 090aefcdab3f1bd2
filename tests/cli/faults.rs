//! `sandbox --faults`: the stand-alone sandbox with faults, and the errors for invalid fault specs.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{CommandOutput, assert_output, tallyport};

/// `tallyport sandbox` as a separate process; killed on drop.
struct Serving {
    child: Child,
    _folder: TempDir,
    address: String,
    /// The first line it prints.
    announced: Value,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), arguments)
    }

    fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let arguments = [&["sandbox", "--json", "--empty", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut child = tallyport(folder.path(), &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        let base_url = announced["base_url"].as_str().unwrap();
        let address = base_url.trim_start_matches("http://").trim_end_matches("/api/v1").to_owned();
        Self { child, _folder: folder, address, announced }
    }

    /// The whole response to a request; empty if the connection is dropped.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer sandbox\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut reply = Vec::new();
        let _reset = stream.read_to_end(&mut reply);
        String::from_utf8(reply).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

const PARKED: &str = r#"{"name": "Parked", "type": "pending"}"#;

#[test]
fn a_reset_after_the_change_keeps_the_change() {
    let sandbox = Serving::start(&["--faults", "POST statuses nth=1 reset before", "--faults", "POST * reset after"]);
    assert_eq!(sandbox.ask("POST", "/api/v1/statuses", PARKED), "");
    assert!(sandbox.ask("GET", "/api/v1/statuses", "").ends_with("\r\n\r\n[]"));
    assert_eq!(sandbox.ask("POST", "/api/v1/statuses", PARKED), "");
    assert!(sandbox.ask("GET", "/api/v1/statuses", "").contains(r#""name":"Parked""#));
}

#[test]
fn faults_can_come_from_a_file_and_are_shown_by_the_control_endpoint() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("day.txt"), "# a bad day\nGET assets 502\n\nGET * count=1 html=403 # once\n").unwrap();
    let sandbox = Serving::start_in(folder, &["--faults", "@day.txt", "--faults-seed", "7", "--control"]);
    assert!(sandbox.ask("GET", "/api/v1/statuses", "").starts_with("HTTP/1.1 403"));
    assert!(sandbox.ask("GET", "/api/v1/assets", "").starts_with("HTTP/1.1 502"));
    assert!(sandbox.announced["control"].as_str().unwrap().ends_with("/_control/faults"));
    let told = sandbox.ask("GET", "/_control/faults", "");
    let (_, told) = told.split_once("\r\n\r\n").unwrap();
    let expected = serde_json::json!({"seed": 7, "rules": [
        {"rule": "GET assets 502 before", "matched": 1, "fired": 1},
        {"rule": "GET * count=1 html=403 before", "matched": 2, "fired": 1},
    ]});
    assert_eq!(serde_json::from_str::<Value>(told).unwrap(), expected);
}

#[test]
fn without_control_the_endpoint_does_not_exist() {
    let sandbox = Serving::start(&["--faults", "GET * 500"]);
    assert!(sandbox.announced.get("control").is_none());
    assert!(sandbox.ask("GET", "/_control/faults", "").starts_with("HTTP/1.1 404"));
}

#[test]
fn an_invalid_fault_names_the_word_and_the_alternatives() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("day.txt"), "# a bad day\nPOST assets p=5% reset after\n").unwrap();
    let run = |spec: &str| CommandOutput::run(tallyport(folder.path(), &["sandbox", "--faults", spec]));
    assert_output!(run("POST asets reset"), @"
    exit code 2
    --- stderr
    error: invalid fault `POST asets reset`: `asets` does not match any endpoint
      hint: did you mean `assets`? a path is the part after the base URL, e.g. `assets`, `assets/*`, `checkout/*`, or `*` for all
    ");
    assert_output!(run("@day.txt"), @"
    exit code 2
    --- stderr
    error: `day.txt`, line 2: invalid fault `POST assets p=5% reset after`: `p=5%` needs a probability from 0 to 1
      hint: e.g. `p=0.05`
    ");
    assert_output!(run("@night.txt"), @"
    exit code 2
    --- stderr
    error: could not read the faults in `night.txt`: OS ERROR
      hint: pass a UTF-8 text file after the `@`, with one fault per line
    ");
}

#[test]
fn the_help_contains_the_grammar() {
    let folder = TempDir::new().unwrap();
    let help = CommandOutput::run(tallyport(folder.path(), &["sandbox", "--help"])).exits(0).stdout;
    for line in include_str!("../../src/sandbox/faults/grammar.txt").lines() {
        assert!(help.contains(line), "`{line}` is not in:\n{help}");
    }
}
