//! What an undo will do, before it is asked for: as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::plan::order;
use crate::plan::undo::{UndoDecision, UndoItem, UndoKind, item_collection};
use crate::plan::{RowCounts, RunEstimate};
use crate::report::plan_sentence;
use crate::schema;
use crate::terminal::{FAINT, STRONG, Style, WARNING};
use crate::wording::thousands;

/// Examples that are shown of each reason.
const MOST_EXAMPLES: usize = 3;

/// Every way of taking back, in the order in which it is summary.
const KINDS: [UndoKind; 6] = [
    UndoKind::CheckIn,
    UndoKind::CheckOut,
    UndoKind::Delete,
    UndoKind::DeletePermanently,
    UndoKind::Restore,
    UndoKind::Recreate,
];

fn key(kind: UndoKind) -> &'static str {
    match kind {
        UndoKind::CheckIn => "check_in",
        UndoKind::CheckOut => "check_out",
        UndoKind::Delete => "delete",
        UndoKind::DeletePermanently => "delete_for_good",
        UndoKind::Restore => "restore",
        UndoKind::Recreate => "create_again",
    }
}

/// What was decided, counted.
#[derive(Debug, Default)]
pub(crate) struct UndoSummary {
    /// Writes by kind and collection.
    writes: BTreeMap<UndoKind, BTreeMap<(usize, &'static str), u64>>,
    /// Why there is nothing to do, and how often.
    nothing: BTreeMap<String, u64>,
    left: BTreeMap<&'static str, SkippedGroup>,
    /// How its rows would end.
    pub(crate) counts: RowCounts,
}

/// What is left for one reason.
#[derive(Debug, Default)]
struct SkippedGroup {
    count: u64,
    examples: Vec<String>,
}

impl UndoSummary {
    pub(crate) fn of(items: &[UndoItem]) -> Self {
        let mut summary = Self::default();
        for item in items {
            let collection = item_collection(item.entity);
            summary.counts.add(item.done_status());
            match &item.decision {
                UndoDecision::Undo(_) => {
                    let Some(kind) = item.kind() else { continue };
                    let place = (order::rank(collection), collection.name);
                    *summary.writes.entry(kind).or_default().entry(place).or_default() += 1;
                }
                UndoDecision::NothingToDo(why) => *summary.nothing.entry(without_ids(why)).or_default() += 1,
                UndoDecision::Skip(reason) => {
                    let left = summary.left.entry(reason.title()).or_default();
                    left.count += 1;
                    if left.examples.len() < MOST_EXAMPLES {
                        let detail = reason.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
                        left.examples.push(format!("{} {}{detail}", collection.singular, item.title));
                    }
                }
            }
        }
        summary
    }

    /// How many requests take the run back.
    pub(crate) fn writes(&self) -> u64 {
        KINDS.into_iter().map(|kind| self.count(kind)).sum()
    }

    /// What cannot be undone.
    pub(crate) fn left(&self) -> u64 {
        self.left.values().map(|left| left.count).sum()
    }

    pub(crate) fn count(&self, kind: UndoKind) -> u64 {
        self.writes.get(&kind).map_or(0, |by_collection| by_collection.values().sum())
    }

    fn listed(&self, kind: UndoKind) -> String {
        let by_collection = self.writes.get(&kind).into_iter().flatten();
        let listed: Vec<String> =
            by_collection.map(|((_, name), count)| format!("{} {}", thousands(*count), noun(name, *count))).collect();
        listed.join(", ")
    }

    /// The collections whose deletion is final, for the question.
    pub(crate) fn for_good(&self) -> Option<String> {
        (self.count(UndoKind::DeletePermanently) > 0).then(|| self.listed(UndoKind::DeletePermanently))
    }

    pub(crate) fn text(&self, title: &str, planned: &RunEstimate) -> String {
        let mut text = format!("{STRONG}{title}{STRONG:#}\n");
        for kind in KINDS.into_iter().filter(|kind| self.count(*kind) > 0) {
            let (style, more) = match kind {
                UndoKind::DeletePermanently => (WARNING, "for good: the service cannot bring these back"),
                UndoKind::Recreate => (Style::PLAIN, "with new ids: history and what named the old ones stay behind"),
                UndoKind::CheckIn | UndoKind::CheckOut | UndoKind::Delete | UndoKind::Restore => (Style::PLAIN, ""),
            };
            push_line(&mut text, self.count(kind), kind.verb(), style, &wrapped(&self.listed(kind)));
            if !more.is_empty() {
                let _ = writeln!(text, "{:INDENT$}{FAINT}{more}{FAINT:#}", "");
            }
        }
        for (why, count) in &self.nothing {
            push_line(&mut text, *count, "nothing to do", FAINT, why);
        }
        self.push_left(&mut text);
        if self.writes() > 0 {
            let _ = writeln!(text, "  {FAINT}plan     {FAINT:#} {}", plan_sentence(planned));
        }
        text
    }

    fn push_left(&self, text: &mut String) {
        if self.left.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{STRONG}{} cannot be undone{STRONG:#}", thousands(self.left()));
        let mut reasons: Vec<(&&str, &SkippedGroup)> = self.left.iter().collect();
        reasons.sort_by_key(|(_, left)| std::cmp::Reverse(left.count));
        for (title, left) in reasons {
            let _ = writeln!(text, "  {WARNING}{:>6} ×{WARNING:#} {title}", thousands(left.count));
            let more = if left.count > left.examples.len() as u64 { ", …" } else { "" };
            let _ = writeln!(text, "           {}{more}", left.examples.join(", "));
        }
        text.push('\n');
    }

    pub(crate) fn json(&self, planned: &RunEstimate) -> Json {
        let mut document = serde_json::Map::new();
        for kind in KINDS {
            let by_collection = self.writes.get(&kind).into_iter().flatten();
            let counts = by_collection.map(|((_, name), count)| ((*name).to_owned(), json!(count)));
            document.insert(key(kind).to_owned(), Json::Object(counts.collect()));
        }
        document.insert("nothing_to_do".into(), json!(self.nothing));
        let left = self
            .left
            .iter()
            .map(|(title, left)| json!({ "reason": title, "count": left.count, "examples": left.examples }));
        document.insert("not_undone".into(), left.collect());
        document.insert("requests".into(), json!(planned.requests));
        document.insert("seconds".into(), json!(planned.seconds));
        document.insert("emails".into(), json!(planned.emails));
        document.insert("people".into(), json!(planned.people));
        Json::Object(document)
    }
}

/// Where the text of a line begins, and how far it goes.
const INDENT: usize = 26;
const WIDTH: usize = 96;

fn push_line(text: &mut String, count: u64, verb: &str, style: Style, rest: &str) {
    let _ = writeln!(text, "  {:>7}  {style}{verb:<13}{style:#}  {rest}", thousands(count));
}

/// A list over as many lines as it takes, broken between its parts.
fn wrapped(list: &str) -> String {
    let (mut text, mut column) = (String::new(), INDENT);
    for part in list.split_inclusive(", ") {
        let length = part.trim_end().chars().count();
        if column > INDENT && column + length > WIDTH {
            text.truncate(text.trim_end().len());
            let _ = write!(text, "\n{:INDENT$}", "");
            column = INDENT;
        }
        text.push_str(part);
        column += length + 1;
    }
    text
}

fn noun(collection: &'static str, count: u64) -> &'static str {
    let singular = schema::collection(collection).filter(|_| count == 1).map(|entity| entity.singular);
    singular.unwrap_or(collection)
}

/// The same reason for several records is one reason.
fn without_ids(why: &str) -> String {
    why.split(", as #").next().unwrap_or(why).to_owned()
}
