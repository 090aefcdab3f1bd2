use super::*;

/// A page asked for by 1,000, unless said otherwise.
fn page(offset: u64, len: u32) -> PageSpan {
    PageSpan { offset, asked: 1_000, len }
}

/// A end_estimator that saw these pages, each of which was needed.
fn after(expected: Option<u64>, before: u32, pages: &[PageSpan]) -> EndEstimator {
    let mut end_estimator = EndEstimator::new(expected, before);
    pages.iter().for_each(|page| end_estimator.observe(*page, RequestReason::Required));
    end_estimator
}

/// So many full pages, one behind the other.
fn full(pages: u64) -> Vec<PageSpan> {
    (0..pages).map(|number| page(number * 999, 1_000)).collect()
}

#[test]
fn pages_have_one_record_in_common() {
    let strides = |pages: &[PageSpan]| [1_000, 100, 2, 1, 0].map(|limit| after(None, 0, pages).stride(limit));
    assert_eq!(strides(&[]), [999, 99, 1, 1, 1]);
    assert_eq!(strides(&[page(0, 137)]), [136, 99, 1, 1, 1]);
    // Longer than asked for.
    assert_eq!(strides(&[page(0, 5_000)]), [999, 99, 1, 1, 1]);
}

#[test]
fn a_short_page_is_the_end_where_longer_ones_are_known() {
    let ends = |expected, before, page| after(expected, before, &[page]).is_last(page);
    assert!(ends(None, 0, page(0, 0)));
    // Nothing longer is known: 137 may be all that the service gives.
    assert!(!ends(None, 0, page(0, 137)));
    assert!(!ends(None, 137, page(0, 137)));
    assert!(ends(None, 138, page(0, 137)));
    assert!(!ends(None, 1_000, page(0, 1_000)));
    // The service may have changed its mind: a round number, or a list that was longer before.
    assert!(!ends(None, 1_000, page(0, 500)));
    assert!(!ends(Some(138), 1_000, page(0, 137)));
    assert!(ends(Some(137), 1_000, page(0, 137)));
    // As long as was asked for.
    assert!(!ends(None, 1_000, PageSpan { asked: 50, ..page(0, 50) }));
}

#[test]
fn a_page_shorter_than_those_before_it_is_the_end() {
    let end_estimator = after(None, 0, &[page(0, 500), page(499, 500), page(998, 499)]);
    assert!(end_estimator.is_last(page(998, 499)) && end_estimator.is_last(page(998, 1)));
    assert!(!end_estimator.is_last(page(499, 500)));
}

#[test]
fn the_longest_page_is_this_sweep_s_once_it_is_known() {
    let longest = |before, page| after(None, before, &[page]).longest_page();
    assert_eq!(longest(0, page(0, 137)), 137);
    assert_eq!(longest(1_000, page(0, 137)), 1_000);
    assert_eq!(longest(0, page(0, 1_000)), 1_000);
    assert_eq!(longest(1_000, PageSpan { asked: 50, ..page(0, 50) }), 50);
    // Cut to 500 by a service that gave 1,000 once: known when a second page is as long.
    assert_eq!(after(None, 1_000, &[page(0, 500), page(499, 500)]).longest_page(), 500);
}

#[test]
fn nothing_is_tried_before_the_page_length_is_known_and_the_list_is_long() {
    let attempt = |pages: &[PageSpan]| after(None, 0, pages).probe(0, 999);
    assert_eq!(attempt(&[]), None);
    assert_eq!(attempt(&[page(0, 137)]), None);
    assert_eq!([1, 2, 3].map(|pages| attempt(&full(pages))), [None; 3]);
    assert_eq!(attempt(&full(4)), Some(5 * 999));
    // By a quarter of what is known.
    assert_eq!(attempt(&full(40)), Some(50 * 999));
    // From where the run reaches to, in strides.
    assert_eq!(after(None, 0, &full(40)).probe(35 * 999 + 7, 999), Some(49 * 999 + 7));
}

#[test]
fn one_page_is_tried_at_a_time_and_none_behind_the_end() {
    let trying = |end_estimator: &mut EndEstimator| end_estimator.probe(0, 999).is_some();
    let tried = |page: PageSpan| {
        let mut end_estimator = after(None, 0, &full(40));
        assert!(trying(&mut end_estimator) && !trying(&mut end_estimator));
        end_estimator.observe(page, RequestReason::Probe);
        (end_estimator.is_beyond(49_950), trying(&mut end_estimator))
    };
    assert_eq!(tried(page(50 * 999, 1_000)), (true, true));
    assert_eq!(tried(page(50 * 999, 400)), (true, false));
    assert_eq!(tried(page(50 * 999, 0)), (false, false));
    // A page that is needed says nothing about the one that is tried.
    let mut end_estimator = after(None, 0, &full(40));
    assert!(trying(&mut end_estimator));
    end_estimator.observe(page(40 * 999, 1_000), RequestReason::Required);
    assert!(!trying(&mut end_estimator));
    end_estimator.probe_failed();
    assert!(!trying(&mut end_estimator));
}

#[test]
fn a_list_is_looked_for_where_it_ended_before() {
    let mut end_estimator = after(Some(60_000), 1_000, &full(1));
    // A little before, in case that it has shrunk; then its last page; then on as if nothing had been expected.
    let cautious = (59_999 - 60_000 / 32) / 999 * 999;
    assert_eq!(end_estimator.probe(0, 999), Some(cautious));
    end_estimator.observe(page(cautious, 1_000), RequestReason::Probe);
    assert_eq!(end_estimator.probe(0, 999), Some(60 * 999));
    end_estimator.observe(page(60 * 999, 1_000), RequestReason::Probe);
    assert_eq!(end_estimator.probe(0, 999), None);
    // A list that is on the first page altogether is not looked for.
    assert_eq!(after(Some(900), 1_000, &full(1)).probe(0, 999), None);
}

#[test]
fn what_is_known_to_be_there_ends_with_a_short_page() {
    let mut end_estimator = after(None, 0, &full(3));
    assert!(end_estimator.is_beyond(2_996) && !end_estimator.is_beyond(2_997));
    // Records were deleted: the list ends further in front now.
    end_estimator.observe(page(1_998, 10), RequestReason::Required);
    assert!(end_estimator.is_beyond(2_006) && !end_estimator.is_beyond(2_007));
}
