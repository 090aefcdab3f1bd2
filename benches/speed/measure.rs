//! One process: how long it took and the most memory it held. Several of them: the median.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// How often a process is asked for its memory. The kernel keeps the peak, so only the last moment can be missed.
const POLL: Duration = Duration::from_millis(2);

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    seconds: f64,
    /// The largest resident set, in bytes; none where the system does not tell.
    peak: Option<u64>,
}

/// A run that has ended somehow.
pub(crate) struct Ended {
    status: ExitStatus,
    sample: Sample,
    told: String,
}

/// Runs a process to its end.
pub(crate) fn run(command: &mut Command) -> Outcome<Ended> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let mut peak = None;
    let status = loop {
        peak = peak_of(child.id()).max(peak);
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(POLL),
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    let mut told = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut told)?;
    }
    Ok(Ended { status, sample: Sample { seconds, peak }, told })
}

impl Ended {
    pub(crate) fn success(self) -> Outcome<Sample> {
        self.exit_code(0)
    }

    /// The run, if it ended as it should.
    pub(crate) fn exit_code(self, expected: i32) -> Outcome<Sample> {
        match self.status.code() == Some(expected) {
            true => Ok(self.sample),
            false => Err(format!("a run ended with {}, not with code {expected}", self.status).into()),
        }
    }

    /// The run with the seconds that the process itself measured and printed, without its preparations.
    pub(crate) fn told(self) -> Outcome<Sample> {
        let seconds = self.told.trim().parse()?;
        Ok(Sample { seconds, ..self.success()? })
    }
}

#[cfg(target_os = "linux")]
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(not(target_os = "linux"))]
fn peak_of(_process: u32) -> Option<u64> {
    None
}

/// The runs of one thing.
pub(crate) struct Series {
    name: &'static str,
    rows: u64,
    samples: Vec<Sample>,
}

impl Series {
    pub(crate) fn new(name: &'static str, rows: u64) -> Self {
        Self { name, rows, samples: Vec::new() }
    }

    pub(crate) fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Rows a second, of the median run.
    fn rate(&self) -> f64 {
        let mut seconds: Vec<f64> = self.samples.iter().map(|sample| sample.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).map_or(f64::NAN, |median| self.rows as f64 / median)
    }

    /// The largest peak of all runs, as text.
    fn peak(&self) -> String {
        match self.samples.iter().filter_map(|sample| sample.peak).max() {
            Some(bytes) => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
            None => String::from("not measured"),
        }
    }

    fn seconds(&self) -> String {
        let seconds: Vec<String> = self.samples.iter().map(|sample| format!("{:.2}", sample.seconds)).collect();
        seconds.join(" ")
    }
}

pub(crate) fn print_table(roof: &Series, measured: &[&Series]) {
    println!("| what | rows/s | of the roof | peak memory | seconds |\n|---|---:|---:|---:|---|");
    for series in std::iter::once(&roof).chain(measured) {
        let (name, rate, peak, seconds) = (series.name, series.rate(), series.peak(), series.seconds());
        println!("| {name} | {rate:.0} | {:.2} | {peak} | {seconds} |", rate / roof.rate());
    }
}
