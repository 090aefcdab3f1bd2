use clap_complete::Shell;

use super::printer::Printer;
use super::{Error, Exit};

pub(super) fn completions(_shell: Shell, _printer: Printer) -> Result<Exit, Error> {
    Ok(Exit::Internal)
}

pub(super) fn man(_printer: Printer) -> Result<Exit, Error> {
    Ok(Exit::Internal)
}
