//! The headers of an export whose language is that of the user who exports it.
//!
//! A table, separated by tabs: the first line has the headers as the preset writes them, each line below it their words
//! in one language, its name in front. A blank cell is a header that is the same there.

use std::collections::HashSet;

use crate::table::Row;

/// The table of a preset. Nothing of it is read before an export may need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Languages {
    table: &'static str,
}

/// The headers of one language.
#[derive(Debug, Clone)]
pub(crate) struct LanguageWords {
    /// As the preset writes it, and as the language does.
    pairs: Vec<(&'static str, &'static str)>,
}

impl Languages {
    pub(super) const fn new(table: &'static str) -> Self {
        Self { table }
    }

    /// The words of every language but that of the preset.
    pub(super) fn words(self) -> impl Iterator<Item = LanguageWords> {
        let mut lines = self.table.lines();
        let headers: Vec<&'static str> = lines.next().unwrap_or_default().split('\t').skip(1).collect();
        lines.map(move |line| LanguageWords {
            pairs: headers.iter().copied().zip(line.split('\t').skip(1)).filter(|(_, word)| !word.is_empty()).collect(),
        })
    }

    /// The words of the language in which most of the headers are. None where that is the language of the preset.
    pub(crate) fn of_header_row(self, header: &Row) -> Option<LanguageWords> {
        let keys: HashSet<String> = header.cells().map(|cell| plain(cell.text)).collect();
        let present = self.words().map(|mut words| {
            words.pairs.retain(|(header, word)| {
                let word = plain(word);
                word != plain(header) && keys.contains(&word)
            });
            words
        });
        let best = present.reduce(|best, words| if words.pairs.len() > best.pairs.len() { words } else { best })?;
        (!best.pairs.is_empty()).then(|| best.with_each_word_once())
    }
}

impl LanguageWords {
    /// A header of the preset as this language writes it.
    pub(crate) fn of<'h>(&self, header: &'h str) -> &'h str {
        self.pairs.iter().find(|(known, _)| *known == header).map_or(header, |(_, word)| word)
    }

    /// Some languages have one word for two columns. It is the first of them: Snipe-IT writes them in the order of the
    /// table, and a header is found where it stands first.
    fn with_each_word_once(mut self) -> Self {
        let mut seen: HashSet<String> = HashSet::new();
        self.pairs.retain(|(_, word)| seen.insert(plain(word)));
        self
    }
}

/// The form in which the words are compared. Programs wrote them, so that case and white space are all that may differ;
/// folding the words of all languages as what people write would take long.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ").to_lowercase()
}
