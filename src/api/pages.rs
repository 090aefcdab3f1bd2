//! A list as a stream of pages.
//!
//! No total is reported anywhere: the end is a short or empty page (field notes). But a service may cut a page to a
//! maximum of its own without a word, and a page cut to 500 looks like the end of a list asked for by 1,000. So a
//! short page of a suspiciously round length ends the list only once the service has been seen to fill a longer one;
//! until then one more request asks.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::stream::{self, BoxStream, StreamExt};

use super::{ApiError, Client, Record};
use crate::schema::Entity;

/// The documented maximum (guide: "1,000 results per request"), and what to fall back to where it is refused. Older
/// copies of the guide said 500; 50 is the documented default of every list.
const LIMITS: [u32; 4] = [1_000, 500, 100, 50];
/// Maximum page lengths that services choose are multiples of this.
const ROUND: usize = 50;

/// What a client has learnt of the service's page length.
#[derive(Debug)]
pub(super) struct PageLimit {
    /// What to ask for.
    limit: AtomicU32,
    /// The longest page seen.
    longest: AtomicU32,
}

impl PageLimit {
    pub(super) fn new() -> Self {
        Self { limit: AtomicU32::new(LIMITS[0]), longest: AtomicU32::new(0) }
    }

    pub(super) fn get(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// The service took `limit` where it had refused more.
    pub(super) fn learn(&self, limit: u32) {
        self.limit.fetch_min(limit.max(1), Ordering::Relaxed);
    }

    /// A page of `length` came.
    pub(super) fn saw(&self, length: usize) {
        self.longest.fetch_max(u32::try_from(length).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Whether a page of `length`, asked for by `limit`, is the last one.
    pub(super) fn is_last(&self, length: usize, limit: u32) -> bool {
        let longest = self.longest.load(Ordering::Relaxed) as usize;
        let may_be_cut = length.is_multiple_of(ROUND) && longest <= length;
        length == 0 || (length < limit as usize && !may_be_cut)
    }
}

/// The next smaller limit to try after `refused`.
pub(super) fn smaller(refused: u32) -> Option<u32> {
    LIMITS.into_iter().find(|limit| *limit < refused)
}

/// Whether a status can mean that the limit was too large.
pub(super) fn may_refuse_limit(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused { status: 400 | 413 | 416 | 422, .. })
}

/// Where a list stands.
struct Cursor {
    offset: u64,
    /// The first and last record of the page before: a service that ignores `offset` would never end.
    before: Option<(Record, Record)>,
}

/// All pages of a list, each asked for when the one before is taken.
pub(super) fn pages<'a>(
    client: &'a Client,
    entity: &'static Entity,
    filters: &'a [(&'a str, &'a str)],
) -> BoxStream<'a, Result<Vec<Record>, ApiError>> {
    let start = Some(Cursor { offset: 0, before: None });
    stream::try_unfold(start, move |cursor| async move {
        let Some(cursor) = cursor else { return Ok(None) };
        let asked = client.page_limit();
        let page = client.page(entity, filters, cursor.offset, asked).await?;
        if page.is_empty() {
            return Ok(None);
        }
        let ends = page.first().cloned().zip(page.last().cloned());
        if ends == cursor.before {
            return Err(repeated(entity, cursor.offset));
        }
        let next = match client.is_last_page(page.len(), asked) {
            true => None,
            false => Some(Cursor { offset: cursor.offset + page.len() as u64, before: ends }),
        };
        Ok(Some((page, next)))
    })
    .boxed()
}

fn repeated(entity: &Entity, offset: u64) -> ApiError {
    ApiError::Contract {
        what: format!("GET {}", entity.path),
        detail: format!("the page at offset {offset} is the page before it once more"),
    }
}

#[cfg(test)]
mod tests {
    use super::{PageLimit, smaller};

    #[test]
    fn a_round_short_page_is_the_end_only_once_longer_ones_were_seen() {
        // Longest page seen before, length, limit, whether it is the last.
        let cases = [
            (0, 0, 1_000, true),
            (0, 1, 1_000, true),
            (0, 499, 1_000, true),
            (0, 500, 1_000, false),
            (0, 50, 1_000, false),
            (0, 1_000, 1_000, false),
            (1_000, 500, 1_000, true),
            (1_000, 50, 1_000, true),
            (500, 500, 1_000, false),
            (500, 100, 500, true),
            (0, 1_200, 1_000, false),
        ];
        for (longest, length, limit, last) in cases {
            let pages = PageLimit::new();
            pages.saw(longest);
            pages.saw(length);
            assert_eq!(pages.is_last(length, limit), last, "{longest} {length} {limit}");
        }
    }

    #[test]
    fn limits_only_ever_shrink() {
        assert_eq!([1_000, 700, 500, 100, 50, 7].map(smaller), [Some(500), Some(500), Some(100), Some(50), None, None]);
        let pages = PageLimit::new();
        pages.learn(100);
        pages.learn(500);
        assert_eq!(pages.get(), 100);
    }
}
