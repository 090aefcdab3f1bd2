//! `tallyport completions` and `tallyport man`: both from the command line's own definition.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use super::printer::Printer;
use super::{Error, Exit, man};

pub(super) fn completions(shell: Shell, printer: Printer) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tallyport", &mut script);
    print(script, printer)
}

pub(super) fn man(printer: Printer) -> Result<Exit, Error> {
    print(man::page()?, printer)
}

/// Prints a text that another program reads as it is.
fn print(bytes: Vec<u8>, printer: Printer) -> Result<Exit, Error> {
    if printer.json {
        return Err(Error::usage("this command prints no data, so there is no JSON of it", "leave out --json"));
    }
    printer.verbatim(&String::from_utf8(bytes).map_err(io::Error::other)?)?;
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use clap::{CommandFactory, ValueEnum};
    use clap_complete::Shell;

    use super::Cli;

    #[test]
    fn every_shell_has_completions() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "tallyport", &mut script);
            assert!(String::from_utf8(script).unwrap().contains("api-key-file"), "{shell}");
        }
    }
}
