//! The grammar and the choice, without a server.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::http::{Method, StatusCode};
use proptest::prelude::*;

use super::Faults;
use super::rule::{Effect, FaultTiming, MalformedReply, MethodSet, Occurrence, PathPattern};
use super::rule::{Fault, FaultRule};
use super::selector::FaultSelector;

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
        fault: Fault { effect: Effect::Reset, timing: FaultTiming::After },
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
    use FaultTiming::{After, Before};
    let code = |code| StatusCode::from_u16(code).unwrap();
    let refuse =
        |status, message: Option<&str>| Effect::Refuse { status: code(status), message: message.map(str::to_owned) };
    let status = |status, retry_after| Effect::Status { status: code(status), retry_after };
    let delay = |milliseconds| Effect::Delay(Duration::from_millis(milliseconds));
    for (text, effect, timing) in [
        ("refuse", refuse(422, None), Before),
        ("refuse before", refuse(422, None), Before),
        ("refuse=409 message=\"not #4, not now\"", refuse(409, Some("not #4, not now")), Before),
        ("message=no refuse", refuse(422, Some("no")), Before),
        ("refuse=200", refuse(200, None), Before),
        ("reset", Effect::Reset, Before),
        ("500 after", status(500, None), After),
        ("502", status(502, None), Before),
        ("504", status(504, None), Before),
        ("503 retry-after=2", status(503, Some(2)), Before),
        ("retry-after=0 429 after", status(429, Some(0)), After),
        ("delay=300", delay(300), Before),
        ("delay=0 after", delay(0), After),
        ("hang after", Effect::Hang, After),
        ("truncate", Effect::Truncate, After),
        ("truncate after", Effect::Truncate, After),
        ("html", Effect::Html(code(403)), Before),
        ("html=200 after", Effect::Html(code(200)), After),
        ("shape", Effect::Malformed(MalformedReply::Buried), After),
        ("shape=empty after", Effect::Malformed(MalformedReply::Empty), After),
    ] {
        assert_eq!(fault(text), Fault { effect, timing }, "{text}");
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
    invalid fault `POST`: missing path and effect
      write methods, a path and an effect, e.g. `POST assets reset after`
    invalid fault `FETCH assets reset`: unknown method `FETCH`
      use GET, POST, PUT or DELETE, several as `POST,PUT`, or `*` for all, e.g. `POST assets reset`
    invalid fault `POST,, assets reset`: unknown method `POST,,`
      use GET, POST, PUT or DELETE, several as `POST,PUT`, or `*` for all, e.g. `POST assets reset`
    invalid fault `POST asset/* reset`: `asset/*` does not match any endpoint
      did you mean `assets`? a path is the part after the base URL, e.g. `assets`, `assets/*`, `checkout/*`, or `*` for all
    invalid fault `POST checkout/assets reset`: `checkout/assets` does not match any endpoint
      did you mean `checkout/asset`? a path is the part after the base URL, e.g. `assets`, `assets/*`, `checkout/*`, or `*` for all
    invalid fault `POST /assets reset`: `/assets` does not match any endpoint
      did you mean `assets`? a path is the part after the base URL, e.g. `assets`, `assets/*`, `checkout/*`, or `*` for all
    invalid fault `POST zzz reset`: `zzz` does not match any endpoint
      a path is the part after the base URL, e.g. `assets`, `assets/*`, `checkout/*`, or `*` for all
    invalid fault `POST assets rset`: unknown word `rset`
      did you mean `reset`? e.g. `POST assets nth=3 reset after`
    invalid fault `POST assets explode`: unknown word `explode`
      use one of p=0.05 count=2 nth=3 every=10 refuse reset 500 502 503 504 429 delay=300 hang truncate html shape before after retry-after=30 message=, e.g. `POST assets nth=3 reset after`
    invalid fault `POST assets 501`: unknown word `501`
      did you mean `504`? e.g. `POST assets nth=3 reset after`
    invalid fault `POST assets 404`: unknown word `404`
      did you mean `refuse=404`? e.g. `POST assets nth=3 refuse=404`
    invalid fault `POST assets reset=1`: unknown word `reset=1`
      did you mean `reset`? e.g. `POST assets nth=3 reset after`
    invalid fault `POST assets before=1 reset`: unknown word `before=1`
      did you mean `before`? e.g. `POST assets nth=3 reset after`
    invalid fault `POST assets`: missing effect
      add one of refuse, reset, 500, 502, 503, 504, 429, delay=300, hang, truncate, html, shape, e.g. `POST assets nth=3 reset after`
    invalid fault `POST assets nth=3 after`: missing effect
      add one of refuse, reset, 500, 502, 503, 504, 429, delay=300, hang, truncate, html, shape, e.g. `POST assets nth=3 reset after`
    invalid fault `POST assets p=5% reset`: `p=5%` needs a probability from 0 to 1
      e.g. `p=0.05`
    invalid fault `POST assets p=1.5 reset`: `p=1.5` needs a probability from 0 to 1
      e.g. `p=0.05`
    invalid fault `POST assets p reset`: `p` needs a probability from 0 to 1
      e.g. `p=0.05`
    invalid fault `POST assets count=0 reset`: `count=0` needs a whole number from 1
      e.g. `count=2`
    invalid fault `POST assets nth=first reset`: `nth=first` needs a whole number from 1
      e.g. `nth=3`
    invalid fault `POST assets every=-1 reset`: `every=-1` needs a whole number from 1
      e.g. `every=10`
    invalid fault `POST assets refuse=500`: `refuse=500` needs 200, or a status from 400 to 499
      e.g. `refuse=422`
    invalid fault `POST assets html=302`: `html=302` needs a status with a body: 200, or from 400 to 599
      e.g. `html=403`
    invalid fault `POST assets delay`: `delay` needs a whole number of milliseconds
      e.g. `delay=300`
    invalid fault `POST assets delay=1s`: `delay=1s` needs a whole number of milliseconds
      e.g. `delay=300`
    invalid fault `POST assets 503 retry-after=soon`: `retry-after=soon` needs a whole number of seconds
      e.g. `retry-after=30`
    invalid fault `POST assets shape=round`: `shape=round` needs `empty` or no value
      e.g. `shape=empty`
    invalid fault `POST assets refuse message=""`: `message=""` needs a text in quotes
      e.g. `message="no more of these"`
    invalid fault `POST assets reset 500`: `reset` and `500` cannot be combined
      remove `reset` or `500`, or write two faults
    invalid fault `POST assets p=0.1 nth=3 reset`: `p=0.1` and `nth=3` cannot be combined
      remove `p=0.1` or `nth=3`, or write two faults
    invalid fault `POST assets reset before after`: `before` and `after` cannot be combined
      remove `before` or `after`, or write two faults
    invalid fault `POST assets refuse after`: `refuse` cannot happen after the request is executed
      remove `after`: `refuse` always happens before
    invalid fault `POST assets truncate before`: `truncate` cannot happen before the request is executed
      remove `before`: `truncate` always happens after
    invalid fault `POST assets shape before`: `shape` cannot happen before the request is executed
      remove `before`: `shape` always happens after
    invalid fault `POST assets 500 retry-after=3`: `retry-after=3` requires 429 or 503
      e.g. `* * p=0.01 503 retry-after=2`
    invalid fault `POST assets reset message=no`: `message=no` requires `refuse`
      e.g. `POST assets refuse=422 message="no more of these"`
    invalid fault `POST assets refuse message="no more`: unclosed quote in `message="no more`
      e.g. `message="no more of these"`
    "##);
}

#[test]
fn the_line_of_a_mistake_is_told() {
    let error = "# one\nPOST assets reset\n\n  POST asets reset\nPOST worse reset".parse::<Faults>().unwrap_err();
    assert_eq!((error.line, &*error.rule), (4, "POST asets reset"));
}

const RESET: Fault = Fault { effect: Effect::Reset, timing: FaultTiming::Before };
const HANG: Fault = Fault { effect: Effect::Hang, timing: FaultTiming::Before };

fn selector(seed: u64, text: &str) -> FaultSelector {
    FaultSelector::new(seed, text.parse::<Faults>().unwrap().rules)
}

/// Which of so many posts to `assets` are struck, counted from 1.
fn struck(selector: &mut FaultSelector, requests: u64) -> Vec<u64> {
    (1..=requests).filter(|_| selector.select(&Method::POST, "assets").is_some()).collect()
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
        assert_eq!(selector.select(&method, path), None);
    }
    assert_eq!(selector.rules()[0].matched, 0);
    assert_eq!(selector.select(&Method::POST, "assets"), None);
    assert_eq!(selector.select(&Method::PUT, "assets/1"), Some(RESET));
}

#[test]
fn of_several_rules_the_first_strikes_and_all_count() {
    let mut selector = selector(0, "* * nth=2 hang\nPOST assets count=2 reset\n* * nth=2 truncate");
    let chosen: Vec<_> = (0..3).map(|_| selector.select(&Method::POST, "assets")).collect();
    assert_eq!(chosen, [Some(RESET), Some(HANG), None]);
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
        both.select(&Method::GET, "statuses");
        both.select(&Method::POST, "assets") == Some(RESET)
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

fn any_fault() -> impl Strategy<Value = Fault> {
    let status = |status, retry_after| Effect::Status { status, retry_after };
    let effect = prop_oneof![
        (any_status(400..500u16), proptest::option::of("[a-z #=]{1,9}"))
            .prop_map(|(status, message)| Effect::Refuse { status, message }),
        Just(Effect::Reset),
        any_status(prop_oneof![Just(500u16), Just(502), Just(504)]).prop_map(move |code| status(code, None)),
        (any_status(prop_oneof![Just(503u16), Just(429)]), any::<Option<u32>>())
            .prop_map(move |(code, retry_after)| status(code, retry_after)),
        any::<u32>().prop_map(|by| Effect::Delay(Duration::from_millis(by.into()))),
        Just(Effect::Hang),
        Just(Effect::Truncate),
        any_status(400..600u16).prop_map(Effect::Html),
        Just(Effect::Malformed(MalformedReply::Buried)),
        Just(Effect::Malformed(MalformedReply::Empty)),
    ];
    let timing = prop_oneof![Just(FaultTiming::Before), Just(FaultTiming::After)];
    (effect, timing).prop_map(|(effect, timing)| Fault { timing: effect.fixed_timing().unwrap_or(timing), effect })
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
                selector.select(&[Method::GET, Method::POST][*method], ["assets", "assets/1", "checkout/asset"][*path])
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

#[test]
#[ignore = "runs in a process of its own: see the module `fuzz`"]
fn fuzz_faults() {
    let inputs: [&[u8]; 2] = [
        b"POST assets p=0.05 500 retry-after=3 after\nGET * every=10 delay=300\n# a comment\nPUT assets/* nth=3 reset",
        b"* checkout/* count=2 refuse=409 message=\"in use\"\nDELETE * html=200",
    ];
    let words =
        ["p=", "nth=0", "every=", "count=", "delay=1", "reset", "#", "\n", "*", "POST,PUT", "message=\"", "shape="];
    crate::fuzz::each_mutation(&inputs, &words, 1, |bytes| {
        let _ = String::from_utf8_lossy(bytes).parse::<Faults>();
    });
}
