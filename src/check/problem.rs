//! Problems of cells, as data.

use std::borrow::Cow;

use crate::unicode::revealed;

/// Every kind of problem with its stable code and its title.
///
/// Scripts, tests and documentation use the code; the summary groups by title.
macro_rules! codes {
    ($($variant:ident $code:literal $title:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// Stable and searchable, for example `date.ambiguous`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// Title in the summary, in lower case.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    // the cell itself
    CellError "cell.error" "the cell holds an error value"
    CellUnevaluated "cell.unevaluated" "the formula has no stored result"
    CellUndecoded "cell.undecoded" "the text was not decoded cleanly"
    CellDamaged "cell.damaged" "a spreadsheet program has already damaged this number"
    CellStructure "cell.structure" "a list or an object where a single value is expected"
    CellMerged "cell.merged" "the cell is covered by a merged one"
    CellQuotes "cell.quotes" "quotes that do not stand around the whole value"
    CellSecret "cell.secret" "the column looks like a password"
    // required
    RequiredMissing "required.missing" "a required value is missing"
    RequiredNoValue "required.no_value" "a required cell holds a no-value mark"
    // kinds of value
    IntegerInvalid "integer.invalid" "not a whole number"
    IntegerRange "integer.range" "a number out of range"
    IntegerAmbiguous "integer.ambiguous" "a whole number that can be read in two ways"
    MoneyInvalid "money.invalid" "not an amount of money"
    MoneyAmbiguous "money.ambiguous" "an amount that can be read in two ways"
    MoneyFraction "money.fraction" "a fractional amount"
    MoneyNegative "money.negative" "a negative amount"
    MoneyCurrency "money.currency" "the amount's currency contradicts another"
    DateInvalid "date.invalid" "not a date"
    DateAmbiguous "date.ambiguous" "a date that can be read in two ways"
    DateSwapped "date.swapped" "a date whose day and month a spreadsheet program may have swapped"
    DateIncomplete "date.incomplete" "a date without its day, month or year"
    DateSerial "date.serial" "a bare number where a date is expected"
    BooleanInvalid "boolean.invalid" "not a yes or no"
    CurrencyInvalid "currency.invalid" "not a currency code"
    CurrencyHistoric "currency.historic" "a currency that is no longer in use"
    OptionInvalid "option.invalid" "not one of the options"
    EmailInvalid "email.invalid" "not an e-mail address"
    UrlInvalid "url.invalid" "not a web address"
    CustomFieldsInvalid "custom_fields.invalid" "custom fields that cannot be read"
    ClearNotAllowed "clear.not_allowed" "a value that cannot be cleared"
    ActionInvalid "action.invalid" "not an action"
    IdInvalid "id.invalid" "not a record id"
    IdForeign "id.foreign" "an id that may be another system's"
    ValueUnlisted "value.unlisted" "a value that the mapping does not list"
    // the file
    DuplicateKey "duplicate.key" "the same record is there twice"
    ColumnConflict "column.conflict" "two columns disagree"
    ColumnExtra "column.extra" "a value beyond the last header"
    // names
    NameNotFound "name.not_found" "no record of that name"
    NameAmbiguous "name.ambiguous" "more than one record of that name"
    NameConflict "name.conflict" "the name and the id are two different records"
    NameContradicted "name.contradicted" "the columns beside the name describe another record"
    NameIncomplete "name.incomplete" "too little to create the missing record"
    NameFailed "name.failed" "the record it names could not be created"
    // the account
    RecordExists "record.exists" "the record already exists"
    RecordMissing "record.missing" "there is no such record"
    RecordConflict "record.conflict" "the record was changed on the service meanwhile"
    RecordContradicted "record.contradicted" "rows that describe one record say different things of it"
    RecordAmbiguous "record.ambiguous" "more than one record matches"
    RecordBusy "record.busy" "another run is writing the record"
    KeyMissing "key.missing" "nothing to find the record by"
    CheckoutRepeated "checkout.repeated" "the check-out may have been made before"
    CheckoutRefused "checkout.refused" "it cannot be checked in or out"
    DependencyLeftOut "dependency.left_out" "it needs a change that is not made"
    // the service
    ServiceRefused "service.refused" "the service refused it"
    ServiceUnreachable "service.unreachable" "the service could not be reached"
    ServiceUnknown "service.unknown" "it is not known whether the service did it"
}

/// Why a value is invalid, without its position: what the check of a single value returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    pub code: Code,
    /// What is wrong and what was expected: "invalid date; expected a date such as `2026-01-31`".
    pub message: Cow<'static, str>,
    /// What to do now: "write the year with four digits". Shown, never applied automatically.
    pub hint: Option<Cow<'static, str>>,
}

impl ValueError {
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: in_sight(message.into()), hint: Some(in_sight(hint.into())) }
    }

    /// An error without a suggestion.
    pub fn without_hint(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: in_sight(message.into()), hint: None }
    }

    /// Adds to the hint that the cell may be left empty instead: true of every field but those that are required.
    pub(super) fn or_empty(mut self) -> Self {
        self.hint = self.hint.map(|hint| Cow::Owned(format!("{hint}{OR_EMPTY}")));
        self
    }

    /// The error of a value that must not be empty: takes back what [`ValueError::or_empty`] added.
    pub(super) fn not_empty(mut self) -> Self {
        self.hint = self.hint.map(|hint| match hint.strip_suffix(OR_EMPTY) {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => hint,
        });
        self
    }

    /// The hint, or an empty string.
    pub fn hint(&self) -> &str {
        self.hint.as_deref().unwrap_or_default()
    }

    /// Adds the cell's position and text.
    pub fn at(self, column: Option<u32>, found: &str) -> Problem {
        Problem { error: self, column, found: revealed(found).into() }
    }
}

const OR_EMPTY: &str = ", or leave the cell empty";

/// A text with what nobody can see as its code point.
fn in_sight(text: Cow<'static, str>) -> Cow<'static, str> {
    match revealed(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(revealed) => Cow::Owned(revealed),
    }
}

/// A problem of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub error: ValueError,
    /// Column of the cell, from 0; `None` if the problem concerns the whole row or a column the file lacks.
    pub column: Option<u32>,
    /// The cell as typed, before any trimming; what nobody can see as its code point.
    pub found: Box<str>,
}

impl Code {
    /// Whether what the cell holds must not be repeated anywhere.
    pub(crate) fn is_secret(self) -> bool {
        self == Code::CellSecret
    }
}

/// Whether a cell is not to be written anywhere: somebody's password may be in it.
pub(crate) fn is_withheld(problems: &[Problem], column: usize) -> bool {
    problems.iter().any(|problem| problem.column == Some(column as u32) && problem.code().is_secret())
}

impl Problem {
    pub fn code(&self) -> Code {
        self.error.code
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique() {
        let codes: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
