//! Exports collections of an embedded sandbox to a workbook: `cargo run --example export_xlsx [FILE]`.

use tallyport::ExportJob;
use tallyport::observer::Observer;
use tallyport::{Account, ConnectOptions, Error};

/// Prints each phase of the export.
struct Print;

impl Observer for Print {
    fn on_phase(&mut self, name: &str, _: Option<u64>) {
        eprintln!("{name}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let output = std::env::args().nth(1).unwrap_or_else(|| String::from("inventory.xlsx"));
    // For a real account: ConnectOptions::new(tallyport::DEFAULT_BASE_URL, &api_key)
    let account = Account::connect(ConnectOptions::sandbox()).await?;
    let job = ExportJob::new(["categories", "statuses", "depreciations"]).to(output).sorted_by("name");
    let report = account.export(job, &mut Print).await?;
    for table in &report.tables {
        println!("{}: {} rows", table.collection, table.rows);
    }
    for file in report.files.iter().filter_map(|file| file.location.as_ref()) {
        println!("wrote {file}");
    }
    report.warnings().iter().for_each(|warning| eprintln!("warning: {warning}"));
    Ok(())
}
