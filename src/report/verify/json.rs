//! A comparison for scripts. The shape is a contract.

use serde_json::{Value, json};

use super::VerifyReport;
use crate::report::summary::group_json;
use crate::run::verify::{Difference, SheetSums};

pub(super) fn json(report: &VerifyReport) -> Value {
    let counts = report.counts();
    let findings = &report.findings;
    json!({
        "run_id": report.run_id,
        "files": report.files,
        "counts": {
            "equal": counts.equal, "different": counts.different, "missing": counts.missing, "extra": counts.extra,
        },
        "not_compared": findings.not_compared,
        "differences": findings.differences.iter().map(difference_json).collect::<Vec<_>>(),
        "sums": findings.sums.iter().map(sums_json).collect::<Vec<_>>(),
        "problems": report.problems.groups().into_iter().map(group_json).collect::<Vec<_>>(),
        "remarks": findings.remarks,
        "requests": { "total": report.requests.total, "by_kind": report.requests.by_kind },
        "digests": {
            "files": report.file_digests.iter().map(|(name, digest)| json!({"file": name, "sha256": digest})).collect::<Vec<_>>(),
            "journal": findings.journal,
            "read": findings.read,
        },
        "seconds": (report.seconds * 1000.0).round() / 1000.0,
        "result": report.result.as_ref().map(|path| path.to_string_lossy()),
    })
}

fn difference_json(difference: &Difference) -> Value {
    json!({
        "kind": difference.kind.as_str(),
        "collection": difference.collection,
        "record": difference.record,
        "id": difference.id,
        "field": difference.field,
        "expected": value(&difference.expected),
        "found": value(&difference.found),
        "source": difference.source,
        "changed_by": difference.changed_by,
        "changed_at": difference.changed_at,
    })
}

/// No value is null.
fn value(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Amounts are text: a number of JSON may lose digits.
fn sums_json(sums: &SheetSums) -> Value {
    let money = sums.money.iter().map(|sum| {
        json!({
            "field": sum.field,
            "currency": value(&sum.currency),
            "expected": sum.expected.to_string(),
            "found": sum.found.to_string(),
        })
    });
    let without: serde_json::Map<String, Value> =
        sums.without.iter().map(|without| (without.what.to_owned(), json!(without.records))).collect();
    json!({
        "sheet": sums.sheet,
        "collection": sums.collection,
        "records": { "expected": sums.expected, "found": sums.found },
        "money": money.collect::<Vec<_>>(),
        "without": without,
    })
}
