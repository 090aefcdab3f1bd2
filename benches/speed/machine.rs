//! What the numbers were measured on.

use std::process::Command;

pub(crate) fn print() {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("# Speed\n");
    println!("- machine: {} ({cores} cores), {} {}", cpu(), std::env::consts::OS, std::env::consts::ARCH);
    println!("- compiler: {}", compiler().unwrap_or_else(|| String::from("unknown")));
    println!("- program: tallyport {}, profile bench", env!("CARGO_PKG_VERSION"));
}

/// The processor's name, where the system tells it in a file.
fn cpu() -> String {
    let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = facts.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| String::from("processor unknown"), |(_, name)| name.to_owned())
}

fn compiler() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
