//! Imports a CSV into an embedded sandbox, and prints what became of every row.
//!
//!     cargo run --example import_csv

use tallyport::observer::NoObserver;
use tallyport::{Account, ConnectOptions, ImportJob, Mode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("assets.csv");
    std::fs::write(
        &path,
        "Asset Tag,Product,Status\nA-1,MacBook Pro 14,Ready to deploy\nA-2,No such product,Ready to deploy\n",
    )?;

    // For a real account: ConnectOptions::new(DEFAULT_BASE_URL, &std::env::var("BLUETALLY_API_KEY")?)
    let account = Account::connect(ConnectOptions::sandbox()).await?;
    let job = ImportJob::from_path(&path).entity("assets").map("Asset Tag=asset_id").mode(Mode::Upsert);

    let plan = account.plan(job).await?; // nothing is sent yet
    println!("{} of {} rows would be created", plan.summary()?.counts().created, plan.summary()?.rows());

    let report = plan.apply(&mut NoObserver).await?; // journalled: can be resumed and undone
    println!("run {}", report.run_id());
    for (sheet, row) in report.rows() {
        let row = row?;
        println!("{sheet}, row {}: {}", row.number, row.outcome.status.as_str());
        row.outcome.problems.iter().for_each(|problem| println!("  {}", problem.error.message));
    }
    let result = report.write_workbook(folder.path().join("assets.result.xlsx"))?;
    println!("wrote {}", result.file_name().unwrap_or_default().display());
    Ok(())
}
