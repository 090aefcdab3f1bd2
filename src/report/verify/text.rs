//! A comparison for a terminal.

use std::fmt::Write;

use rust_decimal::Decimal;

use super::VerifyReport;
use crate::report::tally::ProblemGroup;
use crate::run::verify::{Difference, DifferenceKind, SheetSums};
use crate::terminal::{ERROR as BAD, FAINT, GOOD, STRONG};
use crate::wording::{counted, duration, thousands};

/// How many differences the terminal shows; the workbook has them all.
const SHOWN: usize = 10;

/// How many kinds of problems the terminal shows.
const SHOWN_PROBLEMS: usize = 5;

/// Where the text behind a label begins.
const INDENT: usize = 12;

pub(super) fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", headline(report));
    let counts = report.counts();
    for (label, number, noun) in [
        ("equal", counts.equal, "value"),
        ("different", counts.different, "value"),
        ("missing", counts.missing, "record"),
        ("extra", counts.extra, "record"),
    ] {
        push_labelled(&mut text, label, &counted(number, noun));
    }
    for (position, sums) in report.sums().iter().enumerate() {
        push_labelled(&mut text, if position == 0 { "sums" } else { "" }, &sums_line(sums));
    }
    push_differences(&mut text, report);
    push_problems(&mut text, report);
    for remark in &report.findings.remarks {
        push_labelled(&mut text, "note", &remark.message);
    }
    push_labelled(&mut text, "requests", &thousands(report.requests.total));
    if let Some(result) = &report.result {
        push_labelled(&mut text, "result", &format!("{STRONG}{}{STRONG:#}", result.display()));
    }
    text
}

/// `Verify of assets.csv: everything is as it says, in 0.4 s`.
fn headline(report: &VerifyReport) -> String {
    let (style, verdict) = (if report.is_equal() { GOOD } else { BAD }, report.verdict());
    let took = duration(report.seconds);
    format!("{STRONG}Verify of {}{STRONG:#}: {style}{verdict}{style:#}, in {took}", report.title)
}

fn push_labelled(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "  {label:<INDENT$}{value}");
}

/// `assets of Devices: 120 records; purchase_cost 1,299 EUR; 3 without holder`.
fn sums_line(sums: &SheetSums) -> String {
    let (expected, found) = (thousands(sums.expected), thousands(sums.found));
    let records = match sums.expected == sums.found {
        true => counted(sums.expected, "record"),
        false => format!("{expected} expected, {found} found"),
    };
    let sheet = if sums.sheet == sums.collection { String::new() } else { format!(" of {}", sums.sheet) };
    let mut parts = vec![format!("{}{sheet}: {records}", sums.collection)];
    for sum in &sums.money {
        let currency = if sum.currency.is_empty() { String::new() } else { format!(" {}", sum.currency) };
        parts.push(match sum.expected == sum.found {
            true => format!("{} {}{currency}", sum.field, amount(sum.expected)),
            false => {
                format!(
                    "{} {}{currency} expected, {}{currency} found",
                    sum.field,
                    amount(sum.expected),
                    amount(sum.found)
                )
            }
        });
    }
    let without = sums.without.iter().filter(|without| without.records > 0);
    parts.extend(without.map(|without| format!("{} without {}", thousands(without.records), without.what)));
    parts.join("; ")
}

/// `1,299.5`.
fn amount(amount: Decimal) -> String {
    let text = amount.to_string();
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let whole = digits.parse().map_or_else(|_| digits.to_owned(), thousands);
    format!("{sign}{whole}{}", fraction.map(|digits| format!(".{digits}")).unwrap_or_default())
}

fn push_differences(text: &mut String, report: &VerifyReport) {
    let differences = report.differences();
    if differences.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", counted(differences.len() as u64, "difference"));
    for difference in differences.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}", line(difference));
    }
    let more = differences.len().saturating_sub(SHOWN) as u64;
    if more > 0 {
        let where_to = if report.result.is_some() { "in the result" } else { "--result PATH.xlsx writes all" };
        let _ = writeln!(text, "  {FAINT}{} more: {where_to}{FAINT:#}", thousands(more));
    }
}

/// `assets A-17, purchase_cost: expected 1299, found 1200; the record was last changed by ada@example.com at
/// 2026-11-24T09:30:12.000Z`. The activity log does not say which fields an update changed.
fn line(difference: &Difference) -> String {
    let record = format!("{} `{}`", difference.collection, difference.record);
    let what = match (difference.kind, &difference.field) {
        (DifferenceKind::Missing, _) => format!("{record}: not in the account"),
        (DifferenceKind::Extra, _) => format!("{record}: only in the account"),
        (DifferenceKind::Different, field) => format!(
            "{record}, {}: expected {}, found {}",
            field.as_deref().unwrap_or_default(),
            shown(&difference.expected),
            shown(&difference.found)
        ),
    };
    let who = difference.changed_by.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
    let when = difference.changed_at.as_ref().map(|when| format!(" at {when}")).unwrap_or_default();
    let source = format!(" {FAINT}({}){FAINT:#}", difference.source);
    if who.is_empty() && when.is_empty() {
        return format!("{what}{source}");
    }
    let changed = match (difference.kind, difference.field.as_deref()) {
        (DifferenceKind::Different, Some(_)) if !difference.is_about_holder() => "the record was last changed",
        _ => "changed",
    };
    format!("{what}; {changed}{who}{when}{source}")
}

fn shown(text: &str) -> String {
    if text.is_empty() { String::from("nothing") } else { format!("`{text}`") }
}

fn push_problems(text: &mut String, report: &VerifyReport) {
    if report.problems.is_empty() {
        return;
    }
    let total = counted(report.problems.total(), "problem");
    let _ = writeln!(text, "\n{STRONG}{total}: these rows were not compared{STRONG:#}");
    for group in report.problems.groups().into_iter().take(SHOWN_PROBLEMS) {
        let _ = writeln!(text, "  {}", problem_line(group));
    }
}

fn problem_line(group: &ProblemGroup) -> String {
    let example = group.examples.first();
    let message = example.map(|example| format!(": {}, {}", example.address(), example.message)).unwrap_or_default();
    format!("{} {} {FAINT}x{}{FAINT:#}{message}", group.sheet, group.code.as_str(), thousands(group.count))
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{amount, line};
    use crate::run::verify::{Difference, DifferenceKind};

    #[test]
    fn who_changed_a_record_last_need_not_have_changed_the_field() {
        let difference = |kind, field: Option<&str>| Difference {
            kind,
            collection: "assets",
            id: Some(5),
            record: String::from("A-1"),
            field: field.map(str::to_owned),
            expected: String::from("NewDept"),
            found: String::new(),
            source: String::from("assets row 2"),
            is_explained: false,
            changed_by: Some(String::from("ada@example.com")),
            changed_at: None,
        };
        let shown = line(&difference(DifferenceKind::Different, Some("department_id")));
        let expected = "assets `A-1`, department_id: expected `NewDept`, found nothing; the record was last changed by \
                        ada@example.com";
        assert!(shown.starts_with(expected), "{shown}");
        assert!(line(&difference(DifferenceKind::Missing, None)).contains("; changed by ada@example.com"));
        assert!(line(&difference(DifferenceKind::Different, Some("assigned_to"))).contains("; changed by ada"));
    }

    #[test]
    fn amounts_are_grouped_and_keep_their_fraction() {
        let amounts = [Decimal::new(1_234_567, 0), Decimal::new(-129_950, 2), Decimal::new(5, 1)];
        assert_eq!(amounts.map(amount), ["1,234,567", "-1,299.50", "0.5"]);
    }
}
