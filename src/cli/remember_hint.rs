//! Offers to remember flags that made a header row work.

use std::io::{self, IsTerminal as _};

use super::args::ReadingArgs;
use super::printer::{Printer, is_in_lines};

/// Says in one line how the flags would not be needed again. Only to somebody who is there: neither in scripts nor in
/// jobs that run by themselves.
pub(super) fn offer_to_remember(reading: &ReadingArgs, printer: Printer) {
    let is_watched = io::stdout().is_terminal() && !printer.json && !is_in_lines();
    if is_watched && is_worth_remembering(reading) {
        printer.note("add --remember, and the next file with this header row needs none of these flags");
    }
}

/// Whether flags say how headers are read, and are not kept.
fn is_worth_remembering(reading: &ReadingArgs) -> bool {
    let layout = &reading.layout;
    let lists = [&layout.map, &layout.ignore, &reading.default, &reading.value, &reading.skip_where];
    !reading.remember && (layout.mapping.is_some() || lists.iter().any(|list| !list.is_empty()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::is_worth_remembering;
    use crate::cli::args::{Cli, Command};

    #[test]
    fn flags_that_say_how_headers_are_read_are_offered_for_keeping() {
        let is_offered = |text: &str| {
            let cli = Cli::try_parse_from(text.split(' ')).unwrap();
            let Command::Check(args) = cli.command else { panic!("no check: {text}") };
            is_worth_remembering(&args.reading)
        };
        assert!(is_offered("tallyport check a.csv --map Tag=asset_id"));
        assert!(is_offered("tallyport check a.csv --mapping m.toml"));
        assert!(is_offered("tallyport check a.csv --skip-where Own=me"));
        assert!(!is_offered("tallyport check a.csv"));
        assert!(!is_offered("tallyport check a.csv --map Tag=asset_id --remember"));
        assert!(!is_offered("tallyport check a.csv --entity assets --date-format DD.MM.YYYY"));
    }
}
