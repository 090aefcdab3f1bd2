//! The note on a header: what the field is and what its cells take.

use rust_xlsxwriter::Note;

use crate::schema::{Field, Kind, TextForm, Wire};

/// Characters that fit on one line of a note of [`WIDTH`].
const LINE: usize = 46;
const WIDTH: u32 = 310;
const LINE_HEIGHT: u32 = 17;

pub(super) fn note(field: &Field) -> Note {
    let text = text(field);
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(LINE).max(1)).sum();
    Note::new(text)
        .set_author("tallyport")
        .add_author_prefix(false)
        .set_font_name("Calibri")
        .set_font_size(10)
        .set_width(WIDTH)
        .set_height(lines as u32 * LINE_HEIGHT + 14)
}

fn text(field: &Field) -> String {
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
