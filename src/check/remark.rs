//! Remarks: what the user should know of a file or a run, beyond the problems of single rows.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Every kind of remark with its stable code.
///
/// Scripts, tests and documentation use the code.
macro_rules! remark_codes {
    ($($variant:ident $code:literal $title:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RemarkCode { $(#[doc = $title] $variant,)* }

        impl RemarkCode {
            pub const ALL: &'static [RemarkCode] = &[$(RemarkCode::$variant),*];

            /// Stable and searchable, for example `rows.total`.
            pub fn as_str(self) -> &'static str {
                match self { $(RemarkCode::$variant => $code,)* }
            }

            /// What it is about, in lower case.
            pub fn title(self) -> &'static str {
                match self { $(RemarkCode::$variant => $title,)* }
            }
        }
    };
}

remark_codes! {
    // the file
    PresetRecognized "preset.recognized" "the export of another tool was recognized"
    MappingRemembered "mapping.remembered" "a mapping was used that was remembered for the header row"
    PresetAmbiguous "preset.ambiguous" "the export could be of several tools"
    EntityByHeaders "entity.by_headers" "the headers say something else than the name"
    NameLeftOut "name.left_out" "a name was left out whose record is missing and cannot be made from the file"
    RowsLeftOut "rows.left_out" "rows that are not records were left out"
    RowsTotal "rows.total" "a row at the end looks like a total"
    RowsHidden "rows.hidden" "hidden rows were read like any other"
    ValueNone "value.none" "no-value words were read as empty"
    PathShortened "path.shortened" "paths were read as their last part"
    ValueKind "value.kind" "a record of the account was chosen by its kind"
    KindAssumed "kind.assumed" "new records got a type that neither the file nor the mapping lists"
    ValueContradicted "value.contradicted" "rows describe a record of the account differently, and it stays as it is"
    ValueNotReported "value.not_reported" "values of a field that the service does not report"
    HolderWithheld "holder.withheld" "an asset was not checked out, because its status does not allow it"
    NameOrder "name.order" "names of people are written last name first"
    MoneySymbol "money.symbol" "a currency sign that does not settle the currency"
    MoneyMultiplied "money.multiplied" "amounts were multiplied because their header says so"
    TextMisread "text.misread" "text whose letters were read in another encoding"
    TextLookAlike "text.look_alike" "a character in a code looks like another one"
    SerialRepeated "serial.repeated" "different records share a serial number"
    IdBare "id.bare" "bare numbers were taken as this account's ids"
    DateTimezone "date.timezone" "moments in UTC were taken as the day that they show"
    NamesLookAlike "names.look_alike" "names that may mean the same record"
    NameAliased "name.aliased" "a name was read as another one, as the user has decided"
    ColumnReadOnly "column.read_only" "a cell was edited that the service does not take"
    // the run
    RunUnfinished "run.unfinished" "an earlier run of the same file is unfinished"
    PlanApproved "plan.approved" "who saved the plan that was applied"
    EmailsSent "emails.sent" "e-mails that the service sends because of check-outs"
    RowsCarried "rows.carried" "rows that an earlier run finished"
    RecordsCreated "records.created" "records created because rows name them"
    LimitExceeded "limit.exceeded" "a run would exceed a limit"
    ActionOverridden "action.overridden" "`_action` asks for something that the command does not do"
    BackupWritten "backup.written" "where the deleted records are saved"
    UndoIncomplete "undo.incomplete" "steps of the undone run were never sent"
    ServiceWarning "service.warning" "the service behaves unusually"
    ResultFailed "result.failed" "the result file could not be written"
    ResultBeside "result.beside" "the result file stands beside a file that was left as it is"
    ResultLimited "result.limited" "the result file does not hold everything"
    Note "note" "anything else"
}

/// One thing that the user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    pub code: RemarkCode,
    pub message: String,
    /// The cells that it is about, where each matters by itself: what the row says there is not sent.
    #[serde(skip)]
    pub(crate) cells: Vec<String>,
}

impl Remark {
    pub fn new(code: RemarkCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cells: Vec::new() }
    }
}

impl Serialize for RemarkCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A code of a newer version is a note.
impl<'de> Deserialize<'de> for RemarkCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(RemarkCode::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(RemarkCode::Note))
    }
}

/// Journals of earlier versions hold the message alone.
impl<'de> Deserialize<'de> for Remark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored {
            Message(String),
            Remark { code: RemarkCode, message: String },
        }
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Message(message) => Remark::new(RemarkCode::Note, message),
            Stored::Remark { code, message } => Remark::new(code, message),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::{Remark, RemarkCode};

    #[test]
    fn codes_are_unique() {
        let codes: HashSet<_> = RemarkCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), RemarkCode::ALL.len());
    }

    #[test]
    fn a_remark_is_stored_and_read_back_whatever_its_version() {
        let remark = Remark::new(RemarkCode::RowsTotal, "row 9 looks like a total");
        let text = serde_json::to_string(&remark).unwrap();
        assert_eq!(text, r#"{"code":"rows.total","message":"row 9 looks like a total"}"#);
        assert_eq!(serde_json::from_str::<Remark>(&text).unwrap(), remark);
        let old: Remark = serde_json::from_str(r#""a message""#).unwrap();
        assert_eq!(old, Remark::new(RemarkCode::Note, "a message"));
        let newer: Remark = serde_json::from_str(r#"{"code":"x.y","message":"m"}"#).unwrap();
        assert_eq!(newer.code, RemarkCode::Note);
    }
}
