//! What is wrong with the text of a fault, for whoever wrote it.

use super::rule::FaultTiming;
use crate::schema;

/// Every word that may follow the path, for suggestions.
const WORDS: &[&str] = &[
    "p=0.05", "count=2", "nth=3", "every=10", "refuse", "reset", "500", "502", "503", "504", "429", "delay=300",
    "hang", "truncate", "html", "shape", "before", "after", "retry-after=30", "message=",
];

/// The Jaro-Winkler likeness (0 to 1) from which a word is worth suggesting: one or two slips of the finger.
const NEAR: f64 = 0.8;

/// The first rule of a text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fault `{rule}` cannot be read: {error}")]
pub struct FaultsError {
    /// Its line in the text, from 1.
    pub line: usize,
    /// The line as written.
    pub rule: String,
    #[source]
    error: RuleError,
}

impl FaultsError {
    pub(super) fn new(line: usize, rule: &str, error: RuleError) -> Self {
        Self { line, rule: rule.trim().to_owned(), error }
    }

    /// What to write instead.
    pub fn hint(&self) -> String {
        self.error.hint()
    }
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RuleError {
    /// Fewer than two words.
    #[error("it lacks a path and an effect")]
    Short,
    #[error("`{word}` is no method the API has")]
    Method { word: String },
    /// No endpoint has such a path.
    #[error("`{word}` is no path of the API")]
    Path { word: String },
    #[error("`{word}` is no word of a fault")]
    Word { word: String },
    /// A word whose value is missing or wrong.
    #[error("`{word}` should carry {expected}")]
    Value { word: String, expected: &'static str, example: &'static str },
    /// Two words where one has room.
    #[error("`{first}` and `{second}` exclude each other")]
    Twice { first: String, second: String },
    #[error("it does not say what is to happen")]
    NoEffect,
    /// A moment that the effect cannot have.
    #[error("`{effect}` cannot come {timing} the request is carried out")]
    FaultTiming { effect: String, only: FaultTiming, timing: FaultTiming },
    #[error("`{word}` goes with 429 and 503 only")]
    RetryAfter { word: String },
    #[error("`{word}` goes with `refuse` only")]
    Message { word: String },
    #[error("`{word}` opens a quote that nothing closes")]
    Quote { word: String },
}

impl RuleError {
    pub(super) fn value(word: &str, expected: &'static str, example: &'static str) -> Self {
        RuleError::Value { word: word.to_owned(), expected, example }
    }

    fn hint(&self) -> String {
        match self {
            RuleError::Short => "give methods, a path and what is to happen, such as `POST assets reset after`".into(),
            RuleError::Method { .. } => {
                "give GET, POST, PUT or DELETE, several as `POST,PUT`, or `*` for all, such as `POST assets reset`"
                    .into()
            }
            RuleError::Path { word } => path_hint(word),
            RuleError::Word { word } => word_hint(word),
            RuleError::Value { example, .. } => format!("write it such as `{example}`"),
            RuleError::Twice { first, second } => {
                format!("leave out `{first}` or `{second}`, or make two faults of it")
            }
            RuleError::NoEffect => {
                "add one of refuse, reset, 500, 502, 503, 504, 429, delay=300, hang, truncate, html, shape, \
                 such as `POST assets nth=3 reset after`"
                    .into()
            }
            RuleError::FaultTiming { effect, only, .. } => {
                format!("leave out the moment: `{effect}` always comes {only}")
            }
            RuleError::RetryAfter { .. } => "write it such as `* * p=0.01 503 retry-after=2`".into(),
            RuleError::Message { .. } => {
                "write it such as `POST assets refuse=422 message=\"no more of these\"`".into()
            }
            RuleError::Quote { .. } => "close it, such as `message=\"no more of these\"`".into(),
        }
    }
}

fn path_hint(word: &str) -> String {
    let expected = "a path is what follows the base link, such as `assets`, `assets/*`, `checkout/*` or `*` for all";
    let name = schema::nearest(word.trim_matches(['/', '*']));
    match name.and_then(schema::find) {
        Some(entity) => format!("perhaps `{}` is meant; {expected}", entity.path),
        None => expected.into(),
    }
}

fn word_hint(word: &str) -> String {
    if word.parse().is_ok_and(|status: u16| (400..500).contains(&status)) {
        return format!("perhaps `refuse={word}` is meant, as in `POST assets nth=3 refuse={word}`");
    }
    let near = WORDS.iter().map(|known| (strsim::jaro_winkler(known, word), known));
    let nearest = near.filter(|(likeness, _)| *likeness >= NEAR).max_by(|left, right| left.0.total_cmp(&right.0));
    match nearest {
        Some((_, known)) => format!("perhaps `{known}` is meant, as in `POST assets nth=3 reset after`"),
        None => format!("use the words {}, as in `POST assets nth=3 reset after`", WORDS.join(" ")),
    }
}
