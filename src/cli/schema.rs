use super::args::SchemaArgs;
use super::printer::Printer;
use super::{Error, Exit};

pub(super) fn run(_args: &SchemaArgs, _printer: Printer) -> Result<Exit, Error> {
    Ok(Exit::Internal)
}
