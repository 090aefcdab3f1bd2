//! Which record stands for a kind, where a mapping names no record: of several deployable statuses the one that most
//! assets have.
//!
//! How many records have each candidate is counted among those that the run has read whole. Otherwise a filter of the
//! list counts them: a page for each candidate, and only where several fill it, single records further and further into
//! the lists that are still in question.

use std::borrow::Cow;
use std::collections::HashMap;

use super::collection_index::{Coverage, IndexEntry, IndexView, RecordState};
use super::field_text::{folded_text, value_text};
use super::lookup_request::LookupRequest;
use super::source::RecordSource;
use super::{Catalog, CatalogView, Contradiction, FetchCost, FetchMethod, Record, RecordRef, title};
use crate::schema::{self, Entity, Field, Meaning, Reference, fold_name};

/// How often the lists of candidates are compared beyond their first pages; enough for any account.
const MOST_ROUNDS: usize = 40;

/// How many records of the account refer to a record, by its collection and id; none where nothing was to be chosen.
pub(super) type KindUsage = HashMap<(&'static str, i64), u64>;

/// A record of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KindCandidate {
    pub target: RecordRef,
    /// How many records refer to it: exact up to a page, and in the right order beyond.
    pub usage: u64,
    /// Whether it has the name that the mapping gives the kind.
    pub is_named: bool,
}

/// The field of `entity` that says how often records are used of which a kind will do.
pub(super) fn counted_field(lookups: &LookupRequest, entity: &Entity) -> Option<&'static str> {
    let mut counted = lookups.with_kinds().filter_map(|(name, _)| schema::referring_to(schema::collection(name)?));
    counted.find(|(referring, _)| referring.name == entity.name).map(|(_, field)| field.name)
}

impl<'c> CatalogView<'c> {
    /// The records of a kind that fit what else is said, the best first: of those of the account the one with the name
    /// that a mapping gives the kind, then by the number of records that have them, then by name. Those that this run creates count where the account has none, in the order of their
    /// creation, so that later rows choose no other.
    ///
    /// # Errors
    /// If there are records of the kind, and what is said of a field fits none of them.
    pub(crate) fn of_kind(
        self,
        collection: &str,
        (kind, name): (&str, &str),
        description: &[(&str, &str)],
    ) -> Result<Vec<KindCandidate>, Contradiction> {
        let Some(index) = self.index(collection) else { return Ok(Vec::new()) };
        let entries = self.described(index, entries_of_kind(index, kind), description)?;
        let is_known = |entry: &&IndexEntry| matches!(entry.target, RecordRef::Known(_));
        let (mut known, planned): (Vec<&IndexEntry>, Vec<_>) = entries.into_iter().partition(is_known);
        let wanted = fold_name(name);
        let folded = |entry| title(index, entry).map(|name| fold_name(name).into_owned());
        let is_named = |entry| folded(entry).is_some_and(|name| name == wanted);
        known.sort_by_cached_key(|entry| {
            let usage = self.catalog.usage_of(index.entity().name, entry.target);
            (!is_named(entry), std::cmp::Reverse(usage), folded(entry))
        });
        let entries = if known.is_empty() { planned } else { known };
        let candidate = |entry: &'c IndexEntry| KindCandidate {
            target: entry.target,
            usage: self.catalog.usage_of(index.entity().name, entry.target),
            is_named: is_named(entry),
        };
        Ok(entries.into_iter().map(candidate).collect())
    }

    /// Whether a value of a reference field stands for a record of that kind.
    pub(crate) fn is_of_kind(self, reference: Reference, value: &serde_json::Value, kind: &str) -> bool {
        let target = self.catalog.target_of(reference, value);
        let index = self.index(reference.to);
        let entry = target.and_then(|target| index?.get(target));
        index.zip(entry).is_some_and(|(index, entry)| KindFilter::new(index, kind).is_some_and(|is| is.fits(entry)))
    }
}

impl Catalog {
    fn usage_of(&self, collection: &'static str, target: RecordRef) -> u64 {
        match target {
            RecordRef::Known(id) => self.usage.get(&(collection, id)).copied().unwrap_or_default(),
            RecordRef::Planned(_) => 0,
        }
    }

    /// Counts how many records refer to the records of which a kind will do, where there are several of the kind.
    pub(super) async fn count_usage<S: RecordSource>(
        &mut self,
        source: &S,
        lookups: &LookupRequest,
    ) -> Result<(), S::Error> {
        let chosen = lookups.with_kinds().flat_map(|(name, lookup)| lookup.kinds.iter().map(move |kind| (name, *kind)));
        for (name, kind) in chosen {
            let Some(index) = self.indexes.get(name) else { continue };
            let Some((referring, field)) = schema::referring_to(index.entity) else { continue };
            let ids: Vec<i64> =
                entries_of_kind(index.view(RecordState::Held), kind).into_iter().filter_map(known_id).collect();
            if ids.len() < 2 {
                continue;
            }
            let counts = match self.counted(referring, field, &ids) {
                Some(counts) => counts,
                None => {
                    let mut lists = FilteredLists { source, referring, field: field.name, ids: &ids, requests: 0 };
                    let counts = lists.count().await?;
                    self.add_requests(referring.name, lists.requests);
                    counts
                }
            };
            self.usage.extend(ids.into_iter().zip(counts).map(|(id, count)| ((name, id), count)));
        }
        Ok(())
    }

    /// Adds to the cost of a collection, which may not have been fetched otherwise.
    fn add_requests(&mut self, collection: &'static str, requests: u64) {
        match self.costs.iter_mut().find(|cost| cost.collection == collection) {
            Some(cost) => cost.requests += requests,
            None => self.costs.push(FetchCost { collection, requests, records: 0, how: FetchMethod::Searches }),
        }
    }

    /// How many records refer to each id, if all records are known.
    fn counted(&self, referring: &Entity, field: &Field, ids: &[i64]) -> Option<Vec<u64>> {
        let index = self.indexes.get(referring.name).filter(|index| index.coverage == Coverage::Whole)?;
        let reference = field.reference_to()?;
        let mut counts = vec![0; ids.len()];
        for value in index.entries().iter().filter_map(|entry| entry.record.get(field.name)) {
            if let Some(RecordRef::Known(id)) = self.target_of(reference, value)
                && let Some(place) = ids.iter().position(|known| *known == id)
            {
                counts[place] += 1;
            }
        }
        Some(counts)
    }
}

fn entries_of_kind<'c>(index: IndexView<'c>, kind: &str) -> Vec<&'c IndexEntry> {
    let Some(filter) = KindFilter::new(index, kind) else { return Vec::new() };
    index.entries().iter().filter(|entry| filter.fits(entry)).collect()
}

/// Tells the records of a kind.
struct KindFilter<'c, 'k> {
    index: IndexView<'c>,
    field: &'static str,
    folded: Cow<'k, str>,
}

impl<'c, 'k> KindFilter<'c, 'k> {
    fn new(index: IndexView<'c>, kind: &'k str) -> Option<Self> {
        let field = index.entity().meaning(Meaning::RecordKind)?.name;
        Some(Self { index, field, folded: folded_text(index.entity(), field, kind) })
    }

    fn fits(&self, entry: &'c IndexEntry) -> bool {
        self.index.folded(entry, self.field) == self.folded
    }
}

fn known_id(entry: &IndexEntry) -> Option<i64> {
    match entry.target {
        RecordRef::Known(id) => Some(id),
        RecordRef::Planned(_) => None,
    }
}

/// The lists of the records that refer to each of several ids.
struct FilteredLists<'l, S> {
    source: &'l S,
    referring: &'static Entity,
    field: &'static str,
    ids: &'l [i64],
    requests: u64,
}

impl<S: RecordSource> FilteredLists<'_, S> {
    /// How many records each list has: exact up to a page. Of several with more, the longest has the largest number.
    async fn count(&mut self) -> Result<Vec<u64>, S::Error> {
        let limit = self.source.page_limit();
        let (mut counts, mut longest) = (Vec::new(), Vec::new());
        for place in 0..self.ids.len() {
            let (having, is_full) = self.first_page(place, limit).await?;
            counts.push(having);
            longest.extend(is_full.then_some(place));
        }
        // All of these have that many.
        let reached = longest.iter().map(|place| counts[*place]).min();
        let (mut reached, mut end) = (reached.unwrap_or_default(), None);
        for _ in 0..MOST_ROUNDS {
            let next = match end {
                _ if longest.len() < 2 => break,
                None => reached.saturating_mul(2),
                Some(end) if end - reached > 1 => reached + (end - reached) / 2,
                Some(_) => break,
            };
            let mut longer = Vec::new();
            for place in &longest {
                if self.reaches(*place, next).await? {
                    longer.push(*place);
                }
            }
            if longer.is_empty() {
                end = Some(next);
            } else {
                longer.iter().for_each(|place| counts[*place] = next + 1);
                (longest, reached) = (longer, next);
            }
        }
        Ok(counts)
    }

    /// How many records the first page has, and whether there may be more.
    async fn first_page(&mut self, place: usize, limit: u32) -> Result<(u64, bool), S::Error> {
        let id = self.ids[place].to_string();
        self.requests += 1;
        let page = self.source.page(self.referring, &[(self.field, &id)], 0, limit).await?;
        // A service that does not know the filter returns everything.
        let has_it = |record: &&Record| value_text(record.get(self.field)).is_some_and(|held| held == id);
        let having = page.iter().filter(has_it).count();
        Ok((having as u64, having == page.len() && !self.source.is_last(page.len(), limit)))
    }

    /// Whether the list has a record at that offset.
    async fn reaches(&mut self, place: usize, offset: u64) -> Result<bool, S::Error> {
        let id = self.ids[place].to_string();
        self.requests += 1;
        Ok(!self.source.page(self.referring, &[(self.field, &id)], offset, 1).await?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::executor::block_on;
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::fake_source::{FakeSource, Quirk};

    /// Statuses `A` to `D`; `C` alone is pending.
    fn statuses() -> Value {
        json!([
            {"id": 1, "name": "A", "type": "deployable"},
            {"id": 2, "name": "B", "type": "deployable"},
            {"id": 3, "name": "C", "type": "pending"},
            {"id": 4, "name": "D", "type": "Deployable"},
        ])
    }

    /// An account with that many assets of each status.
    fn account(usage: &[(i64, usize)]) -> FakeSource {
        let of_status = |(status, count): &(i64, usize)| {
            let status = *status;
            (0..*count).map(move |number| json!({"asset_id": format!("{status}-{number}"), "status_id": status}))
        };
        let assets = usage.iter().flat_map(of_status).zip(1..).map(|(mut asset, id)| {
            asset["id"] = json!(id);
            asset
        });
        FakeSource::new().with("statuses", statuses().as_array().unwrap().clone()).with("assets", assets)
    }

    /// A deployable and a pending status are wanted, and one asset is looked for.
    fn lookups() -> LookupRequest {
        let mut lookups = LookupRequest::default();
        lookups.kind("statuses", "deployable");
        lookups.kind("statuses", "pending");
        lookups.matching("assets", &["asset_id"]);
        lookups.key("assets", "1-0");
        lookups
    }

    fn fetched(source: &FakeSource, lookups: &LookupRequest) -> Catalog {
        source.reset();
        let catalog = block_on(Catalog::fetch(source, lookups, &mut |_, _| {})).unwrap();
        assert_eq!(catalog.costs().iter().map(|cost| cost.requests).sum::<u64>(), source.requests());
        catalog
    }

    fn of_kind(catalog: &Catalog, kind: &str) -> Vec<(RecordRef, u64)> {
        let candidates = catalog.as_planned().of_kind("statuses", (kind, "Other"), &[]).unwrap();
        candidates.into_iter().map(|candidate| (candidate.target, candidate.usage)).collect()
    }

    #[test]
    fn the_record_of_a_kind_that_most_have_is_the_first() {
        let source = account(&[(1, 2), (3, 9), (4, 5)]);
        let catalog = fetched(&source, &lookups());
        assert!(catalog.is_whole("assets"));
        let known = |id| RecordRef::Known(id);
        assert_eq!(of_kind(&catalog, "deployable"), [(known(4), 5), (known(1), 2), (known(2), 0)]);
        let named = catalog.as_planned().of_kind("statuses", ("deployable", " b"), &[]).unwrap();
        assert_eq!((named[0].target, named[0].is_named, named[1].target), (known(2), true, known(4)), "by its name");
        assert_eq!(of_kind(&catalog, "pending"), [(known(3), 0)], "nothing to choose, so nothing is counted");
        assert_eq!(of_kind(&catalog, "archived"), []);
        let counted: Vec<i64> = of_kind(&fetched(&account(&[]), &lookups()), "deployable")
            .into_iter()
            .map(|(target, _)| target.link().as_i64().unwrap())
            .collect();
        assert_eq!(counted, [1, 2, 4], "by name, where there are no assets");
    }

    #[test]
    fn what_is_not_read_whole_is_counted_by_a_filter() {
        let filtered = account(&[(1, 2_400), (2, 4), (4, 8_000)]);
        let catalog = fetched(&filtered, &lookups());
        assert!(!catalog.is_whole("assets"));
        assert_eq!(of_kind(&catalog, "deployable")[0].0, RecordRef::Known(4));
        assert_eq!(of_kind(&catalog, "deployable")[2], (RecordRef::Known(2), 4));
        // A page for each of the three candidates; then two lists beyond 2,000 records, and beyond 4,000.
        let without = fetched(&filtered, &{
            let mut lookups = LookupRequest::default();
            lookups.whole("statuses");
            lookups.matching("assets", &["asset_id"]);
            lookups.key("assets", "1-0");
            lookups
        });
        let requests = |catalog: &Catalog| catalog.costs().iter().map(|cost| cost.requests).sum::<u64>();
        assert_eq!(requests(&catalog) - requests(&without), 3 + 2 + 2);
    }

    #[test]
    fn a_service_that_cuts_pages_is_asked_further() {
        let mut source = account(&[(1, 150), (2, 130), (4, 900)]).with_quirk(Quirk::CutsPages(100));
        source.page_limit = 1_000;
        let mut lookups = LookupRequest::default();
        lookups.kind("statuses", "deployable");
        assert_eq!(of_kind(&fetched(&source, &lookups), "deployable")[0].0, RecordRef::Known(4));
    }

    #[test]
    fn lists_of_nearly_the_same_length_are_told_apart() {
        let source = account(&[(1, 4_500), (2, 4_501), (4, 1_000)]);
        assert_eq!(of_kind(&fetched(&source, &lookups()), "deployable")[0].0, RecordRef::Known(2));
        let source = account(&[(1, 4_500), (2, 4_500)]);
        assert_eq!(of_kind(&fetched(&source, &lookups()), "deployable")[0].0, RecordRef::Known(1));
    }

    #[test]
    fn a_service_that_ignores_filters_does_not_decide() {
        let source = account(&[(1, 10), (4, 9_000)]).with_quirk(Quirk::IgnoresFilters);
        let catalog = fetched(&source, &lookups());
        assert!(of_kind(&catalog, "deployable").iter().all(|(_, usage)| *usage <= 1_000));
    }

    #[test]
    fn planned_records_stand_for_a_kind_where_the_account_has_none() {
        let mut catalog = fetched(&account(&[]), &lookups());
        for (step, kind) in [(7, "archived"), (8, "archived"), (9, "pending")] {
            let fields = json!({"name": "Z", "type": kind}).as_object().unwrap().clone();
            catalog.insert_planned("statuses", step, fields);
        }
        assert_eq!(of_kind(&catalog, "archived")[0].0, RecordRef::Planned(7));
        assert_eq!(of_kind(&catalog, "pending")[0].0, RecordRef::Known(3));
        let contradiction =
            catalog.as_planned().of_kind("statuses", ("pending", "Z"), &[("type", "archived")]).unwrap_err();
        assert_eq!(contradiction.candidates[0], "C (#3, type pending)");
    }

    #[test]
    fn a_value_is_of_the_kind_of_its_record() {
        let catalog = fetched(&account(&[]), &lookups());
        let reference = schema::collection("assets").unwrap().field("status_id").unwrap().reference_to().unwrap();
        assert!(catalog.as_planned().is_of_kind(reference, &json!(4), "deployable"));
        assert!(!catalog.as_planned().is_of_kind(reference, &json!(3), "deployable"));
        assert!(!catalog.as_planned().is_of_kind(reference, &Value::Null, "deployable"));
    }
}
