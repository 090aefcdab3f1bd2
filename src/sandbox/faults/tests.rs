//! The grammar and the choice, without a server.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::http::{Method, StatusCode};
use proptest::prelude::*;

use super::*;
use rule::{FaultTiming, MalformedReply, MethodSet, Occurrence, PathPattern};

fn rule(text: &str) -> FaultRule {
    let faults: Faults = text.parse().unwrap();
    assert_eq!(faults.len(), 1, "{text}");
    faults.rules[0].clone()
}

fn fault(text: &str) -> Fault {
    rule(&format!("* * {text}")).fault
}

#[test]
fn a_rule_is_read_as_the_grammar_tells() {
    let expected = FaultRule {
        methods: MethodSet::These(vec![Method::POST, Method::PUT]),
        path: PathPattern("assets*".into()),
        occurrence: Occurrence::Chance(0.05),
        fault: Fault::Reset(FaultTiming::After),
    };
    assert_eq!(rule("POST,put  assets* p=0.05\treset after"), expected);
    assert_eq!(rule("POST,PUT assets* after reset p=5e-2 # in any order"), expected);
    for (text, occurrence) in [
        ("* * hang", Occurrence::Always),
        ("* * p=1 hang", Occurrence::Chance(1.0)),
        ("* * count=2 hang", Occurrence::First(2)),
        ("* * nth=3 hang", Occurrence::Nth(3)),
        ("* * every=10 hang", Occurrence::Every(10)),
    ] {
        assert_eq!(rule(text).occurrence, occurrence, "{text}");
    }
}

#[test]
fn every_effect_is_read_with_its_options_and_defaults() {
    let refuse = |code, message: Option<&str>| Fault::Refuse {
        status: StatusCode::from_u16(code).unwrap(),
        message: message.map(str::to_owned),
    };
    let html = |code, timing| Fault::Html { status: StatusCode::from_u16(code).unwrap(), timing };
    let status =
        |code, retry_after, timing| Fault::Status { status: StatusCode::from_u16(code).unwrap(), retry_after, timing };
    let delay = |milliseconds, timing| Fault::Delay { by: Duration::from_millis(milliseconds), timing };
    for (text, expected) in [
        ("refuse", refuse(422, None)),
        ("refuse before", refuse(422, None)),
        ("refuse=409 message=\"not #4, not now\"", refuse(409, Some("not #4, not now"))),
        ("message=no refuse", refuse(422, Some("no"))),
        ("reset", Fault::Reset(FaultTiming::Before)),
        ("500 after", status(500, None, FaultTiming::After)),
        ("502", status(502, None, FaultTiming::Before)),
        ("504", status(504, None, FaultTiming::Before)),
        ("503 retry-after=2", status(503, Some(2), FaultTiming::Before)),
        ("retry-after=0 429 after", status(429, Some(0), FaultTiming::After)),
        ("delay=300", delay(300, FaultTiming::Before)),
        ("delay=0 after", delay(0, FaultTiming::After)),
        ("hang after", Fault::Hang(FaultTiming::After)),
        ("truncate", Fault::Truncate),
        ("truncate after", Fault::Truncate),
        ("html", html(403, FaultTiming::Before)),
        ("html=200 after", html(200, FaultTiming::After)),
        ("shape", Fault::MalformedReply(MalformedReply::Buried)),
        ("shape=empty after", Fault::MalformedReply(MalformedReply::Empty)),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn a_text_holds_rules_comments_and_empty_lines() {
    let faults: Faults = "\u{feff}# a bad day\n\n  POST assets reset # lost\r\n\t\nGET * hang".parse().unwrap();
    let rules: Vec<_> = faults.rules.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["POST assets reset before", "GET * hang before"]);
    assert!("".parse::<Faults>().unwrap().is_empty());
}

#[test]
fn the_examples_of_the_grammar_are_rules() {
    let grammar = include_str!("grammar.txt");
    let examples: Vec<_> = grammar.lines().skip(1).take_while(|line| line.starts_with("  ")).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        rule(example);
    }
}

#[test]
fn every_mistake_is_named_with_what_was_expected_and_an_example() {
    let told = |text: &str| {
        let error = text.parse::<Faults>().unwrap_err();
        format!("{error}\n  {}", error.hint())
    };
    let mistakes = [
        "POST", "FETCH assets reset", "POST,, assets reset", "POST asset/* reset", "POST checkout/assets reset",
        "POST /assets reset", "POST zzz reset", "POST assets rset", "POST assets explode", "POST assets 501",
        "POST assets 404", "POST assets reset=1", "POST assets before=1 reset", "POST assets",
        "POST assets nth=3 after", "POST assets p=5% reset", "POST assets p=1.5 reset", "POST assets p reset",
        "POST assets count=0 reset", "POST assets nth=first reset", "POST assets every=-1 reset",
        "POST assets refuse=500", "POST assets html=302", "POST assets delay", "POST assets delay=1s",
        "POST assets 503 retry-after=soon", "POST assets shape=round", "POST assets refuse message=\"\"",
        "POST assets reset 500", "POST assets p=0.1 nth=3 reset", "POST assets reset before after",
        "POST assets refuse after", "POST assets truncate before", "POST assets shape before",
        "POST assets 500 retry-after=3", "POST assets reset message=no", "POST assets refuse message=\"no more",
    ];
    let told: Vec<_> = mistakes.iter().map(|text| told(text)).collect();
    insta::assert_snapshot!(told.join("\n"), @r##"
    the fault `POST` cannot be read: it lacks a path and an effect
      give methods, a path and what is to happen, such as `POST assets reset after`
    the fault `FETCH assets reset` cannot be read: `FETCH` is no method the API has
      give GET, POST, PUT or DELETE, several as `POST,PUT`, or `*` for all, such as `POST assets reset`
    the fault `POST,, assets reset` cannot be read: `POST,,` is no method the API has
      give GET, POST, PUT or DELETE, several as `POST,PUT`, or `*` for all, such as `POST assets reset`
    the fault `POST asset/* reset` cannot be read: `asset/*` is no path of the API
      perhaps `assets` is meant; a path is what follows the base link, such as `assets`, `assets/*`, `checkout/*` or `*` for all
    the fault `POST checkout/assets reset` cannot be read: `checkout/assets` is no path of the API
      perhaps `checkout/asset` is meant; a path is what follows the base link, such as `assets`, `assets/*`, `checkout/*` or `*` for all
    the fault `POST /assets reset` cannot be read: `/assets` is no path of the API
      perhaps `assets` is meant; a path is what follows the base link, such as `assets`, `assets/*`, `checkout/*` or `*` for all
    the fault `POST zzz reset` cannot be read: `zzz` is no path of the API
      a path is what follows the base link, such as `assets`, `assets/*`, `checkout/*` or `*` for all
    the fault `POST assets rset` cannot be read: `rset` is no word of a fault
      perhaps `reset` is meant, as in `POST assets nth=3 reset after`
    the fault `POST assets explode` cannot be read: `explode` is no word of a fault
      use the words p=0.05 count=2 nth=3 every=10 refuse reset 500 502 503 504 429 delay=300 hang truncate html shape before after retry-after=30 message=, as in `POST assets nth=3 reset after`
    the fault `POST assets 501` cannot be read: `501` is no word of a fault
      perhaps `504` is meant, as in `POST assets nth=3 reset after`
    the fault `POST assets 404` cannot be read: `404` is no word of a fault
      perhaps `refuse=404` is meant, as in `POST assets nth=3 refuse=404`
    the fault `POST assets reset=1` cannot be read: `reset=1` is no word of a fault
      perhaps `reset` is meant, as in `POST assets nth=3 reset after`
    the fault `POST assets before=1 reset` cannot be read: `before=1` is no word of a fault
      perhaps `before` is meant, as in `POST assets nth=3 reset after`
    the fault `POST assets` cannot be read: it does not say what is to happen
      add one of refuse, reset, 500, 502, 503, 504, 429, delay=300, hang, truncate, html, shape, such as `POST assets nth=3 reset after`
    the fault `POST assets nth=3 after` cannot be read: it does not say what is to happen
      add one of refuse, reset, 500, 502, 503, 504, 429, delay=300, hang, truncate, html, shape, such as `POST assets nth=3 reset after`
    the fault `POST assets p=5% reset` cannot be read: `p=5%` should carry a probability from 0 to 1
      write it such as `p=0.05`
    the fault `POST assets p=1.5 reset` cannot be read: `p=1.5` should carry a probability from 0 to 1
      write it such as `p=0.05`
    the fault `POST assets p reset` cannot be read: `p` should carry a probability from 0 to 1
      write it such as `p=0.05`
    the fault `POST assets count=0 reset` cannot be read: `count=0` should carry a whole number from 1
      write it such as `count=2`
    the fault `POST assets nth=first reset` cannot be read: `nth=first` should carry a whole number from 1
      write it such as `nth=3`
    the fault `POST assets every=-1 reset` cannot be read: `every=-1` should carry a whole number from 1
      write it such as `every=10`
    the fault `POST assets refuse=500` cannot be read: `refuse=500` should carry a status from 400 to 499
      write it such as `refuse=422`
    the fault `POST assets html=302` cannot be read: `html=302` should carry a status with a body: 200, or from 400 to 599
      write it such as `html=403`
    the fault `POST assets delay` cannot be read: `delay` should carry a whole number of milliseconds
      write it such as `delay=300`
    the fault `POST assets delay=1s` cannot be read: `delay=1s` should carry a whole number of milliseconds
      write it such as `delay=300`
    the fault `POST assets 503 retry-after=soon` cannot be read: `retry-after=soon` should carry a whole number of seconds
      write it such as `retry-after=30`
    the fault `POST assets shape=round` cannot be read: `shape=round` should carry `empty` or nothing
      write it such as `shape=empty`
    the fault `POST assets refuse message=""` cannot be read: `message=""` should carry a text between quotes
      write it such as `message="no more of these"`
    the fault `POST assets reset 500` cannot be read: `reset` and `500` exclude each other
      leave out `reset` or `500`, or make two faults of it
    the fault `POST assets p=0.1 nth=3 reset` cannot be read: `p=0.1` and `nth=3` exclude each other
      leave out `p=0.1` or `nth=3`, or make two faults of it
    the fault `POST assets reset before after` cannot be read: `before` and `after` exclude each other
      leave out `before` or `after`, or make two faults of it
    the fault `POST assets refuse after` cannot be read: `refuse` cannot come after the request is carried out
      leave out the moment: `refuse` always comes before
    the fault `POST assets truncate before` cannot be read: `truncate` cannot come before the request is carried out
      leave out the moment: `truncate` always comes after
    the fault `POST assets shape before` cannot be read: `shape` cannot come before the request is carried out
      leave out the moment: `shape` always comes after
    the fault `POST assets 500 retry-after=3` cannot be read: `retry-after=3` goes with 429 and 503 only
      write it such as `* * p=0.01 503 retry-after=2`
    the fault `POST assets reset message=no` cannot be read: `message=no` goes with `refuse` only
      write it such as `POST assets refuse=422 message="no more of these"`
    the fault `POST assets refuse message="no more` cannot be read: `message="no more` opens a quote that nothing closes
      close it, such as `message="no more of these"`
    "##);
}

#[test]
fn the_line_of_a_mistake_is_told() {
    let error = "# one\nPOST assets reset\n\n  POST asets reset\nPOST worse reset".parse::<Faults>().unwrap_err();
    assert_eq!((error.line, &*error.rule), (4, "POST asets reset"));
}

fn selector(seed: u64, text: &str) -> FaultSelector {
    FaultSelector::new(seed, text.parse::<Faults>().unwrap().rules)
}

/// Which of so many posts to `assets` are struck, counted from 1.
fn struck(selector: &mut FaultSelector, requests: u64) -> Vec<u64> {
    (1..=requests).filter(|_| selector.choose(&Method::POST, "assets").is_some()).collect()
}

#[test]
fn counts_pick_the_requests_they_say() {
    for (occurrence, expected) in [
        ("", vec![1, 2, 3, 4, 5, 6, 7]),
        ("count=2", vec![1, 2]),
        ("nth=3", vec![3]),
        ("every=3", vec![3, 6]),
        ("p=0", vec![]),
        ("p=1", vec![1, 2, 3, 4, 5, 6, 7]),
    ] {
        assert_eq!(struck(&mut selector(0, &format!("POST assets {occurrence} reset")), 7), expected, "{occurrence}");
    }
}

#[test]
fn other_methods_and_paths_are_neither_struck_nor_counted() {
    let mut selector = selector(0, "POST,PUT assets* nth=2 reset");
    for (method, path) in [(Method::GET, "assets"), (Method::POST, "statuses"), (Method::DELETE, "assets/1")] {
        assert_eq!(selector.choose(&method, path), None);
    }
    assert_eq!(selector.rules()[0].matched, 0);
    assert_eq!(selector.choose(&Method::POST, "assets"), None);
    assert_eq!(selector.choose(&Method::PUT, "assets/1"), Some(Fault::Reset(FaultTiming::Before)));
}

#[test]
fn of_several_rules_the_first_strikes_and_all_count() {
    let mut selector = selector(0, "* * nth=2 hang\nPOST assets count=2 reset\n* * nth=2 truncate");
    let chosen: Vec<_> = (0..3).map(|_| selector.choose(&Method::POST, "assets")).collect();
    assert_eq!(chosen, [Some(Fault::Reset(FaultTiming::Before)), Some(Fault::Hang(FaultTiming::Before)), None]);
    let counts: Vec<_> = selector.rules().iter().map(|state| (state.matched, state.fired)).collect();
    assert_eq!(counts, [(3, 1), (3, 1), (3, 0)]);
}

#[test]
fn a_probability_strikes_about_as_often_as_it_says() {
    let count = struck(&mut selector(1, "* * p=0.05 reset"), 10_000).len();
    assert!((400..600).contains(&count), "{count}");
}

#[test]
fn what_a_rule_draws_does_not_depend_on_the_others() {
    let alone = struck(&mut selector(5, "* * p=0 hang\nPOST * p=0.3 reset"), 50);
    let mut both = selector(5, "* * p=0.5 hang\nPOST * p=0.3 reset");
    let reset = |_: &u64| {
        both.choose(&Method::GET, "statuses");
        both.choose(&Method::POST, "assets") == Some(Fault::Reset(FaultTiming::Before))
    };
    let together: Vec<u64> = (1..=50).filter(reset).collect();
    // Where the first rule struck, the second has lost its turn.
    assert!(together.iter().all(|number| alone.contains(number)), "{together:?} {alone:?}");
    assert!(!together.is_empty());
}

#[test]
fn replacing_starts_the_counts_and_draws_anew() {
    let mut selector = selector(9, "* * p=0.5 reset");
    let first = struck(&mut selector, 30);
    selector.replace("* * p=0.5 reset".parse::<Faults>().unwrap().rules);
    assert_eq!(selector.rules()[0].matched, 0);
    assert_eq!(struck(&mut selector, 30), first);
}

fn any_status(codes: impl Strategy<Value = u16>) -> impl Strategy<Value = StatusCode> {
    codes.prop_map(|code| StatusCode::from_u16(code).unwrap())
}

fn any_moment() -> impl Strategy<Value = FaultTiming> {
    prop_oneof![Just(FaultTiming::Before), Just(FaultTiming::After)]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let trouble = prop_oneof![Just(500u16), Just(502), Just(504)];
    let waiting = prop_oneof![Just(503u16), Just(429)];
    prop_oneof![
        (any_status(400..500u16), proptest::option::of("[a-z #=]{1,9}"))
            .prop_map(|(status, message)| Fault::Refuse { status, message }),
        any_moment().prop_map(Fault::Reset),
        (any_status(trouble), any_moment()).prop_map(|(status, timing)| Fault::Status {
            status,
            retry_after: None,
            timing
        }),
        (any_status(waiting), any::<Option<u32>>(), any_moment())
            .prop_map(|(status, retry_after, timing)| Fault::Status { status, retry_after, timing }),
        (any::<u32>(), any_moment())
            .prop_map(|(by, timing)| Fault::Delay { by: Duration::from_millis(by.into()), timing }),
        any_moment().prop_map(Fault::Hang),
        Just(Fault::Truncate),
        (any_status(400..600u16), any_moment()).prop_map(|(status, timing)| Fault::Html { status, timing }),
        Just(Fault::MalformedReply(MalformedReply::Buried)),
        Just(Fault::MalformedReply(MalformedReply::Empty)),
    ]
}

fn any_rule() -> impl Strategy<Value = FaultRule> {
    let methods = prop_oneof![
        Just(MethodSet::Any),
        proptest::sample::subsequence(vec![Method::GET, Method::POST, Method::PUT, Method::DELETE], 1..=4)
            .prop_map(MethodSet::These),
    ];
    let path = proptest::sample::select(vec!["*", "assets", "assets/*", "check*/asset", "tenants", "statuses/7"]);
    let occurrence = prop_oneof![
        Just(Occurrence::Always),
        (0.0..=1.0).prop_map(Occurrence::Chance),
        (1..u64::MAX).prop_map(Occurrence::First),
        (1..u64::MAX).prop_map(Occurrence::Nth),
        (1..u64::MAX).prop_map(Occurrence::Every),
    ];
    (methods, path, occurrence, any_fault()).prop_map(|(methods, path, occurrence, fault)| FaultRule {
        methods,
        path: PathPattern(path.to_owned()),
        occurrence,
        fault,
    })
}

proptest! {
    #[test]
    fn a_rule_reads_back_as_it_is_shown(rule in any_rule()) {
        let faults: Faults = rule.to_string().parse().unwrap();
        prop_assert_eq!(faults.rules, vec![rule]);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "[-*,/a-z0-9=\" #\nA-Z.é]{0,60}") {
        let _ = text.parse::<Faults>();
    }

    #[test]
    fn the_same_rules_seed_and_requests_meet_the_same_faults(
        rules in proptest::collection::vec(any_rule(), 1..5),
        seed: u64,
        requests in proptest::collection::vec((0..2usize, 0..3usize), 0..60),
    ) {
        let run = || {
            let mut selector = FaultSelector::new(seed, rules.clone());
            let faults: Vec<_> = requests.iter().map(|(method, path)| {
                selector.choose(&[Method::GET, Method::POST][*method], ["assets", "assets/1", "checkout/asset"][*path])
            }).collect();
            let counts: Vec<_> = selector.rules().iter().map(|state| (state.matched, state.fired)).collect();
            (faults, counts)
        };
        let (faults, counts) = run();
        let struck = faults.iter().flatten().count() as u64;
        prop_assert_eq!(counts.iter().map(|(_, fired)| fired).sum::<u64>(), struck);
        prop_assert!(counts.iter().all(|(matched, fired)| fired <= matched));
        prop_assert_eq!(run(), (faults, counts));
    }
}
