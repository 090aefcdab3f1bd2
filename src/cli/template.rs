use super::args::{Global, TemplateArgs};
use super::printer::Printer;
use super::{Error, Exit};

pub(super) fn run(_global: &Global, _args: &TemplateArgs, _printer: Printer) -> Result<Exit, Error> {
    Ok(Exit::Internal)
}
