//! A journalled run as the library does it: planned into a journal and sent from it, in a file or in memory.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};
use tallyport::RowStatus;
use tallyport::internals::{
    AccountIdentity, AccountSnapshot, Client, ClientOptions, DispatchOptions, Dispatcher, JournalBuilder,
    JournalLocation, LostWaits, PlannedRow, Row, RowId, RowState, RunDetails, RunEnd, RunHeader, RunKind, RunObserver,
    RunStart, Secret, SheetHeader, Step, StepOutcome, StepRole, StepSink as _, WriteKind,
};
use tallyport::observer::Wait;
use tallyport::schema;
use tallyport::shutdown::ShutdownSignal;

use crate::Outcome;
use crate::inputs::{Faults, HEADERS, Record};
use crate::peers::{IN_FLIGHT, Ids};

/// Ignores outcomes and progress.
struct Alone;

impl RunObserver for Alone {
    fn on_step_end(&mut self, _: &Step, _: &StepOutcome) {}

    fn on_duplicate(&mut self, _: &StepOutcome) {}

    fn on_progress(&mut self, _: Option<&Wait>) {}
}

/// Plans so many new assets into a journal, sends them, and prints the seconds that took. `place` is a file, or
/// `memory`.
pub(crate) fn run(place: &str, base_url: &str, api_key: &str, rows: u64) -> Outcome<()> {
    let at = match place {
        "memory" => JournalLocation::Memory,
        path => JournalLocation::File(PathBuf::from(path)),
    };
    // One that is there already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ids = Ids::fetch(&reqwest::Client::builder().no_proxy().build()?, base_url, api_key).await?;
        let key = Secret::new(api_key.to_owned()).map_err(|reason| format!("{reason:?}"))?;
        let options =
            ClientOptions { quota: None, concurrency: IN_FLIGHT as u16, ..ClientOptions::new(base_url.parse()?, key) };
        let client = Client::new(options)?;
        let start = Instant::now();
        let journal = plan(at, base_url, &ids, rows)?.finish(&AccountSnapshot::default())?;
        let sheets = journal.sheets()?;
        let settings = DispatchOptions {
            concurrency: IN_FLIGHT,
            max_errors: None,
            failed_before: 0,
            start: RunStart::Fresh,
            no_wait: false,
            creates_only: false,
            lost_waits: LostWaits { look: Duration::from_secs(1), resend: Duration::from_secs(1) },
        };
        let (journal, end) =
            Dispatcher::new(&client, settings, &sheets, journal)?.run(&mut ShutdownSignal::new(), &mut Alone).await?;
        println!("{}", start.elapsed().as_secs_f64());
        match (end, journal.open_steps()?) {
            (RunEnd::Complete, 0) => Ok(()),
            (end, open) => Err(format!("{end:?}, and {open} steps are open").into()),
        }
    })
}

fn plan(at: JournalLocation, base_url: &str, ids: &Ids, rows: u64) -> Result<JournalBuilder, Box<dyn Error>> {
    let entity = schema::collection("assets").ok_or("there are no assets")?;
    let account = AccountIdentity::Service { base_url: base_url.to_owned(), tenant: None, profile: None };
    let (id, details) = (String::from("bench"), RunDetails::default());
    let mut draft =
        JournalBuilder::create(at, &RunHeader { id, kind: RunKind::Import, account, undoes: None, details })?;
    let mut header = Row::default();
    header.clear(1);
    HEADERS.iter().for_each(|text| header.push_text(text));
    let (file, label) = (String::from("assets.csv"), String::from("assets"));
    let (fields, ignored) = (Vec::new(), Vec::new());
    draft.sheet(
        0,
        &SheetHeader {
            file,
            name: None,
            label,
            place: 0,
            entity,
            header,
            fields,
            decoding: None,
            ignored,
            owner: None,
        },
    )?;
    let mut row = Row::default();
    for position in 0..rows {
        let mut step =
            Step::new(position as u32, RowId { sheet: 0, row: position + 2 }, StepRole::Row, entity, WriteKind::Create);
        step.body = serde_json::from_slice::<Map<String, Json>>(&ids.body(position)?)?;
        draft.push(&step)?;
        row.clear(position + 2);
        Record::at(position, Faults::None).cells.iter().for_each(|cell| row.push_text(cell));
        let (state, status) = (RowState::Planned, RowStatus::Created);
        let planned = PlannedRow { state, status, record: None, message: String::new(), problems: Vec::new() };
        draft.row(&row, &planned, &|_| false)?;
    }
    Ok(draft)
}
