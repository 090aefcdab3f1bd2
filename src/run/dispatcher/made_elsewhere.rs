//! Steps whose record another run of this machine has made or changed since the plan: the record is looked at again, and
//! the step becomes what a plan made now would make of it: an update, or nothing is left to do.

use futures::{StreamExt, TryStreamExt, stream};

use super::{Dispatcher, LoopControl, StepTransport};
use crate::api::Record;
use crate::mapping::TimestampColumn;
use crate::observer::Wait;
use crate::plan::{Step, StepRole, WriteKind, update_to};
use crate::run::journal::WriteCommand;
use crate::run::unresolved_steps::UnresolvedStep;
use crate::run::{RunObserver, RunStart, outcome};

/// Records read at a time; the client has its own limit besides.
const CONCURRENT_READS: usize = 8;

impl<T: StepTransport> Dispatcher<'_, T> {
    /// The record to look at for a step whose record another run has written; none where only its key is known. An
    /// update from an export is not among them: what has changed since the export is a conflict. Nor are the steps of a
    /// resumed run: its plan is the older one, and the other run knew what it did.
    pub(super) fn record_of_other_run(&self, step: &Step, record: Option<i64>) -> Option<i64> {
        if self.options.start == RunStart::Resumed {
            return None;
        }
        let sheet = self.sheets.get(usize::from(step.row.sheet));
        let is_exported = sheet.is_some_and(|sheet| sheet.column_of(TimestampColumn::Updated.name()).is_some());
        match step.write {
            WriteKind::Create => record.filter(|_| step.entity.is_collection()),
            WriteKind::Update(id) => (!is_exported).then_some(id),
            WriteKind::Delete(_) => None,
        }
    }

    /// Reads the records that other runs have written, and decides about the steps. Whether that was possible.
    pub(super) async fn look_at_made(&mut self, made: Vec<UnresolvedStep>, control: &mut LoopControl<'_>) -> bool {
        let transport = self.transport;
        let ids: Vec<_> = made.iter().map(|unresolved| (unresolved.step.entity, unresolved.made)).collect();
        let reading = stream::iter(ids)
            .map(|(entity, id)| async move {
                let Some(id) = id else { return Ok(None) };
                Ok(transport.record(entity, id).await?.map(|record| (id, record)))
            })
            .buffered(CONCURRENT_READS)
            .try_collect::<Vec<Option<(i64, Record)>>>();
        match control.wait(Some(Wait::Reconciling { requests: made.len() }), reading).await {
            Some(Ok(records)) => {
                for (mut unresolved, found) in made.into_iter().zip(records) {
                    match found {
                        Some((id, record)) => self.apply_to_made(unresolved, id, &record, control.observer),
                        // Deleted since, or not shown yet: then it is looked for by its key.
                        None => {
                            unresolved.made = None;
                            self.unresolved.requeue(vec![unresolved]);
                        }
                    }
                }
                return true;
            }
            Some(Err(error)) => self.on_read_error(&error),
            None => self.on_interrupt(),
        }
        self.unresolved.requeue(made);
        false
    }

    /// Decides about a step whose record is there.
    fn apply_to_made(&mut self, unresolved: UnresolvedStep, id: i64, record: &Record, observer: &mut dyn RunObserver) {
        let planned = unresolved.step.before.as_ref();
        let (body, before) = update_to(unresolved.step.entity, &unresolved.step.body, planned, record);
        let is_key = |name: &String| unresolved.step.entity.key.contains(&name.as_str());
        let outcome = match unresolved.step.role {
            StepRole::Row if body.is_empty() => outcome::found_applied(&unresolved, Some(id), Some(record)),
            StepRole::Row if self.options.creates_only && unresolved.step.write == WriteKind::Create => {
                outcome::made_by_other_run(&unresolved.step, &unresolved.cause, id)
            }
            StepRole::Row => {
                if unresolved.step.write == WriteKind::Create {
                    // The update claims the record itself. A claim of the record is kept: it would be news for ever.
                    self.claiming.release(unresolved.step.number);
                }
                let step = Step { write: WriteKind::Update(id), body, before: Some(before), ..unresolved.step };
                return self.send_instead(Step { depends_on: Vec::new(), ..step });
            }
            // A record that a row names is found by its key, and is not the row's to change.
            StepRole::Dependency if body.keys().all(is_key) => {
                outcome::found_applied(&unresolved, Some(id), Some(record))
            }
            StepRole::Dependency => {
                let fields: Vec<&str> = body.keys().map(String::as_str).collect();
                let differs =
                    format!("{} `#{id}` differs in `{}`", unresolved.step.entity.singular, fields.join("`, `"));
                outcome::indeterminate(&unresolved, &differs)
            }
        };
        self.record_outcome(unresolved.step, outcome, observer);
    }

    /// Sends a step in place of the one with its number.
    fn send_instead(&mut self, step: Step) {
        self.writer.append(WriteCommand::ReplaceStep(Box::new(step.clone())));
        self.retries.push_back(step);
    }
}
