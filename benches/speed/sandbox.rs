//! A sandbox in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// A running sandbox, stopped when dropped.
pub(crate) struct Sandbox {
    process: Child,
    pub(crate) base_url: String,
    pub(crate) api_key: String,
}

impl Sandbox {
    /// `program` is the program without arguments.
    pub(crate) fn start(program: &mut Command) -> Outcome<Self> {
        program.args(["sandbox", "--listen", "127.0.0.1:0", "--quota", "none", "--json"]);
        let mut process = program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = process.stdout.take().ok_or("the sandbox has no stdout")?;
        // From here on the process ends with the value, whatever fails.
        let mut sandbox = Self { process, base_url: String::new(), api_key: String::new() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let told: serde_json::Value = serde_json::from_str(&line)?;
        sandbox.base_url = told["base_url"].as_str().ok_or("the sandbox told no address")?.to_owned();
        sandbox.api_key = told["api_key"].as_str().ok_or("the sandbox told no key")?.to_owned();
        Ok(sandbox)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
