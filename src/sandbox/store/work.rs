//! The one loop that owns the store: work comes in, answers go out, and what comes in together is committed together.

use std::error::Error;
use std::fmt;

use axum::http::StatusCode;
use tokio::sync::{mpsc, oneshot};

use super::super::refusal::Refusal;
use super::{Failure, Outcome, Reply, Store};

/// Work that waits for the store. Far more than any client has in flight; beyond it requests wait at the door.
const QUEUE: usize = 1024;

/// Work that shares one commit.
const BATCH: usize = 64;

type Task = Box<dyn FnOnce(&mut Store) -> Outcome<Reply> + Send>;

struct Job {
    task: Task,
    answer: oneshot::Sender<Reply>,
}

/// Where requests hand in their work.
#[derive(Clone)]
pub(in super::super) struct Desk(mpsc::Sender<Job>);

/// The store is gone: the sandbox is stopping.
#[derive(Debug)]
pub(in super::super) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the sandbox is stopping")
    }
}

impl Error for Stopped {}

impl Desk {
    /// Has the store do `task`; the answer comes after what it wrote is committed.
    pub(in super::super) async fn ask(
        &self,
        task: impl FnOnce(&mut Store) -> Outcome<Reply> + Send + 'static,
    ) -> Result<Reply, Stopped> {
        let (answer, reply) = oneshot::channel();
        let job = Job { task: Box::new(task), answer };
        self.0.send(job).await.map_err(|_| Stopped)?;
        reply.await.map_err(|_| Stopped)
    }
}

/// A desk, and the loop to run behind it until the last desk is dropped.
pub(in super::super) fn work(store: Store) -> (Desk, impl Future<Output = ()> + Send) {
    let (desk, jobs) = mpsc::channel(QUEUE);
    (Desk(desk), serve(store, jobs))
}

async fn serve(mut store: Store, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let (tasks, answers): (Vec<Task>, Vec<_>) = batch.drain(..).map(|job| (job.task, job.answer)).unzip();
        let replies = store.settle(tasks);
        for (answer, reply) in answers.into_iter().zip(replies) {
            // A client that hung up meanwhile has lost its answer, not its change: as on any server.
            let _ = answer.send(reply);
        }
    }
}

impl Store {
    /// Does all tasks in one transaction. If the database fails at any of them nothing of it happened, and each is
    /// told so: an answer that promises what was rolled back would be a lie.
    fn settle(&mut self, tasks: Vec<Task>) -> Vec<Reply> {
        let count = tasks.len();
        match self.try_settle(tasks) {
            Ok(replies) => replies,
            Err(error) => {
                tracing::error!(%error, "the sandbox's database failed");
                let _ = self.execute("ROLLBACK", []);
                let message = format!("the sandbox's database failed: {error}");
                let reply = Reply::from(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message));
                vec![reply; count]
            }
        }
    }

    fn try_settle(&mut self, tasks: Vec<Task>) -> rusqlite::Result<Vec<Reply>> {
        self.execute("BEGIN", [])?;
        let replies = tasks
            .into_iter()
            .map(|task| match task(self) {
                Ok(reply) => Ok(reply),
                Err(Failure::Refused(refusal)) => Ok(refusal.into()),
                Err(Failure::Broken(error)) => Err(error),
            })
            .collect::<rusqlite::Result<Vec<_>>>()?;
        self.execute("COMMIT", [])?;
        Ok(replies)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn task(task: impl FnOnce(&mut Store) -> Outcome<Reply> + Send + 'static) -> Task {
        Box::new(task)
    }

    fn open(account: i64) -> Task {
        task(move |store| {
            store.execute("INSERT INTO accounts (tenant) VALUES (?1)", [account])?;
            Ok(Reply { status: StatusCode::CREATED, body: Vec::new() })
        })
    }

    #[test]
    fn when_the_database_fails_nothing_of_the_batch_happened_and_all_are_told() {
        let mut store = Store::in_memory().unwrap();
        let broken = task(|store| {
            store.execute("INSERT INTO no_such_table VALUES (1)", [])?;
            Ok(Reply { status: StatusCode::CREATED, body: Vec::new() })
        });
        let replies = store.settle(vec![open(7), broken, open(8)]);
        assert!(replies.iter().all(|reply| reply.status == StatusCode::INTERNAL_SERVER_ERROR));
        assert!(!store.any("SELECT 1 FROM accounts", []).unwrap());
        let replies = store.settle(vec![open(7)]);
        assert_eq!(replies[0].status, StatusCode::CREATED, "and it goes on");
    }
}
