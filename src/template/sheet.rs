//! One sheet to fill in: headers with notes, columns with formats and drop-downs.

use rust_xlsxwriter::{
    ColNum, DataValidation, DataValidationErrorStyle, DataValidationRule, ExcelDateTime, Format, Note, RowNum,
    Worksheet, XlsxError,
};

use super::drop_down_lists::{DropDown, DropDownLists};
use super::styles::{self, TemplateStyles};
use crate::schema::{Entity, Field, Kind, TextForm, Wire};

/// The last row a sheet can have, from 0 (Excel's specification).
const LAST_ROW: RowNum = 1_048_575;

/// Amounts beyond this are slips of the finger.
const MOST_MONEY: f64 = 1e12;

pub(super) fn write(
    sheet: &mut Worksheet,
    entity: &Entity,
    lists: &DropDownLists,
    styles: &TemplateStyles,
) -> Result<(), XlsxError> {
    sheet.set_name(entity.name)?;
    sheet.set_tab_color(if entity.is_action() { styles::ACTION } else { styles::STRONG });
    let fields: Vec<&Field> = fields(entity).collect();
    for (column, field) in fields.iter().enumerate() {
        let column = column as ColNum;
        let header = if field.is_required() { &styles.required } else { &styles.optional };
        sheet.set_column_width(column, width(field))?;
        if let Some(format) = format(field) {
            sheet.set_column_format(column, &format)?;
        }
        sheet.write_string_with_format(0, column, field.name, header)?;
        sheet.insert_note(0, column, &note(field))?;
        if let Some(validation) = validation(field, lists)? {
            sheet.add_data_validation(1, column, LAST_ROW, column, &validation)?;
        }
    }
    sheet.set_row_height(0, 24)?;
    sheet.set_freeze_panes(1, 0)?;
    if let Some(last) = fields.len().checked_sub(1) {
        sheet.autofilter(0, 0, LAST_ROW, last as ColNum)?;
    }
    let pages = fields.iter().map(|field| width(field)).sum::<f64>() / PAGE;
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(pages.ceil().max(1.0) as u16, 0);
    sheet.set_footer("&L&A&RPage &P of &N");
    sheet.set_repeat_rows(0, 0)?;
    Ok(())
}

/// Excel's number for the paper.
pub(super) const A4: u8 = 9;

/// Characters across a printed page that can still be read.
const PAGE: f64 = 180.0;

/// The columns: what a create or the action takes, but custom fields, which have a column each (`custom:NAME`).
pub(super) fn fields(entity: &Entity) -> impl Iterator<Item = &'static Field> {
    entity.created_fields().filter(|field| field.kind != Kind::CustomFields)
}

/// In characters: the header with its filter arrow, or a usual value.
fn width(field: &Field) -> f64 {
    let header = field.name.chars().count() + 5;
    let value = field.example.chars().count() + 2;
    header.max(value).clamp(14, 34) as f64
}

/// Text stays text, so that `00042` and `3-12` remain what was typed; dates show in one unmistakable way.
fn format(field: &Field) -> Option<Format> {
    match field.kind {
        Kind::Text(_) | Kind::Reference(_) | Kind::User => Some(Format::new().set_num_format("@")),
        Kind::Date => Some(Format::new().set_num_format("yyyy-mm-dd")),
        _ => None,
    }
}

/// What the spreadsheet program itself looks after. All but the options of a required field can be overruled there:
/// `<clear>` and names that a later sheet creates are right as well.
fn validation(field: &Field, lists: &DropDownLists) -> Result<Option<DataValidation>, XlsxError> {
    let rule = DataValidation::new();
    let ruled = match field.kind {
        Kind::Option(choices) => says(rule.allow_list_strings(choices.create)?, "Choose one of the options.")?,
        Kind::Boolean => says(rule.allow_list_strings(&["yes", "no"])?, "Choose yes or no.")?,
        Kind::Date => {
            says(rule.allow_date(DataValidationRule::GreaterThan(earliest()?)), "A date, such as 2026-01-31.")?
        }
        Kind::Integer { least } => {
            let least = i32::try_from(least).unwrap_or(0);
            let message = format!("A whole number from {least}.");
            says(rule.allow_whole_number(DataValidationRule::GreaterThanOrEqualTo(least)), &message)?
        }
        Kind::Money => {
            let range = DataValidationRule::Between(-MOST_MONEY, MOST_MONEY);
            says(rule.allow_decimal_number(range), "An amount without currency sign, such as 1299.")?
        }
        Kind::Currency | Kind::Reference(_) => match lists.drop_down(field) {
            Some(DropDown::Complete(list)) => says(rule.allow_list_formula(list), "This is not in the list.")?,
            Some(DropDown::Open(list)) => rule.allow_list_formula(list).show_error_message(false),
            None => return Ok(None),
        },
        Kind::Text(_) | Kind::User | Kind::CustomFields | Kind::Structure => return Ok(None),
    };
    let fixed = field.is_required() && matches!(field.kind, Kind::Option(_) | Kind::Boolean);
    let style = if fixed { DataValidationErrorStyle::Stop } else { DataValidationErrorStyle::Warning };
    Ok(Some(ruled.set_error_style(style)))
}

fn says(rule: DataValidation, message: &str) -> Result<DataValidation, XlsxError> {
    rule.set_error_title("tallyport")?.set_error_message(message)
}

/// The first day of Excel's calendar.
fn earliest() -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_ymd(1900, 1, 1)
}

/// Characters that fit on one line of a note of [`NOTE_WIDTH`].
const NOTE_LINE: usize = 46;
const NOTE_WIDTH: u32 = 310;
const NOTE_LINE_HEIGHT: u32 = 17;

/// The note on a header: what the field is and what its cells take.
fn note(field: &Field) -> Note {
    let text = note_text(field);
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(NOTE_LINE).max(1)).sum();
    Note::new(text)
        .set_author("tallyport")
        .add_author_prefix(false)
        .set_font_name("Calibri")
        .set_font_size(10)
        .set_width(NOTE_WIDTH)
        .set_height(lines as u32 * NOTE_LINE_HEIGHT + 14)
}

fn note_text(field: &Field) -> String {
    let need = if field.is_required() { "required" } else { "optional" };
    let mut lines = vec![format!("{} ({}, {need})", field.name, kind(field)), field.help.to_owned()];
    match field.kind {
        Kind::Option(choices) => lines.push(format!("Options: {}", choices.create.join(", "))),
        Kind::Boolean => lines.push("Options: yes, no".to_owned()),
        _ => lines.push(format!("Example: {}", field.example)),
    }
    lines.join("\n")
}

/// The kind of value in the words of people who fill in sheets.
fn kind(field: &Field) -> String {
    match field.kind {
        Kind::Text(TextForm::Plain) | Kind::CustomFields | Kind::Structure => "text".to_owned(),
        Kind::Text(TextForm::Email) => "e-mail address".to_owned(),
        Kind::Text(TextForm::Url) => "link".to_owned(),
        Kind::Integer { least } => format!("whole number from {least}"),
        Kind::Money => "amount".to_owned(),
        Kind::Date => "date".to_owned(),
        Kind::Boolean => "yes or no".to_owned(),
        Kind::Currency => "currency code".to_owned(),
        Kind::Option(_) => "one of the options".to_owned(),
        Kind::Reference(reference) if reference.wire == Wire::Tag => "asset tag".to_owned(),
        Kind::Reference(reference) => format!("name or #id, from {}", reference.to),
        Kind::User => "user id or e-mail address".to_owned(),
    }
}
