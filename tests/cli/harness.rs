//! The test harness: an account, files, a command, and its outcome.

use std::borrow::BorrowMut;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use serde_json::Value;
use tallyport::sandbox::{Sandbox, SandboxOptions, Seed};
use tempfile::TempDir;

use crate::redact::{redact, redact_json};

pub const KEY: &str = "cli-test-key-7f2a90";

/// A folder with files, and a sandbox account to import them into.
pub struct CliTest {
    folder: TempDir,
    sandbox: Sandbox,
    tenant: Option<i64>,
}

/// The exit code and output of a command.
pub struct CommandOutput {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// The current folder of the command.
    folder: PathBuf,
}

/// Compares exit code, standard output and standard error of a command with an inline snapshot, redacted.
macro_rules! assert_output {
    ($output:expr, @$expected:literal) => {
        insta::assert_snapshot!($output.redacted(), @$expected)
    };
}
pub(crate) use assert_output;

/// Whether every case is to be tried: `TALLYPORT_TESTS=all`, as in `.ci/run`. Otherwise `cargo test` takes some of many alike, so
/// that whoever tries the project for the first time soon knows that it works.
pub fn tries_all() -> bool {
    env::var_os("TALLYPORT_TESTS").is_some_and(|tests| tests == "all")
}

/// As many of the cases as `few` says, unless [all](tries_all) are to be tried. Which ones depends on the test, so that together
/// the tests try all of them.
pub fn some_of<T>(cases: impl IntoIterator<Item = T>, few: usize) -> Vec<T> {
    let mut cases: Vec<T> = cases.into_iter().collect();
    if !tries_all() && few < cases.len() {
        let test: usize = thread::current().name().map_or(0, |name| name.bytes().map(usize::from).sum());
        let first = test % cases.len();
        cases.rotate_left(first);
        cases.truncate(few);
    }
    cases
}

impl CliTest {
    /// An empty account.
    pub fn new() -> Self {
        Self::with(SandboxOptions { seed: Seed::Empty, ..SandboxOptions::default() })
    }

    /// An account with the sample categories, statuses and the like.
    pub fn seeded() -> Self {
        Self::with(SandboxOptions::default())
    }

    pub fn with(options: SandboxOptions) -> Self {
        let tenant = options.tenants.first().map(|(id, _)| *id);
        let sandbox = Sandbox::start(SandboxOptions { api_key: KEY.into(), ..options }).unwrap();
        Self { folder: TempDir::new().unwrap(), sandbox, tenant }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn address(&self) -> SocketAddr {
        self.sandbox.address()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a text file.
    pub fn sheet(self, name: &str, text: &str) -> Self {
        self.bytes(name, text.as_bytes())
    }

    pub fn bytes(self, name: &str, bytes: &[u8]) -> Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// Creates a record in the account.
    pub fn holds(self, collection: &str, record: Value) -> Self {
        let (status, body) = self.request("POST", collection, Some(&record));
        assert!(status == 200 || status == 201, "{collection} {record}: {status} {body}");
        self
    }

    /// Creates what an asset refers to: a category, a product and a status.
    pub fn with_lookups(self) -> Self {
        self.holds("categories", serde_json::json!({"name": "Laptops", "type": "asset"}))
            .holds("products", serde_json::json!({"name": "MacBook Pro 14", "category_id": 1}))
            .holds("statuses", serde_json::json!({"name": "Ready", "type": "deployable"}))
    }

    /// Runs `tallyport` with these arguments in the folder, against the account.
    pub fn run(&self, arguments: &[&str]) -> CommandOutput {
        CommandOutput::run(self.command(arguments))
    }

    /// The command, for tests that change its environment or streams.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tallyport(self.folder.path(), arguments);
        command.env("BLUETALLY_BASE_URL", self.sandbox.base_url()).env("BLUETALLY_API_KEY", KEY);
        if let Some(tenant) = self.tenant {
            command.env("BLUETALLY_TENANT_ID", tenant.to_string());
        }
        command
    }

    /// Runs a command with `--json` and returns its exit code and document.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let ran = self.run(&[arguments, &["--json"]].concat());
        let document =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.stdout, ran.stderr));
        (ran.code, document)
    }

    /// Runs commands one after the other; each command line with its redacted output.
    pub fn transcript(&self, commands: &[&[&str]]) -> String {
        let run =
            |arguments: &&[&str]| format!("$ tallyport {}\n{}", arguments.join(" "), self.run(arguments).redacted());
        commands.iter().map(run).collect()
    }

    /// Every record of a collection, in the order of creation.
    pub fn records(&self, collection: &str) -> Vec<Value> {
        let (status, body) = self.request("GET", &format!("{collection}?limit=1000&sort=created_at"), None);
        assert_eq!(status, 200, "{body}");
        body.as_array().cloned().unwrap()
    }

    /// The only record of a collection with that text in that field.
    pub fn record(&self, collection: &str, field: &str, text: &str) -> Value {
        let mut found: Vec<Value> =
            self.records(collection).into_iter().filter(|record| record[field] == text).collect();
        assert_eq!(found.len(), 1, "{collection} with {field} {text}");
        found.remove(0)
    }

    /// Sends a plain HTTP request, without code of the client.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let tenant = self
            .tenant
            .map(|id| format!("{}tenant_id={id}", if path.contains('?') { '&' } else { '?' }))
            .unwrap_or_default();
        let (status, body) = request(self.sandbox.address(), KEY, method, &format!("{path}{tenant}"), body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }
}

/// Sends a plain HTTP request below the base URL, without code of the client; returns status and body.
pub fn request(address: SocketAddr, key: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
    let body = body.map(ToString::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} /api/v1/{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The command `tallyport`, isolated from the environment of this machine.
pub fn tallyport(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallyport"));
    for name in [
        "BLUETALLY_BASE_URL", "BLUETALLY_API_KEY", "BLUETALLY_TENANT_ID", "HTTP_PROXY", "http_proxy", "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        // The sandbox finishes every request at once.
        .env("TALLYPORT_RESEND_WAIT", "1")
        .env("TALLYPORT_HOME", folder.join("state"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("HOME", folder)
        .env("APPDATA", folder.join("config"));
    command
}

impl CommandOutput {
    /// Runs a command to its end.
    pub fn run(mut command: impl BorrowMut<Command>) -> Self {
        let command = command.borrow_mut();
        let output = command.output().unwrap();
        Self::of(output, command.get_current_dir().unwrap())
    }

    /// The output of a command that ran in a folder.
    pub fn of(output: Output, folder: &Path) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            folder: folder.to_owned(),
        }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output and standard error.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Exit code, standard output and standard error, without what differs between runs.
    pub fn redacted(&self) -> String {
        let mut text = format!("exit code {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text += &format!("--- {name}\n{}", redact(stream, &self.folder));
            }
        }
        text
    }

    /// The JSON document on standard output, indented, without what differs between runs.
    pub fn redacted_json(&self) -> String {
        redact_json(&self.stdout, &self.folder)
    }
}

/// The rows of a sheet as text, header first.
pub fn sheet_rows(path: &Path, sheet: &str) -> Vec<Vec<String>> {
    use calamine::{Reader, open_workbook_auto};
    let mut workbook = open_workbook_auto(path).unwrap();
    let range = workbook.worksheet_range(sheet).unwrap();
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}
