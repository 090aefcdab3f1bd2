//! The loop that owns the store: it takes jobs from a queue, commits those that arrive together in one transaction, and
//! sends the replies.

use axum::http::StatusCode;
use rusqlite::Result as SqlResult;
use tokio::sync::{mpsc, oneshot};

use super::super::refusal::Refusal;
use super::record_store::{RecordStore, StoreFailure, StoreReply, StoreResult};

/// Capacity of the queue. Far more than any client has in flight; further requests wait for room.
const QUEUE: usize = 1024;

/// The maximum number of jobs in one commit.
const BATCH: usize = 64;

pub(crate) type Job = Box<dyn FnOnce(&mut RecordStore) -> StoreResult + Send>;

struct QueuedJob {
    job: Job,
    answer: oneshot::Sender<StoreReply>,
}

/// A handle for submitting jobs to the store.
#[derive(Clone)]
pub(crate) struct StoreQueue(mpsc::Sender<QueuedJob>);

#[derive(Debug, thiserror::Error)]
#[error("the sandbox is stopping")]
pub(crate) struct StoreStopped;

impl StoreQueue {
    /// Runs `job` on the store. The reply arrives after its changes are committed.
    pub(crate) async fn run(&self, job: Job) -> Result<StoreReply, StoreStopped> {
        let (answer, reply) = oneshot::channel();
        self.0.send(QueuedJob { job, answer }).await.map_err(|_| StoreStopped)?;
        reply.await.map_err(|_| StoreStopped)
    }
}

/// Creates a queue, and the loop that serves it until the last handle is dropped.
pub(crate) fn start_queue(store: RecordStore) -> (StoreQueue, impl Future<Output = ()> + Send) {
    let (queue, jobs) = mpsc::channel(QUEUE);
    (StoreQueue(queue), serve(store, jobs))
}

async fn serve(mut store: RecordStore, mut jobs: mpsc::Receiver<QueuedJob>) {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let (jobs, answers): (Vec<Job>, Vec<_>) = batch.drain(..).map(|queued| (queued.job, queued.answer)).unzip();
        let replies = store.run_batch(jobs);
        for (answer, reply) in answers.into_iter().zip(replies) {
            // A client that disconnected has lost its reply, not its change, as on any server.
            let _ = answer.send(reply);
        }
    }
}

impl RecordStore {
    /// Runs all jobs in one transaction. If the database fails, everything is rolled back and every job gets an error,
    /// so that no reply confirms a change that was rolled back.
    fn run_batch(&mut self, jobs: Vec<Job>) -> Vec<StoreReply> {
        let count = jobs.len();
        match self.try_run_batch(jobs) {
            Ok(replies) => replies,
            Err(error) => {
                tracing::error!(%error, "the sandbox's database failed");
                let _ = self.execute("ROLLBACK", []);
                let message = format!("the sandbox's database failed: {error}");
                let reply = StoreReply::from(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message));
                vec![reply; count]
            }
        }
    }

    fn try_run_batch(&mut self, jobs: Vec<Job>) -> SqlResult<Vec<StoreReply>> {
        self.execute("BEGIN", [])?;
        let replies = jobs
            .into_iter()
            .map(|job| match job(self) {
                Ok(reply) => Ok(reply),
                Err(StoreFailure::Refused(refusal)) => Ok(refusal.into()),
                Err(StoreFailure::Broken(error)) => Err(error),
            })
            .collect::<SqlResult<Vec<_>>>()?;
        self.execute("COMMIT", [])?;
        Ok(replies)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn boxed(job: impl FnOnce(&mut RecordStore) -> StoreResult + Send + 'static) -> Job {
        Box::new(job)
    }

    fn open(account: i64) -> Job {
        boxed(move |store| {
            store.execute("INSERT INTO accounts (tenant) VALUES (?1)", [account])?;
            Ok(StoreReply { status: StatusCode::CREATED, body: Vec::new() })
        })
    }

    #[test]
    fn when_the_database_fails_nothing_of_the_batch_happened_and_all_are_told() {
        let mut store = RecordStore::in_memory().unwrap();
        let broken = boxed(|store| {
            store.execute("INSERT INTO no_such_table VALUES (1)", [])?;
            Ok(StoreReply { status: StatusCode::CREATED, body: Vec::new() })
        });
        let replies = store.run_batch(vec![open(7), broken, open(8)]);
        assert!(replies.iter().all(|reply| reply.status == StatusCode::INTERNAL_SERVER_ERROR));
        assert!(!store.any("SELECT 1 FROM accounts", []).unwrap());
        let replies = store.run_batch(vec![open(7)]);
        assert_eq!(replies[0].status, StatusCode::CREATED, "and it goes on");
    }
}
