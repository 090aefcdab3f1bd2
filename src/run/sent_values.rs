//! What earlier runs of this machine have sent for fields that the service does not report. The journals are read once one
//! is asked for: most services report them all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::journal::{Journal, JournalError, SentValue};
use super::prior_actions::{came_after, clock_skew};
use crate::account::Account;
use crate::plan::SentValues;
use crate::schema::{Entity, Field};

/// The last write of each record, by collection and field.
pub(super) struct JournaledValues<'a> {
    account: &'a Account,
    read: RefCell<HashMap<(&'static str, &'static str), LastWrites>>,
}

/// By record.
type LastWrites = HashMap<i64, SentValue>;

impl<'a> JournaledValues<'a> {
    pub(super) fn new(account: &'a Account) -> Self {
        Self { account, read: RefCell::default() }
    }

    /// Where a journal cannot be read, its run may have sent anything since: then nothing is known.
    fn last_writes(&self, entity: &Entity, field: &Field) -> Result<LastWrites, JournalError> {
        let mut last = LastWrites::new();
        for (_, path) in self.account.run_store().paths()? {
            let journal = Journal::open_read_only(&path)?;
            if self.account.has_run(&journal, &journal.header()?)? {
                journal.sent_values(entity, field)?.into_iter().for_each(|write| keep_latest(&mut last, write));
            }
        }
        Ok(last)
    }
}

impl SentValues for JournaledValues<'_> {
    fn last_sent(
        &self,
        (entity, field): (&'static Entity, &'static Field),
        id: i64,
        created: Option<Timestamp>,
    ) -> Option<Json> {
        let mut read = self.read.borrow_mut();
        let last = read
            .entry((entity.name, field.name))
            .or_insert_with(|| self.last_writes(entity, field).unwrap_or_default());
        let write = last.get(&id).filter(|write| came_after(write.at, created, clock_skew(self.account)))?;
        write.value.clone()
    }
}

/// Keeps the later of two writes of a record.
fn keep_latest(last: &mut LastWrites, write: SentValue) {
    match last.entry(write.record) {
        Entry::Occupied(mut known) if known.get().at <= write.at => drop(known.insert(write)),
        Entry::Occupied(_) => {}
        Entry::Vacant(place) => drop(place.insert(write)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::run::prepare::tests::{Office, entity};

    #[test]
    fn the_latest_write_of_a_record_counts_even_if_nobody_knows_what_became_of_it() {
        let write = |second: i64, value: Option<i64>| SentValue {
            record: 1,
            at: Timestamp::from_second(second).unwrap(),
            value: value.map(|value| json!(value)),
        };
        let last = |writes: Vec<SentValue>| {
            let mut last = LastWrites::new();
            writes.into_iter().for_each(|write| keep_latest(&mut last, write));
            last.remove(&1).unwrap().value
        };
        assert_eq!(last(vec![write(5, Some(10)), write(9, Some(20)), write(7, Some(30))]), Some(json!(20)));
        assert_eq!(last(vec![write(5, Some(10)), write(9, None)]), None);
        assert_eq!(last(vec![write(9, None), write(9, Some(10))]), Some(json!(10)), "the later step of one moment");
    }

    #[test]
    fn what_runs_of_this_machine_have_sent_last_is_known_of_the_record_that_they_made() {
        let office = Office::new();
        for url in ["https://acer.example", "https://new.example"] {
            office.import("manufacturers.csv", &format!("Name,Url\nAcer,{url}\n"));
        }
        let (entity, id) = (entity("manufacturers"), office.id("manufacturers", "name", "Acer"));
        let last = |field: &str, id: i64, created: Option<&str>| {
            let values = JournaledValues::new(&office.account);
            values.last_sent((entity, entity.field(field).unwrap()), id, created.map(|at| at.parse().unwrap()))
        };
        assert_eq!(last("url", id, Some("2020-01-01T00:00:00Z")), Some(json!("https://new.example")));
        assert_eq!(last("name", id, None), Some(json!("Acer")));
        assert_eq!(last("url", id, Some("9000-01-01T00:00:00Z")), None, "another record has its id now");
        assert_eq!((last("url", id + 1, None), last("support_phone", id, None)), (None, None));
    }
}
