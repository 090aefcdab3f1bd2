//! What `-v` shows: the events of the program, as text or as the JSON lines of `--log-format json`.

use std::fmt::{self, Write};
use std::io;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::printer::{self, Level};

/// `-v` shows what goes on, `-vv` every request; never a key, and bodies only at `-vvv`.
pub(super) fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target("tallyport", level);
    // A second subscriber in one process, as in a test, changes nothing.
    let _ = if printer::is_in_lines() {
        tracing_subscriber::registry().with(JsonLines.with_filter(ours)).try_init()
    } else {
        let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false);
        tracing_subscriber::registry().with(lines.with_filter(ours)).try_init()
    };
}

/// Writes each event as a line of JSON, like everything else on stderr.
struct JsonLines;

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = EventText::default();
        event.record(&mut text);
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            _ => Level::Info,
        };
        printer::say(level, &format!("{}{}", text.message, text.fields), None);
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
