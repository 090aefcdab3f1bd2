//! What `-v` shows: the events of the program, as text or as the JSON lines of `--log-format json`.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::printer::{self, Level};
use crate::terminal::{ERROR, FAINT, GOOD, WARNING};

/// `-v` shows each request, and each file that is read and written; `-vv` also what is only of use to whoever looks for a
/// fault; `-vvv` queries and bodies too. Never a key.
pub(super) fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target("tallyport", level);
    // A second subscriber in one process, as in a test, changes nothing.
    let _ = tracing_subscriber::registry().with(Lines.with_filter(ours)).try_init();
}

/// Writes each event as a line through the printer, like everything else on stderr.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = EventText::default();
        event.record(&mut text);
        let (level, style) = match *event.metadata().level() {
            tracing::Level::ERROR => (Level::Error, ERROR),
            tracing::Level::WARN => (Level::Warning, WARNING),
            tracing::Level::INFO => (Level::Info, GOOD),
            _ => (Level::Info, FAINT),
        };
        let text = format!("{}{}", text.message, text.fields);
        if printer::is_in_lines() {
            return printer::say(level, &text, None);
        }
        let (time, name) = (jiff::Timestamp::now(), event.metadata().level());
        printer::write_stderr(&format!("{FAINT}{time:.6}{FAINT:#} {style}{name:>5}{style:#} {text}\n"));
    }
}

/// The message of an event, and its fields as ` name=value`.
#[derive(Default)]
struct EventText {
    message: String,
    fields: String,
}

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
