//! Filters for the activity log.

use jiff::civil::Date;

use super::error::ExportError;
use super::filters::FilterArg;
use crate::schema::{ACTIVITY, COLLECTIONS, Entity, log_field};

/// Which entries of the activity log are exported. An entry must match all filters that are set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// The first date.
    pub from: Option<Date>,
    /// The last date.
    pub to: Option<Date>,
    /// The type of record that an entry is about, such as `Asset`.
    pub kind: Option<String>,
    /// The event, such as `Checkout`.
    pub event: Option<String>,
    /// E-mail address or id of the user who made the change.
    pub user: Option<String>,
    /// E-mail address or id of the employee that something was checked out to or in from.
    pub employee: Option<String>,
    /// Tag, name or id of the item, of the type in `kind` (`Asset` if that is not set).
    pub item: Option<String>,
}

impl LogFilter {
    /// The filters as `field=value` on the activity log.
    pub(crate) fn to_filter_args(&self) -> Result<Vec<FilterArg>, ExportError> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(ExportError::LogPeriod { from, to });
        }
        // No endpoint lists users, so no other text can mean one.
        if let Some(user) = self.user.as_ref().filter(|user| !user.contains('@') && user.parse::<i64>().is_err()) {
            return Err(ExportError::LogUser { user: user.clone() });
        }
        let fields = [
            (log_field::DATE_FROM, self.from.map(|date| date.to_string())),
            (log_field::DATE_TO, self.to.map(|date| date.to_string())),
            (log_field::TYPE, self.kind.clone()),
            (log_field::EVENT, self.event.clone()),
            (if is_email(&self.user) { log_field::USER_EMAIL } else { log_field::USER_ID }, self.user.clone()),
            (
                if is_email(&self.employee) { log_field::EMPLOYEE_EMAIL } else { log_field::EMPLOYEE_ID },
                self.employee.clone(),
            ),
        ];
        let item_field = self.item.as_ref().map(|_| self.item_field()).transpose()?;
        let item = item_field.map(|field| (field, self.item.clone()));
        let filter = |(field, value): (&str, Option<String>)| {
            Some(FilterArg { collection: Some(ACTIVITY.name.to_owned()), field: field.to_owned(), value: value? })
        };
        Ok(fields.into_iter().chain(item).filter_map(filter).collect())
    }

    fn item_field(&self) -> Result<&'static str, ExportError> {
        let is_meant = |entity: &Entity| match &self.kind {
            Some(kind) => entity.log_type().is_some_and(|log_type| log_type.eq_ignore_ascii_case(kind)),
            None => entity.is_tagged(),
        };
        let collection = COLLECTIONS.iter().find(|entity| is_meant(entity));
        let field = collection.and_then(|entity| entity.log_filter());
        field
            .map(|field| field.name)
            .ok_or_else(|| ExportError::LogItemKind { kind: self.kind.clone().unwrap_or_default() })
    }
}

fn is_email(text: &Option<String>) -> bool {
    text.as_deref().is_some_and(|text| text.contains('@'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parameters(filter: &LogFilter) -> Vec<String> {
        let arguments = filter.to_filter_args().unwrap();
        arguments.iter().map(|argument| format!("{}={}", argument.field, argument.value)).collect()
    }

    #[test]
    fn people_are_selected_by_email_or_id_and_items_by_type() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(parameters(&LogFilter::default()), Vec::<String>::new());
        let filter = LogFilter { user: text("ada@example.com"), employee: text("7"), ..LogFilter::default() };
        assert_eq!(parameters(&filter), ["user_email=ada@example.com", "employee_id=7"]);
        assert_eq!(parameters(&LogFilter { item: text("A-1"), ..LogFilter::default() }), ["asset_id=A-1"]);
        let license = LogFilter { kind: text("license"), item: text("Office"), ..LogFilter::default() };
        assert_eq!(parameters(&license), ["type=license", "license_id=Office"]);
    }

    #[test]
    fn a_user_is_an_address_or_an_id() {
        let filter = LogFilter { user: Some(String::from("foo")), ..LogFilter::default() };
        assert!(matches!(filter.to_filter_args(), Err(ExportError::LogUser { .. })));
        assert_eq!(parameters(&LogFilter { user: Some(String::from("7")), ..LogFilter::default() }), ["user_id=7"]);
    }

    #[test]
    fn a_period_that_ends_before_it_begins_is_rejected() {
        let day = |day| Some(jiff::civil::date(2026, 11, day));
        let period = |from, to| LogFilter { from: day(from), to: day(to), ..LogFilter::default() }.to_filter_args();
        assert!(matches!(period(2, 1), Err(ExportError::LogPeriod { .. })));
        assert_eq!(period(2, 2).unwrap().len(), 2);
    }

    #[test]
    fn an_item_of_a_type_that_the_log_has_no_filter_for_is_rejected() {
        let text = |text: &str| Some(text.to_owned());
        let item = LogFilter { kind: text("Location"), item: text("Berlin"), ..LogFilter::default() };
        assert!(matches!(item.to_filter_args(), Err(ExportError::LogItemKind { .. })));
    }
}
