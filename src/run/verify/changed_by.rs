//! Who changed what differs, from the activity log. Its pages are read only if something differs, from the newest entry on,
//! until every record has an entry or asking for the rest one by one is cheaper: never more than twice what the better way
//! takes.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{Difference, DifferenceKind};
use crate::api::{Record, integer, plain_text};
use crate::catalog::{NEWEST_FIRST, Pager, RecordSource};
use crate::observer::Observer;
use crate::schema::{self, ACTIVITY, CREATED_AT, Entity, RecordDifference, fold_header, log_field};

/// Records asked for one by one at a time.
const AT_ONCE: usize = 8;

/// A record's collection and system id.
type RecordKey = (&'static str, i64);

/// Fills in who changed each record and when, if the API key may read the log. `since` is when the run itself changed a record last, or when the last change
/// was that a file shows, where that is known: what the log has up to then is no cause of a difference.
///
/// # Errors
/// Where the log cannot be read.
pub(super) async fn find<S: RecordSource>(
    service: &S,
    differences: &mut [Difference],
    since: &dyn Fn(RecordKey) -> Option<Timestamp>,
    observer: &mut dyn Observer,
) -> Result<(), S::Error> {
    let mut open = OpenDifferences::of(differences, since);
    if open.by_record.is_empty() {
        return Ok(());
    }
    observer.on_phase("reading the activity log", None);
    match read(service, &mut open).await {
        Err(error) if S::is_denied(&error) => {
            observer.on_warning("this API key may not read the activity log, so who changed what is not known");
            Ok(())
        }
        read => read,
    }
}

async fn read<S: RecordSource>(service: &S, open: &mut OpenDifferences<'_>) -> Result<(), S::Error> {
    let mut pages = Pager::new(service, &ACTIVITY, NEWEST_FIRST);
    while open.by_record.len() as u64 > pages.requests() {
        let Some(page) = pages.next().await? else { return Ok(()) };
        page.iter().for_each(|entry| open.take(entry));
        if pages.seems_done() {
            return Ok(());
        }
    }
    let keys: Vec<RecordKey> = open.by_record.keys().copied().collect();
    let mut searches = stream::iter(keys).map(|key| newest_entries(service, key)).buffered(AT_ONCE);
    while let Some(entries) = searches.try_next().await? {
        entries.iter().for_each(|entry| open.take(entry));
    }
    Ok(())
}

/// The newest entries about a record.
async fn newest_entries<S: RecordSource>(service: &S, (collection, id): RecordKey) -> Result<Vec<Record>, S::Error> {
    let entity = schema::collection(collection);
    let named = entity.and_then(|entity| Some((entity.log_type()?, entity.log_filter()?.name)));
    let Some((kind, filter)) = named else { return Ok(Vec::new()) };
    let id = id.to_string();
    let filters = [&[(log_field::TYPE, kind), (filter, id.as_str())], NEWEST_FIRST].concat();
    service.page(&ACTIVITY, &filters, 0, MOST_ENTRIES).await
}

/// The differences of which it is not known yet who made them.
struct OpenDifferences<'d> {
    by_record: HashMap<RecordKey, Vec<&'d mut Difference>>,
    /// The collections by the `type` of their entries, folded.
    types: HashMap<String, &'static str>,
    since: &'d dyn Fn(RecordKey) -> Option<Timestamp>,
}

impl<'d> OpenDifferences<'d> {
    fn of(differences: &'d mut [Difference], since: &'d dyn Fn(RecordKey) -> Option<Timestamp>) -> Self {
        let (mut by_record, mut types) = (HashMap::<_, Vec<_>>::new(), HashMap::new());
        // Of those that are left out, the log of another record would tell.
        let is_told = |difference: &&mut Difference| !(difference.is_copied() || difference.is_explained);
        for difference in differences.iter_mut().filter(is_told) {
            let kind = schema::collection(difference.collection).and_then(Entity::log_type);
            let (Some(kind), Some(id)) = (kind, difference.id) else { continue };
            types.insert(fold_header(kind).to_string(), difference.collection);
            by_record.entry((difference.collection, id)).or_default().push(difference);
        }
        Self { by_record, types, since }
    }

    /// Takes in an entry of the log; of one record they come newest first.
    fn take(&mut self, entry: &Record) {
        let kind = entry.get(log_field::TYPE).and_then(|kind| self.types.get(&*fold_header(kind.as_str()?)));
        let id = entry.get(log_field::ITEM_ID).and_then(integer);
        let Some(key) = kind.copied().zip(id) else { return };
        let Some(open) = self.by_record.get_mut(&key) else { return };
        if (self.since)(key).zip(moment(entry)).is_some_and(|(since, moment)| moment <= since) {
            // All that follow are older still.
            self.by_record.remove(&key);
            return;
        }
        open.retain_mut(|difference| {
            let is_cause = may_have_caused(difference, entry);
            if is_cause {
                (difference.changed_by, difference.changed_at) = (user(entry), time(entry));
            }
            !is_cause
        });
        if open.is_empty() {
            self.by_record.remove(&key);
        }
    }
}

/// The newest entries of a record that are looked at.
const MOST_ENTRIES: u32 = 100;

/// Whether what an entry tells of may be the reason for a difference.
fn may_have_caused(difference: &Difference, entry: &Record) -> bool {
    let changed = match (difference.kind, difference.field.as_deref()) {
        (DifferenceKind::Missing, _) => RecordDifference::Removed,
        (DifferenceKind::Extra, _) => RecordDifference::Added,
        (DifferenceKind::Different, Some(field)) => RecordDifference::Field(field),
        (DifferenceKind::Different, None) => return false,
    };
    let event = entry.get(log_field::EVENT).and_then(|event| event.as_str()).unwrap_or_default();
    schema::collection(difference.collection).is_some_and(|entity| entity.may_be_changed_by(event, changed))
}

fn user(entry: &Record) -> Option<String> {
    let email = entry.get(log_field::USER_EMAIL).map(plain_text).filter(|email| !email.trim().is_empty());
    email.or_else(|| Some(format!("user #{}", entry.get(log_field::USER_ID).and_then(integer)?)))
}

fn time(entry: &Record) -> Option<String> {
    entry.get(log_field::TIMESTAMP).or_else(|| entry.get(CREATED_AT)).and_then(|time| time.as_str()).map(str::to_owned)
}

fn moment(entry: &Record) -> Option<Timestamp> {
    time(entry)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::catalog::fake_source::FakeSource;
    use crate::observer::NoObserver;
    use crate::run::prepare::tests::Told;
    use crate::schema::ASSIGNED_TO;

    fn different(field: &str) -> Difference {
        Difference {
            kind: DifferenceKind::Different,
            collection: "assets",
            id: Some(7),
            record: String::from("A-7"),
            field: Some(field.to_owned()),
            expected: String::from("one"),
            found: String::from("two"),
            source: String::new(),
            is_explained: false,
            changed_by: None,
            changed_at: None,
        }
    }

    /// Who changed each field, by entries of asset 7 of which the first is the newest: event, hour, user.
    fn who(fields: &[&str], entries: &[(&str, u8, &str)], since: Option<&str>) -> Vec<Option<String>> {
        let mut differences: Vec<Difference> = fields.iter().map(|field| different(field)).collect();
        let since = |_| since.map(|since| since.parse().unwrap());
        let mut open = OpenDifferences::of(&mut differences, &since);
        for (event, hour, user) in entries {
            let entry = json!({
                "type": "asset", "event": event, "item_id": "7", "user_email": user,
                "timestamp": format!("2026-11-24T{hour:02}:00:00.000Z"),
            });
            open.take(entry.as_object().unwrap());
        }
        differences.into_iter().map(|difference| difference.changed_by).collect()
    }

    #[test]
    fn the_newest_entry_that_may_be_the_reason_tells_who() {
        let entries = [("Checkout", 12, "c"), ("Update", 11, "b"), ("Update", 10, "a"), ("Create", 9, "z")];
        let some = |who: &str| Some(who.to_owned());
        assert_eq!(who(&["notes", ASSIGNED_TO], &entries, None), [some("b"), some("c")]);
        assert_eq!(who(&["status_id"], &entries, None), [some("c")], "a check-out may set it");
        assert_eq!(who(&["notes"], &entries[3..], None), [None], "a create is no change");
    }

    #[test]
    fn what_the_run_did_itself_is_no_change_by_somebody_else() {
        let entries = [("Update", 11, "b"), ("Update", 10, "a")];
        let since = |hour: &str| who(&["notes"], &entries, Some(&format!("2026-11-24T{hour}:00:00Z")));
        assert_eq!(since("10"), [Some(String::from("b"))]);
        assert_eq!(since("11"), [None]);
    }

    /// Who changed assets 1 to `count`, by a log of so many entries of which the newest come last, and the requests for
    /// pages and of single records.
    fn found(log: &FakeSource, ids: impl Iterator<Item = i64>) -> (Vec<Option<String>>, (u64, u64)) {
        let mut differences: Vec<Difference> =
            ids.map(|id| Difference { id: Some(id), ..different("notes") }).collect();
        log.reset();
        block_on(find(log, &mut differences, &|_| None, &mut NoObserver)).unwrap();
        (differences.into_iter().map(|difference| difference.changed_by).collect(), (log.pages(), log.lookups()))
    }

    fn entry(id: i64, minute: i64, user: &str) -> serde_json::Value {
        let timestamp = format!("2026-11-24T{:02}:{:02}:00.000Z", minute / 60, minute % 60);
        json!({"type": "Asset", "event": "Update", "item_id": id, "user_email": user, "timestamp": timestamp})
    }

    #[test]
    fn the_log_is_read_from_its_end_until_asking_for_the_rest_takes_fewer_requests() {
        let some = |who: &str| Some(who.to_owned());
        // The newest thirty entries are about assets 1 to 30, of 300.
        let entries = (0..270).map(|minute| entry(999, minute, "z")).chain((1..=30).map(|id| entry(id, 270 + id, "a")));
        let log = FakeSource::new().with_page_limit(20).with("activity", entries);
        assert_eq!(found(&log, 1..=30), (vec![some("a"); 30], (2, 0)));
        assert_eq!(found(&log, 30..=30), (vec![some("a")], (1, 0)));
        // One that is far back is asked for after one page.
        assert_eq!(found(&log, 999..=999), (vec![some("z")], (1, 1)));
        let (who, requests) = found(&log, 28..=32);
        assert_eq!((who, requests), (vec![some("a"), some("a"), some("a"), None, None], (2, 2)));
        assert_eq!(found(&log, std::iter::empty()), (Vec::new(), (0, 0)));
    }

    #[test]
    fn a_log_that_ends_is_not_asked_again() {
        let log = FakeSource::new().with_page_limit(20).with("activity", [entry(1, 1, "a")]);
        let (who, requests) = found(&log, 1..=9);
        assert_eq!((who[0].as_deref(), who[1].as_deref(), requests), (Some("a"), None, (1, 0)));
    }

    #[test]
    fn records_of_which_the_log_says_nothing_are_not_looked_for() {
        let log = FakeSource::new().with("activity", [entry(7, 1, "a")]);
        let mut differences = [
            Difference { collection: "manufacturers", ..different("notes") },
            Difference { id: None, ..different("notes") },
            // The log of the product, and that of the holder, would tell.
            different("category_id"),
            Difference { is_explained: true, ..different(ASSIGNED_TO) },
        ];
        block_on(find(&log, &mut differences, &|_| None, &mut NoObserver)).unwrap();
        assert_eq!(
            (differences.map(|difference| difference.changed_by), log.requests()),
            ([None, None, None, None], 0)
        );
    }

    #[test]
    fn a_missing_record_was_deleted_and_an_extra_one_created() {
        let whole = |kind| Difference { kind, field: None, ..different("notes") };
        let is_cause = |kind, event: &str| may_have_caused(&whole(kind), json!({"event": event}).as_object().unwrap());
        assert!(is_cause(DifferenceKind::Missing, "Delete") && !is_cause(DifferenceKind::Missing, "Create"));
        assert!(is_cause(DifferenceKind::Extra, "Create") && !is_cause(DifferenceKind::Extra, "Update"));
        assert!(!is_cause(DifferenceKind::Different, "Update"));
        let update = json!({"event": "Update"});
        assert!(may_have_caused(&different("notes"), update.as_object().unwrap()));
    }

    #[test]
    fn a_user_is_told_by_address_or_else_by_id() {
        let of = |entry: serde_json::Value| user(entry.as_object().unwrap());
        assert_eq!(of(json!({"user_email": "a@example.com", "user_id": 3})).as_deref(), Some("a@example.com"));
        assert_eq!(of(json!({"user_email": " ", "user_id": 3})).as_deref(), Some("user #3"));
        assert_eq!(of(json!({"user_email": "", "user_id": null})), None);
        let when = |entry: serde_json::Value| time(entry.as_object().unwrap());
        assert_eq!(when(json!({"timestamp": "t", "created_at": "c"})).as_deref(), Some("t"));
        assert_eq!(when(json!({"created_at": "c"})).as_deref(), Some("c"));
        assert_eq!(when(json!({})), None);
    }

    #[test]
    fn differences_of_one_record_are_told_apart_and_others_are_left_open() {
        let mut differences = [different("notes"), Difference { id: Some(8), ..different("notes") }];
        let since = |_| None;
        let mut open = OpenDifferences::of(&mut differences, &since);
        let mut other = entry(7, 1, "a");
        other["type"] = json!("license");
        for entry in [other, json!({"type": "asset", "event": "Update"}), entry(9, 1, "a")] {
            open.take(entry.as_object().unwrap());
        }
        assert_eq!(open.by_record.len(), 2);
        let mut folded = entry(7, 2, "b");
        folded["type"] = json!("ASSET");
        folded["event"] = json!("update");
        open.take(folded.as_object().unwrap());
        assert_eq!(open.by_record.keys().collect::<Vec<_>>(), [&("assets", 8)]);
        assert_eq!(differences[0].changed_at.as_deref(), Some("2026-11-24T00:02:00.000Z"));
    }

    /// A service that does not give its log away.
    struct Closed {
        is_denied: bool,
    }

    impl RecordSource for Closed {
        type Error = bool;

        fn is_denied(error: &bool) -> bool {
            *error
        }

        fn page_limit(&self) -> u32 {
            20
        }

        async fn raw_page(
            &self,
            _: &'static Entity,
            _: &[(&str, &str)],
            _: u64,
            _: u32,
        ) -> Result<crate::api::RawPage, bool> {
            Err(self.is_denied)
        }

        async fn record(&self, _: &'static Entity, _: i64) -> Result<Option<Record>, bool> {
            Err(self.is_denied)
        }
    }

    #[test]
    fn a_log_that_is_closed_to_the_key_is_told_of_and_one_that_fails_is_an_error() {
        let found = |is_denied: bool| {
            let mut told = Told::default();
            let found = block_on(find(&Closed { is_denied }, &mut [different("notes")], &|_| None, &mut told));
            (found, told.warnings.len())
        };
        assert_eq!(found(true), (Ok(()), 1));
        assert_eq!(found(false), (Err(false), 0));
    }
}
