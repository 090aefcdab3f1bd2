//! Errors in the text of a fault, with hints for its author.

use crate::schema;

/// Every word that may follow the path, for suggestions.
const WORDS: &[&str] = &[
    "p=0.05", "count=2", "nth=3", "every=10", "refuse", "reset", "500", "502", "503", "504", "429", "delay=300",
    "hang", "truncate", "html", "shape", "before", "after", "retry-after=30", "message=",
];

/// The Jaro-Winkler similarity (0 to 1) from which a word is suggested: one or two typing errors.
const MIN_SIMILARITY: f64 = 0.8;

/// The first invalid rule of a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid fault `{rule}`: {}", error.message)]
pub struct FaultsError {
    /// The line in the text, counting from 1.
    pub line: usize,
    /// The line as written, trimmed.
    pub rule: String,
    error: RuleError,
}

impl FaultsError {
    pub(super) fn new(line: usize, rule: &str, error: RuleError) -> Self {
        Self { line, rule: rule.trim().to_owned(), error }
    }

    /// What to write instead.
    pub fn hint(&self) -> &str {
        &self.error.hint
    }
}

/// Why a rule is invalid. Only shown to its author, so it is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleError {
    message: String,
    hint: String,
}

impl RuleError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// A path that no endpoint has.
    pub(super) fn unknown_path(path: &str) -> Self {
        let usage = "a path is the part after the base URL, e.g. `assets`, `assets/*`, `checkout/*`, or `*` for all";
        let nearest = schema::nearest(path.trim_matches(['/', '*'])).and_then(schema::find);
        let hint = match nearest {
            Some(entity) => format!("did you mean `{}`? {usage}", entity.path),
            None => usage.into(),
        };
        Self::new(format!("`{path}` does not match any endpoint"), hint)
    }

    /// A word that is not in the grammar.
    pub(super) fn unknown_word(word: &str) -> Self {
        let example = "e.g. `POST assets nth=3 reset after`";
        let similar = WORDS.iter().map(|known| (strsim::jaro_winkler(known, word), known));
        let nearest =
            similar.filter(|(score, _)| *score >= MIN_SIMILARITY).max_by(|one, other| one.0.total_cmp(&other.0));
        let hint = match nearest {
            _ if word.parse().is_ok_and(|status: u16| (400..500).contains(&status)) => {
                format!("did you mean `refuse={word}`? e.g. `POST assets nth=3 refuse={word}`")
            }
            Some((_, known)) => format!("did you mean `{known}`? {example}"),
            None => format!("use one of {}, {example}", WORDS.join(" ")),
        };
        Self::new(format!("unknown word `{word}`"), hint)
    }
}
