//! The arguments of `tallyport verify`.

use clap::Args;

use super::ReadingArgs;

#[derive(Debug, Args)]
#[command(
    mut_arg("files", |files| {
        files
            .value_name("RUN|FILE")
            .help("A run of this machine (its id, or the beginning or end of it), or spreadsheets; `-` is stdin")
    }),
    mut_arg("mode", |mode| mode.hide(true)),
    mut_arg("fractional_cost", |cost| {
        cost.help("Compare amounts as an import with this option sends them; whatever it is, none is left out")
    }),
    mut_arg("result", |result| result.help("Write every difference to this workbook: .xlsx; {date} and {time} are replaced"))
)]
#[command(after_help = "\
Reads what the account holds now and changes nothing. Exit code 0: no difference; 1: something differs, \
or could not be compared. Rows that failed in a run sent nothing: a note tells how many.

Examples:
  tallyport verify 20261124-093012-kqzf
  tallyport verify kqzf --result verified.xlsx
  tallyport verify assets.xlsx --complete
  tallyport verify inventory.csv --entity assets --map 'Tag No=asset_id'")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub reading: ReadingArgs,

    /// Also report the records of these collections that the file does not have
    #[arg(long)]
    pub complete: bool,
}
