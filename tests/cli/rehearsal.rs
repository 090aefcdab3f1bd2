//! A test as a story: an account, sheets, a command, and what came of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tallyport::sandbox::{Sandbox, SandboxOptions, Seed};
use tempfile::TempDir;

pub const KEY: &str = "rehearsal";

/// A folder of sheets and an account to import them into.
pub struct Rehearsal {
    folder: TempDir,
    sandbox: Sandbox,
    tenant: Option<i64>,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Rehearsal {
    /// An account that holds nothing.
    pub fn new() -> Self {
        Self::with(SandboxOptions { seed: Seed::Empty, ..SandboxOptions::default() })
    }

    /// An account with the sample look-ups.
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

    /// A file of the given text.
    pub fn sheet(self, name: &str, text: &str) -> Self {
        self.bytes(name, text.as_bytes())
    }

    pub fn bytes(self, name: &str, bytes: &[u8]) -> Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// A record in the account.
    pub fn holds(self, collection: &str, record: Value) -> Self {
        let (status, body) = self.request("POST", collection, Some(&record));
        assert!(status == 200 || status == 201, "{collection} {record}: {status} {body}");
        self
    }

    /// What an asset needs before it can be: a category, a product and a status.
    pub fn furnished(self) -> Self {
        self.holds("categories", serde_json::json!({"name": "Laptops", "type": "asset"}))
            .holds("products", serde_json::json!({"name": "MacBook Pro 14", "category_id": 1}))
            .holds("statuses", serde_json::json!({"name": "Ready", "type": "deployable"}))
    }

    /// Runs `tallyport` with these arguments in the folder, against the account.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        Ran::of(command.output().unwrap())
    }

    /// The command, for a test that wants more of it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.folder.path(), arguments);
        command.env("BLUETALLY_BASE_URL", self.sandbox.base_url()).env("BLUETALLY_API_KEY", KEY);
        if let Some(tenant) = self.tenant {
            command.env("BLUETALLY_TENANT_ID", tenant.to_string());
        }
        command
    }

    /// The JSON a command prints with `--json`; `arguments` must not name it.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let ran = self.run(&[arguments, &["--json"]].concat());
        let document =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.stdout, ran.stderr));
        (ran.code, document)
    }

    /// Every record of a collection, in the order of creation.
    pub fn records(&self, collection: &str) -> Vec<Value> {
        let (status, body) = self.request("GET", &format!("{collection}?limit=1000&sort=created_at"), None);
        assert_eq!(status, 200, "{body}");
        body.as_array().cloned().unwrap()
    }

    /// The one record of a collection whose field holds a text.
    pub fn record(&self, collection: &str, field: &str, text: &str) -> Value {
        let mut found: Vec<Value> =
            self.records(collection).into_iter().filter(|record| record[field] == text).collect();
        assert_eq!(found.len(), 1, "{collection} with {field} {text}");
        found.remove(0)
    }

    /// A plain request, without any code of the client.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let tenant = self
            .tenant
            .map(|id| format!("{}tenant_id={id}", if path.contains('?') { '&' } else { '?' }))
            .unwrap_or_default();
        let (status, body) = request(self.sandbox.address(), KEY, method, &format!("{path}{tenant}"), body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }
}

/// A plain request below the base link, without any code of the client; its status and body.
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

/// `tallyport` with nothing of this machine's environment.
pub fn bare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("tallyport"));
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
        .env("TALLYPORT_HOME", folder.join("state"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("HOME", folder)
        .env("APPDATA", folder.join("config"));
    command
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Everything said, on either stream.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        let said = self.said();
        assert!(said.contains(words), "`{words}` is not in:\n{said}");
        self
    }
}

/// The rows of a sheet of a workbook as text, header first.
pub fn rows_of(path: &Path, sheet: &str) -> Vec<Vec<String>> {
    use calamine::{Reader, open_workbook_auto};
    let mut workbook = open_workbook_auto(path).unwrap();
    let range = workbook.worksheet_range(sheet).unwrap();
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}
