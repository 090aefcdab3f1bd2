//! The end of an export, as text and as JSON.

use serde_json::{Value as Json, json};

use super::account::{Account, List};
use super::destination::Place;
use super::job::{Job, Reading};
use super::written::Written;
use crate::api::RequestCounts;
use crate::catalog::{RefreshMethod, RefreshStats};
use crate::cli::printer::Printer;
use crate::error::Error;
use crate::wording::{counted, duration, thousands};

/// What an export came to.
pub(super) struct Shown<'a> {
    pub job: &'a Job,
    pub accounts: &'a [Account],
    pub written: &'a Written,
    pub seconds: f64,
    /// Old files that were deleted.
    pub pruned: usize,
    /// Tenants that failed, each with the reason.
    pub failed: &'a [(String, String)],
}

impl Shown<'_> {
    pub(super) fn print(&self, printer: Printer, place: Option<&Place>) -> Result<(), Error> {
        self.warnings().iter().for_each(|warning| printer.warn(warning));
        if printer.json {
            printer.data(&format!("{:#}\n", self.json()))?;
        } else if place.is_some_and(Place::is_stdout) {
            // The data is there: what is said about it goes elsewhere.
            self.text().lines().for_each(|line| printer.note(line));
        } else {
            printer.say(&self.text())?;
        }
        Ok(())
    }

    fn text(&self) -> String {
        let requests = self.requests();
        let account = match self.accounts {
            [account] => account.connection.identity.to_string(),
            several => counted(several.len() as u64, "tenant"),
        };
        let mut lines = vec![format!(
            "Export of {account}, in {} ({})",
            duration(self.seconds),
            counted(requests.total, "request")
        )];
        let width = self.written.rows.iter().map(|rows| rows.entity.len()).max().unwrap_or(0);
        for rows in &self.written.rows {
            let told = self.told(rows.entity, rows.tenant);
            let tenant = rows.tenant.map_or_else(String::new, |tenant| format!("tenant {tenant}  "));
            let count = counted(rows.rows, "row");
            lines.push(format!("  {tenant}{:width$}  {count:>14}  {told}", rows.entity).trim_end().to_owned());
        }
        if let Some(counts) = self.written.changes {
            lines.push(match (counts.first as usize, self.job.entities.len() * self.accounts.len()) {
                (first, all) if first == all => {
                    String::from("  changes: none to tell, this is the first export of this name")
                }
                _ => {
                    format!("  changes: {} added, {} removed, {} changed", counts.added, counts.removed, counts.changed)
                }
            });
        }
        let places = self.written.files.iter().filter_map(|file| file.place.as_ref());
        lines.extend(places.map(|place| format!("wrote `{place}`")));
        if self.pruned > 0 {
            lines.push(format!("deleted {} of earlier days", counted(self.pruned as u64, "file")));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// How a collection was read: `12 changed and 1 removed since the last time`.
    fn told(&self, entity: &str, tenant: Option<i64>) -> String {
        let account = self.accounts.iter().find(|account| account.tenant.as_ref().map(|(id, _)| *id) == tenant);
        let Some(account) = account else { return String::new() };
        let list = account.lists.iter().find(|list| list.entity.name == entity);
        let refreshed = account.refreshed.iter().find(|refreshed| refreshed.entity.name == entity);
        let mut told = match (list, refreshed) {
            (Some(list), _) if !list.asked.is_empty() => {
                vec![format!("the service picked {}", list.asked.join(", "))]
            }
            (_, Some(refreshed)) => vec![told_refresh(refreshed)],
            _ => Vec::new(),
        };
        if let Some(List { applied, .. }) = list
            && !applied.is_empty()
        {
            told.push(format!("picked here: {}", applied.join(", ")));
        }
        told.join("; ")
    }

    fn requests(&self) -> RequestCounts {
        let mut sum = RequestCounts::default();
        for account in self.accounts {
            let counts = account.connection.client.requests();
            sum.total += counts.total;
            counts.by_kind.into_iter().for_each(|(kind, count)| *sum.by_kind.entry(kind).or_default() += count);
        }
        sum
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for finished in &self.written.finished {
            for truncated in &finished.truncated {
                warnings.push(format!(
                    "sheet {}, cell {}: {} characters were cut to what a cell can hold",
                    truncated.sheet,
                    truncated.at,
                    thousands(truncated.characters as u64)
                ));
            }
            let more = finished.truncated_cells.saturating_sub(finished.truncated.len() as u64);
            if more > 0 {
                warnings.push(format!("{} were cut as well", counted(more, "further cell")));
            }
        }
        if self.job.reading == Reading::Verified {
            warnings.extend(self.differences());
        }
        for account in self.accounts {
            warnings.extend(account.connection.client.warnings());
        }
        warnings
            .extend(self.failed.iter().map(|(tenant, reason)| format!("tenant {tenant} was not exported: {reason}")));
        warnings
    }

    /// What a comparison of the copy with the service found.
    pub(super) fn differences(&self) -> Vec<String> {
        let found = self.accounts.iter().flat_map(|account| &account.differences);
        let differs = |refreshed: &&RefreshStats| refreshed.added + refreshed.changed + refreshed.removed > 0;
        found
            .filter(differs)
            .map(|refreshed| {
                format!(
                    "the local copy of {} differed from the service: {} missing, {} other than they are, {} too many; \
                     it is as the service has it now",
                    refreshed.entity.name, refreshed.added, refreshed.changed, refreshed.removed
                )
            })
            .collect()
    }

    fn json(&self) -> Json {
        let sheets = self.written.rows.iter().map(|rows| {
            let account =
                self.accounts.iter().find(|account| account.tenant.as_ref().map(|(id, _)| *id) == rows.tenant);
            let list = account.and_then(|account| account.lists.iter().find(|list| list.entity.name == rows.entity));
            let refreshed = account
                .and_then(|account| account.refreshed.iter().find(|refreshed| refreshed.entity.name == rows.entity));
            json!({
                "entity": rows.entity,
                "tenant": rows.tenant,
                "rows": rows.rows,
                "columns": rows.columns,
                "read": refreshed.map_or("asked", |refreshed| how(refreshed.how)),
                "added": refreshed.map(|refreshed| refreshed.added),
                "changed": refreshed.map(|refreshed| refreshed.changed),
                "removed": refreshed.map(|refreshed| refreshed.removed),
                "asked_of_the_service": list.map(|list| &list.asked),
                "applied_here": list.map(|list| &list.applied),
            })
        });
        let files = self.written.files.iter().map(|file| {
            let tables = file.tables.iter().map(|(name, rows)| json!({"name": name, "rows": rows}));
            json!({"path": file.place, "tables": tables.collect::<Vec<_>>()})
        });
        let changes = self.written.changes.map(|counts| {
            json!({"added": counts.added, "removed": counts.removed, "changed": counts.changed, "rows": counts.rows})
        });
        let requests = self.requests();
        json!({
            "name": self.job.name,
            "sheets": sheets.collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
            "changes": changes,
            "as_of": self.accounts.iter().map(|account| &account.read_at).min(),
            "requests": {"total": requests.total, "by_kind": requests.by_kind},
            "seconds": self.seconds,
            "deleted_files": self.pruned,
            "failed_tenants": self.failed.iter().map(|(tenant, reason)| json!({"tenant": tenant, "reason": reason}))
                .collect::<Vec<_>>(),
            "warnings": self.warnings(),
        })
    }
}

fn told_refresh(refreshed: &RefreshStats) -> String {
    match refreshed.how {
        RefreshMethod::Full => String::from("read whole"),
        RefreshMethod::Unchanged => String::from("nothing new, as the log says"),
        RefreshMethod::Incremental => match (refreshed.added, refreshed.changed, refreshed.removed) {
            (0, 0, 0) => String::from("nothing new"),
            (added, changed, removed) => format!("{added} added, {changed} changed, {removed} removed"),
        },
    }
}

fn how(how: RefreshMethod) -> &'static str {
    match how {
        RefreshMethod::Full => "whole",
        RefreshMethod::Incremental => "changes",
        RefreshMethod::Unchanged => "vouched",
    }
}
