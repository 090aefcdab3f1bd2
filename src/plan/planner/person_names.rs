//! Names of people: those that a sheet writes last name first or in part, and those that several people have.

use super::{Planner, RowDraft, SheetPlan, StepSink};
use crate::catalog::{LookupResult, RecordRef, ReferenceSyntax};
use crate::check::{CheckedRow, Code, EmptyCells, Problem, RemarkKind, ValueError, text};
use crate::plan::descriptions::describing_cells;
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::target;
use crate::schema::{self, fold_name};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// Leaves a person the name that the account has just as the sheet writes it: only new ones are turned around.
    pub(super) fn keep_names(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        id: i64,
        fields: &mut Vec<ResolvedField>,
    ) {
        let entity = sheet.mapping.entity;
        let Some(record) = self.catalog.record(entity.name, id).filter(|_| !checked.last_name_first.is_empty()) else {
            return;
        };
        let is_kept = |given: &ResolvedField| {
            let held = record.get(entity.fields[given.field].name).and_then(serde_json::Value::as_str);
            let cell = row.cell(given.column as usize).text;
            let is_name = checked.last_name_first.contains(&given.column) && matches!(given.value, Resolved::Value(_));
            is_name && held.is_some_and(|held| fold_name(held) == fold_name(cell))
        };
        fields.retain(|given| !is_kept(given));
    }

    /// Leaves a person the name that the account has where the row says only a part of one, and nobody has written that the
    /// parts make the name: a blank cell clears nothing. `note` says so.
    pub(super) fn keep_whole_names(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &CheckedRow,
        id: i64,
        fields: &mut Vec<ResolvedField>,
        note: &mut String,
    ) {
        let mapping = sheet.mapping;
        let blank_part = |given: &ResolvedField| {
            mapping.entity.fields[given.field].joined_from?;
            let derived = mapping.derived_at(given.column as usize)?;
            let is_assumed = !derived.rule.origin.source.is_written();
            checked.blank_part(row, mapping, given.column).filter(|_| is_assumed)
        };
        let clears_blanks = self.rules.blank == EmptyCells::Clear && !mapping.origin.is_further();
        fields.retain(|given| {
            let Some(part) = blank_part(given).filter(|_| !clears_blanks) else { return true };
            let name = mapping.entity.fields[given.field].name;
            let held = self.catalog.record(mapping.entity.name, id).and_then(|record| record.get(name)?.as_str());
            let Some(held) = held.filter(|held| !held.trim().is_empty()) else { return true };
            if held != text::trimmed(row.cell(given.column as usize).text) {
                target::note_partial_name(note, (name, held), mapping.header(part));
            }
            false
        });
    }

    /// The problem of a name that several people have once the run has made those whom other rows describe: whom it means
    /// must not depend on the order of the rows.
    pub(super) fn ambiguous_person(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        given: &ResolvedField,
    ) -> Option<Problem> {
        let (reference, found) = match &given.value {
            Resolved::Record(target, reference) => (*reference, Some(*target)),
            Resolved::Missing { reference, .. } => (*reference, None),
            _ => return None,
        };
        let cell = row.cell(given.column as usize).text;
        let name = text::trimmed(cell);
        let people = match self.descriptions.people(reference, name) {
            [] => self.descriptions.people(reference, &schema::first_name_first(name)?),
            people => people,
        };
        let entity = schema::collection(reference.to)?;
        let cells = describing_cells(sheet.mapping, row, checked, given.field);
        if cells.iter().any(|cell| entity.key.contains(&cell.field.name)) {
            return None;
        }
        let is_known = |email: &str| {
            let found =
                self.catalog.as_planned().find(reference.to, email, ReferenceSyntax::Marked, reference.narrowed);
            !matches!(found, LookupResult::None { .. })
        };
        let unmade = |emails: &Vec<Box<str>>| {
            let email = emails.last().filter(|_| !emails.iter().any(|email| is_known(email)))?;
            Some(format!("{email} (new in this run)"))
        };
        let described = found.map(|target| {
            let name = self.catalog.as_planned().describe(reference.to, target);
            match target {
                RecordRef::Known(id) => format!("{name} (#{id})"),
                RecordRef::Planned(_) => format!("{name} (new in this run)"),
            }
        });
        let shown: Vec<String> = described.into_iter().chain(people.iter().filter_map(unmade)).take(4).collect();
        (shown.len() > 1).then(|| {
            let error = ValueError::new(
                Code::NameAmbiguous,
                format!("several {} match: {}", reference.to, shown.join("; ")),
                "write the e-mail address of the one you mean",
            );
            error.at(Some(given.column), cell)
        })
    }
}

/// Remarks how the names of people are written whom a row names and the run creates.
pub(super) fn remark_new_people(row: &Row, draft: &RowDraft, checked: &mut CheckedRow) {
    for (field, record) in draft.missing.iter().filter(|(_, record)| record.entity.is_person()) {
        let columns = checked.values.iter().filter(|given| given.field == *field).map(|given| given.column);
        let mut names = columns.map(|column| (column, text::trimmed(row.cell(column as usize).text)));
        let Some((column, name)) = names.find(|(_, name)| schema::first_name_first(name).is_some()) else { continue };
        let is_turned = fold_name(&record.name) != fold_name(name);
        let kind = if is_turned { RemarkKind::LastNameFirst } else { RemarkKind::NameWithComma };
        checked.remark(kind, column as usize, name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use crate::plan::CreateMissing;
    use crate::plan::scenario::Scenario;

    /// Which of these check-outs, each `asset|employee|name`, are rejected and why.
    fn rejected(employees: serde_json::Value, rows: &[&str]) -> Vec<String> {
        let assets: Vec<_> =
            (1..=4).map(|id| json!({"id": id, "asset_id": format!("A-{id}"), "deployed_to": []})).collect();
        let text = rows.iter().map(|row| format!("\n{row}|2026-02-01")).collect::<String>();
        let map = [("person", "employee_id.name")];
        Scenario::new()
            .holds("assets", json!(assets))
            .holds("employees", employees)
            .mapped_sheet("checkout_asset", &format!("asset|employee|person|checkout date{text}"), &map)
            .create_missing(CreateMissing::Named(vec!["employees"]))
            .plan()
            .shown_rejections()
    }

    #[test]
    fn a_part_of_a_name_shortens_no_name() {
        let ada = json!([{"id": 1, "name": "Ada Byron", "email": "ada@x.org", "title": "Boss"}]);
        let plan = |scenario: Scenario| {
            let outcome = scenario.plan();
            (outcome.shown_rows().remove(0), outcome.rows[0].note.clone())
        };
        let sheet = |row: &str| {
            let text = format!("First Name|Last Name|Email|Title\n{row}");
            Scenario::new().holds("employees", ada.clone()).sheet("employees", &text)
        };
        let kept = String::from("`name` stays `Ada Byron`: `Last Name` is blank");
        assert_eq!(plan(sheet("Ada||ada@x.org|CEO")), (String::from(r#"update 1 {"title":"CEO"}"#), kept.clone()));
        assert_eq!(plan(sheet("Adele|n/a|ada@x.org|Boss")), (String::from("unchanged 1"), kept));
        let whole = plan(sheet("Adele|Byron|ada@x.org|Boss")).0;
        assert_eq!(whole, r#"update 1 {"name":"Adele Byron"}"#);
        let shortened = r#"update 1 {"name":"Ada"}"#;
        assert_eq!(plan(sheet("Ada||ada@x.org|Boss").blanks_clear()).0, shortened);
        assert_eq!(plan(sheet("Ada||new@x.org|Boss")).0, r#"create {"email":"new@x.org","name":"Ada","title":"Boss"}"#);
        // Where nothing but the name tells who it is, it does so.
        assert_eq!(plan(sheet("Ada Byron||new@x.org|Boss").match_on(&["name"])).0, r#"update 1 {"email":"new@x.org"}"#);
        let written = "entity = \"employees\"\n[fields.name]\njoin = \"{First} {Last}\"\n";
        let ruled = Scenario::new().holds("employees", ada.clone());
        let ruled = ruled.ruled_sheet("employees", "First|Last|Email\nAda||ada@x.org", written);
        assert_eq!(plan(ruled).0, shortened, "as whoever wrote the rule was told");
    }

    #[test]
    fn a_name_of_several_people_is_ambiguous_before_all_of_them_are_made() {
        let (first, second) = ("A-1|zed@example.com|Ada Zed", "A-2|zed2@example.com|Ada Zed");
        let told = |shown: &str| vec![format!("reject name.ambiguous at B: several employees match: {shown}")];
        let (new, new2) = ("zed@example.com (new in this run)", "zed2@example.com (new in this run)");
        let one_is_made = rejected(json!([]), &[first, "A-3|Ada Zed|Ada Zed", second]);
        assert_eq!(one_is_made, told(&format!("Ada Zed (new in this run); {new2}")));
        assert_eq!(rejected(json!([]), &["A-3|zed, ada|", first, second]), told(&format!("{new}; {new2}")));
        let held = |name: &str| json!([{"id": 7, "name": name, "email": "old@example.com"}]);
        assert_eq!(rejected(held("Ada Zed"), &["A-3|Ada Zed|", second]), told(&format!("Ada Zed (#7); {new2}")));
        // One person, or another name.
        assert_eq!(rejected(json!([]), &[first, "A-3|Ada Zed|", "A-4|ZED@example.com|Ada Zed"]), [""; 0]);
        assert_eq!(rejected(held("Bob"), &["A-3|Bob|", first, second]), [""; 0]);
        let same = json!([{"id": 7, "name": "Ada Zed", "email": "zed@example.com"}]);
        assert_eq!(rejected(same, &["A-3|Ada Zed|", first]), [""; 0]);
    }
}
