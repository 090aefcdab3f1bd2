//! How far a run is: a bar on a terminal, a plain line now and then elsewhere, nothing where nothing is wanted.
//!
//! Everything goes to stderr. What is said is the business of [`ProgressState`], which is told the time and prints nothing.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::args::{Global, LogFormat};
use super::printer::{self, Level};
use crate::observer::Remaining;
use crate::redact::without_secrets;
use crate::terminal;
use crate::wording::{counted, duration, thousands};

/// The time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// The time between two changes of the words beside a bar.
const WORDS_EVERY: Duration = Duration::from_millis(200);
/// A rate or an end told sooner would be a guess.
const SETTLED: Duration = Duration::from_secs(2);

// The words are cut at the edge of the terminal: a line that wraps cannot be taken back.
const WITH_TOTAL: &str = "{prefix:<10} {bar:16.green} {human_pos}/{human_len} rows  {wide_msg}";
const WITHOUT_TOTAL: &str = "{prefix:<10} {spinner} {human_pos} rows  {wide_msg}";

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgressKind {
    Bars,
    Lines,
    Hidden,
}

/// The progress of a run, from its first phase to its end.
pub(super) struct Progress {
    meter: ProgressState,
    view: ProgressView,
}

enum ProgressView {
    Bar { bar: ProgressBar, words_at: Option<Instant> },
    Lines,
    Hidden,
}

/// Where a phase stands. Knows no clock and no screen.
#[derive(Debug)]
struct ProgressState {
    phase: String,
    total: Option<u64>,
    done: u64,
    failed: u64,
    began: Instant,
    line_at: Instant,
    remaining: Option<Remaining>,
    waiting: Option<String>,
}

impl ProgressKind {
    /// What the flags and the place stderr leads to ask for.
    pub(super) fn choose(global: &Global) -> Self {
        Self::of(global, io::stderr().is_terminal())
    }

    /// With `--json` progress stays: it is on stderr, the document on stdout.
    fn of(global: &Global, is_terminal: bool) -> Self {
        match (global.quiet || global.no_progress, is_terminal) {
            (true, _) => Self::Hidden,
            (false, true) if global.log_format != Some(LogFormat::Json) => Self::Bars,
            (false, _) => Self::Lines,
        }
    }
}

impl Progress {
    /// Begins with `total` rows to do in each phase, as far as that is known.
    pub(super) fn new(kind: ProgressKind, total: Option<u64>) -> Self {
        let view = match kind {
            ProgressKind::Bars => ProgressView::Bar { bar: bar(total), words_at: None },
            ProgressKind::Lines => ProgressView::Lines,
            ProgressKind::Hidden => ProgressView::Hidden,
        };
        Self { meter: ProgressState::new(total, Instant::now()), view }
    }

    /// Begins the next phase, such as `checking`; its rows are counted from none.
    pub(super) fn phase(&mut self, name: &str) {
        let now = Instant::now();
        self.meter.phase(name, now);
        if let ProgressView::Bar { bar, .. } = &self.view {
            bar.set_prefix(shown(name));
            bar.set_position(0);
        }
        self.reword(now);
    }

    /// Says how many rows the phase has, once it is known.
    pub(super) fn set_total(&mut self, total: Option<u64>) {
        self.meter.total = total;
        if let ProgressView::Bar { bar, .. } = &self.view {
            bar.set_style(style(total));
            total.map_or_else(|| bar.unset_length(), |total| bar.set_length(total));
        }
    }

    /// Sets how many rows of the phase are done.
    pub(super) fn set_done(&mut self, rows: u64, failed: u64) {
        let now = Instant::now();
        (self.meter.done, self.meter.failed) = (rows, failed);
        match &mut self.view {
            ProgressView::Bar { bar, words_at } => {
                bar.set_position(rows);
                if words_at.is_none_or(|at| now.duration_since(at) >= WORDS_EVERY) {
                    self.reword(now);
                }
            }
            ProgressView::Lines => {
                if let Some(line) = self.meter.line(now) {
                    printer::write_info(&line, self.meter.fields(now));
                }
            }
            ProgressView::Hidden => {}
        }
    }

    /// Says what there is still to send, for an end that knows the quota.
    pub(super) fn set_remaining(&mut self, remaining: Remaining) {
        self.meter.remaining = Some(remaining);
    }

    /// Says what the run waits for, such as `waiting for the quota until 14:05`; none when it goes on.
    pub(super) fn set_waiting(&mut self, waiting: Option<String>) {
        if self.meter.waiting == waiting {
            return;
        }
        if let (ProgressView::Lines, Some(waiting)) = (&self.view, &waiting) {
            say(waiting);
        }
        self.meter.waiting = waiting;
        self.reword(Instant::now());
    }

    /// Prints something above the bar, which would otherwise stay on the screen half overwritten.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        match &self.view {
            ProgressView::Bar { bar, .. } => bar.suspend(print),
            ProgressView::Lines | ProgressView::Hidden => print(),
        }
    }

    /// Ends it: the bar goes away, the summary takes its place.
    pub(super) fn finish(self) {
        if let ProgressView::Bar { bar, .. } = self.view {
            bar.finish_and_clear();
        }
    }

    fn reword(&mut self, now: Instant) {
        if let ProgressView::Bar { bar, words_at } = &mut self.view {
            *words_at = Some(now);
            bar.set_message(shown(&self.meter.words(now)));
        }
    }
}

/// Words beside a bar, which draws them itself.
fn shown(words: &str) -> String {
    terminal::visible(&without_secrets(words)).into_owned()
}

impl ProgressState {
    fn new(total: Option<u64>, now: Instant) -> Self {
        Self {
            phase: String::new(),
            total,
            done: 0,
            failed: 0,
            began: now,
            line_at: now,
            remaining: None,
            waiting: None,
        }
    }

    fn phase(&mut self, name: &str, now: Instant) {
        *self = Self { phase: name.to_owned(), line_at: self.line_at, ..Self::new(self.total, now) };
    }

    /// Rows a second since the phase began; none before it has settled.
    fn rate(&self, now: Instant) -> Option<f64> {
        let passed = now.duration_since(self.began);
        (passed >= SETTLED && self.done > 0).then(|| self.done as f64 / passed.as_secs_f64())
    }

    /// The seconds to the end: as fast as so far, and no faster than the quota allows.
    fn left(&self, now: Instant) -> Option<f64> {
        let by_quota = self.remaining.map_or(0.0, quota_seconds);
        let by_rate = match (self.total, self.rate(now)) {
            (Some(total), Some(rate)) => total.saturating_sub(self.done) as f64 / rate,
            _ if by_quota > 0.0 => 0.0,
            _ => return None,
        };
        Some(by_rate.max(by_quota))
    }

    /// What stands beside a bar: `35 rows/s, 3 failed, 6 min left`.
    fn words(&self, now: Instant) -> String {
        let mut words = Vec::new();
        if let Some(rate) = self.rate(now) {
            words.push(format!("{} rows/s", shown_rate(rate)));
        }
        if self.failed > 0 {
            words.push(format!("{} failed", thousands(self.failed)));
        }
        match (&self.waiting, self.left(now)) {
            (Some(waiting), _) => words.push(waiting.clone()),
            (None, Some(left)) if self.total != Some(self.done) => words.push(format!("{} left", rounded(left))),
            (None, _) => {}
        }
        words.join(", ")
    }

    /// The same for those who read lines of JSON.
    fn fields(&self, now: Instant) -> serde_json::Value {
        serde_json::json!({
            "event": "progress", "phase": self.phase, "rows": self.done, "total": self.total, "failed": self.failed,
            "seconds": now.duration_since(self.began).as_secs(),
        })
    }

    /// The next line, where one is due: `sending: 1,204 of 14,200 rows, 35 rows/s, 3 failed, 6 min left`.
    fn line(&mut self, now: Instant) -> Option<String> {
        if now.duration_since(self.line_at) < LINE_EVERY {
            return None;
        }
        self.line_at = now;
        let rows = match self.total {
            Some(total) => format!("{} of {}", thousands(self.done), counted(total, "row")),
            None => counted(self.done, "row"),
        };
        let phase = if self.phase.is_empty() { String::new() } else { format!("{}: ", self.phase) };
        let words = self.words(now);
        let comma = if words.is_empty() { "" } else { ", " };
        Some(format!("{phase}{rows}{comma}{words}"))
    }
}

/// How long the quota alone makes the remaining requests take.
fn quota_seconds(remaining: Remaining) -> f64 {
    match remaining.per_hour {
        Some(per_hour @ 1..) => {
            remaining.requests.saturating_sub(remaining.allowed_now) as f64 * 3_600.0 / f64::from(per_hour)
        }
        _ => 0.0,
    }
}

/// A time to come, no finer than it can be known.
fn rounded(seconds: f64) -> String {
    match seconds {
        ..10.0 => format!("{:.0} s", seconds.max(1.0).ceil()),
        10.0..120.0 => duration((seconds / 5.0).ceil() * 5.0),
        _ => duration((seconds / 60.0).ceil() * 60.0),
    }
}

fn shown_rate(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { thousands(rate.round() as u64) }
}

fn bar(total: Option<u64>) -> ProgressBar {
    // Dropped on the way out of an error, it goes away, too: the message takes its place.
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10))
        .with_finish(ProgressFinish::AndClear);
    bar.set_style(style(total));
    bar
}

fn style(total: Option<u64>) -> ProgressStyle {
    let template = if total.is_some() { WITH_TOTAL } else { WITHOUT_TOTAL };
    // The templates are valid; a test proves it.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

fn say(line: &str) {
    printer::say(Level::Info, line, None);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use clap::Parser;

    fn after(began: Instant, seconds: f64) -> Instant {
        began + Duration::from_secs_f64(seconds)
    }

    fn meter(total: Option<u64>, done: u64, failed: u64) -> (ProgressState, Instant) {
        let began = Instant::now();
        let mut meter = ProgressState::new(total, began);
        meter.phase("sending", began);
        (meter.done, meter.failed) = (done, failed);
        (meter, began)
    }

    #[test]
    fn a_short_run_says_nothing_and_a_long_one_now_and_then() {
        let (mut meter, began) = meter(Some(1_000), 350, 3);
        assert_eq!(meter.line(after(began, 4.9)), None);
        assert_eq!(
            meter.line(after(began, 10.0)).unwrap(),
            "sending: 350 of 1,000 rows, 35 rows/s, 3 failed, 20 s left"
        );
        assert_eq!(meter.line(after(began, 14.9)), None);
        assert!(meter.line(after(began, 15.0)).is_some());
    }

    #[test]
    fn lines_keep_their_distance_over_a_change_of_phase() {
        let (mut meter, began) = meter(None, 10, 0);
        assert_eq!(meter.line(after(began, 5.0)).unwrap(), "sending: 10 rows, 2.0 rows/s");
        meter.phase("reporting", after(began, 6.0));
        assert_eq!(meter.line(after(began, 9.0)), None);
        assert_eq!(meter.line(after(began, 10.0)).unwrap(), "reporting: 0 rows");
    }

    #[test]
    fn the_end_knows_the_quota() {
        let (mut meter, began) = meter(Some(20_000), 1_000, 0);
        let now = after(began, 10.0);
        assert_eq!(meter.left(now).map(f64::round), Some(190.0));
        meter.remaining = Some(Remaining { requests: 19_000, allowed_now: 9_000, per_hour: Some(10_000) });
        assert_eq!(meter.left(now), Some(3_600.0));
        assert_eq!(meter.words(now), "100 rows/s, 1 h left");
        meter.remaining = Some(Remaining { requests: 9_000, allowed_now: 9_000, per_hour: Some(10_000) });
        assert_eq!(meter.left(now).map(f64::round), Some(190.0));
        meter.remaining = Some(Remaining { requests: 9_000, allowed_now: 0, per_hour: None });
        assert_eq!(meter.left(now).map(f64::round), Some(190.0));
    }

    #[test]
    fn waiting_stands_in_place_of_the_end() {
        let (mut meter, began) = meter(Some(10), 5, 1);
        meter.waiting = Some("waiting for the quota until 14:05".into());
        assert_eq!(meter.words(after(began, 5.0)), "1.0 rows/s, 1 failed, waiting for the quota until 14:05");
    }

    #[test]
    fn a_finished_phase_has_no_time_left() {
        let (meter, began) = meter(Some(10), 10, 0);
        assert_eq!(meter.words(after(began, 5.0)), "2.0 rows/s");
    }

    #[test]
    fn times_to_come_are_told_roughly() {
        assert_eq!([0.2, 8.4, 31.0, 118.0, 4_000.0].map(rounded), ["1 s", "9 s", "35 s", "2 min", "1 h 7 min"]);
    }

    #[test]
    fn flags_and_terminal_choose_the_kind() {
        let kind = |flags: &[&str], is_terminal| {
            let words = ["tallyport", "doctor"].into_iter().chain(flags.iter().copied());
            let cli = crate::cli::args::Cli::try_parse_from(words).unwrap();
            ProgressKind::of(&cli.global, is_terminal)
        };
        assert_eq!(kind(&[], true), ProgressKind::Bars);
        assert_eq!(kind(&[], false), ProgressKind::Lines);
        assert_eq!(kind(&["--json"], true), ProgressKind::Bars);
        assert_eq!(kind(&["--quiet"], true), ProgressKind::Hidden);
        assert_eq!(kind(&["--no-progress"], false), ProgressKind::Hidden);
    }

    #[test]
    fn the_templates_are_valid() {
        for template in [WITH_TOTAL, WITHOUT_TOTAL] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
