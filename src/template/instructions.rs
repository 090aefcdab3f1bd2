//! The first sheet: what the others are, how to fill them in, what to run.

use rust_xlsxwriter::{ColNum, RowNum, Url, Worksheet, XlsxError};

use super::sheet::{A4, fields};
use super::styles::TemplateStyles;
use super::{INSTRUCTIONS_SHEET, INSTRUCTIONS_TITLE};
use crate::schema::{Entity, Field, Kind};

/// How to fill in cells, said where a sheet of the workbook has a field to which it applies.
struct HelpTopic {
    title: &'static str,
    text: &'static str,
    applies: fn(&Field) -> bool,
}

const HELP_TOPICS: &[HelpTopic] = &[
    HelpTopic {
        title: "Text",
        text: "These columns are formatted as text: 00042 stays 00042, and long serial numbers stay whole.",
        applies: |field| matches!(field.kind, Kind::Text(_)),
    },
    HelpTopic {
        title: "Dates",
        text: "Type the date as you always do; it shows as 2026-01-31. Dates pasted as text work too. Where a whole \
               column could be read both ways (01/02/2026), `--date-format DD/MM/YYYY` settles it.",
        applies: |field| field.kind == Kind::Date,
    },
    HelpTopic {
        title: "Amounts",
        text: "Numbers such as 1299, in whole amounts. Cents are refused unless `--fractional-cost round` or `send` \
               is given.",
        applies: |field| field.kind == Kind::Money,
    },
    HelpTopic {
        title: "Currencies",
        text: "The three-letter code, such as EUR. Leave it empty for the account's own currency.",
        applies: |field| field.kind == Kind::Currency,
    },
    HelpTopic {
        title: "Yes or no",
        text: "Choose from the list, or type yes or no.",
        applies: |field| field.kind == Kind::Boolean,
    },
    HelpTopic {
        title: "Other records",
        text: "Write their name as BlueTally or another sheet of this workbook has it: a product's name in \
               product_id, a name or an e-mail address in employee_id, a tag in asset_id. Upper and lower case do not \
               matter. #123 means the record with the id 123.",
        applies: |field| matches!(field.kind, Kind::Reference(_)),
    },
    HelpTopic {
        title: "Users",
        text: "The id of the BlueTally user, or an e-mail address that the account's activity log knows.",
        applies: |field| field.kind == Kind::User,
    },
    HelpTopic {
        title: "Custom fields",
        text: "Add a column headed custom:NAME for each, such as custom:Rack for a field called Rack.",
        applies: |field| field.kind == Kind::CustomFields,
    },
    HelpTopic {
        title: "Empty cells",
        text: "An empty cell leaves a field as it is. To empty a field of an existing record write <clear>.",
        applies: |_| true,
    },
    HelpTopic {
        title: "Columns",
        text: "Columns you do not need may be deleted or moved, and your own may be added; tallyport lists those it \
               ignores.",
        applies: |_| true,
    },
    HelpTopic {
        title: "One row only",
        text: "A column headed _action with create, update, upsert, delete or skip says what its row does, whatever the \
               command says.",
        applies: |_| true,
    },
];

pub(super) fn write(
    sheet: &mut Worksheet,
    entities: &[&'static Entity],
    file_name: &str,
    styles: &TemplateStyles,
) -> Result<(), XlsxError> {
    sheet.set_name(INSTRUCTIONS_SHEET)?.set_screen_gridlines(false);
    for (column, width) in WIDTHS.into_iter().enumerate() {
        sheet.set_column_width(column as ColNum, width)?;
    }
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);

    let mut page = InstructionsSheet { sheet, styles, row: 0 };
    page.title(entities)?;
    page.run(file_name)?;
    page.sheets(entities)?;
    page.colours()?;
    page.cells(entities)
}

struct InstructionsSheet<'a> {
    sheet: &'a mut Worksheet,
    styles: &'a TemplateStyles,
    row: RowNum,
}

impl InstructionsSheet<'_> {
    fn title(&mut self, entities: &[&Entity]) -> Result<(), XlsxError> {
        let lead = match entities {
            [one] => format!("Fill in the sheet {}, one row each, then run the commands below.", one.name),
            _ => "Fill in the sheets you need, leave the others empty, then run the commands below.".to_owned(),
        };
        self.sheet.set_row_height(0, 32)?;
        self.sheet.write_string_with_format(0, 0, INSTRUCTIONS_TITLE, &self.styles.title)?;
        self.sheet.merge_range(1, 0, 1, LAST_COLUMN, &lead, &self.styles.lead)?;
        self.row = 2;
        Ok(())
    }

    fn run(&mut self, file_name: &str) -> Result<(), XlsxError> {
        self.section("What to run")?;
        let styles = self.styles;
        for (command, effect) in [
            (format!("tallyport check {file_name}"), "Looks at every cell. Nothing is sent."),
            (
                format!("tallyport import {file_name} --dry-run"),
                "Compares with the account and tells what would be created and updated. Nothing is changed.",
            ),
            (
                format!("tallyport import {file_name}"),
                "Does it, and writes a copy of this workbook that says for every row what became of it.",
            ),
        ] {
            self.sheet.merge_range(self.row, 0, self.row, 1, &command, &styles.code)?;
            self.sheet.write_string_with_format(self.row, 2, effect, &styles.text)?;
            self.next(&[(&command, WIDTHS[0] + WIDTHS[1]), (effect, WIDTHS[2])])?;
        }
        Ok(())
    }

    fn sheets(&mut self, entities: &[&'static Entity]) -> Result<(), XlsxError> {
        self.section(if entities.len() > 1 { "The sheets, in the order they are imported" } else { "The sheet" })?;
        self.heads(&["Sheet", "Must be filled for a new one", "What a row is"])?;
        for entity in entities {
            let required = fields(entity).filter(|field| field.is_required()).map(|field| field.name);
            let required = required.collect::<Vec<_>>().join(", ");
            let link = Url::new(format!("internal:{}!A2", entity.name)).set_text(entity.name);
            self.sheet.write_url_with_format(self.row, 0, link, &self.styles.link)?;
            self.sheet.write_string_with_format(self.row, 1, &required, &self.styles.text)?;
            self.sheet.write_string_with_format(self.row, 2, entity.help, &self.styles.text)?;
            self.next(&[(&required, WIDTHS[1]), (entity.help, WIDTHS[2])])?;
        }
        Ok(())
    }

    fn colours(&mut self) -> Result<(), XlsxError> {
        self.section("The headers")?;
        let styles = self.styles;
        for (name, style, text) in [
            ("dark and bold", &styles.required, "Must be filled for a new record."),
            ("light", &styles.optional, "May stay empty."),
        ] {
            self.sheet.write_string_with_format(self.row, 0, name, style)?;
            self.whole(text)?;
        }
        self.sheet.write_string_with_format(self.row, 0, "red corner", &styles.term)?;
        self.whole("Point at it to see what the field is, what its cells take, and an example. Keep the names in row 1 as they are.")
    }

    fn cells(&mut self, entities: &[&'static Entity]) -> Result<(), XlsxError> {
        self.section("The cells")?;
        let has = |topic: &HelpTopic| entities.iter().flat_map(|entity| entity.created_fields()).any(topic.applies);
        for HelpTopic { title, text, .. } in HELP_TOPICS.iter().filter(|topic| has(topic)) {
            self.sheet.write_string_with_format(self.row, 0, *title, &self.styles.term)?;
            self.whole(text)?;
        }
        Ok(())
    }

    fn section(&mut self, title: &str) -> Result<(), XlsxError> {
        self.row += 1;
        for column in 1..=LAST_COLUMN {
            self.sheet.write_blank(self.row, column, &self.styles.section)?;
        }
        self.sheet.write_string_with_format(self.row, 0, title, &self.styles.section)?;
        self.sheet.set_row_height(self.row, 22)?;
        self.row += 1;
        Ok(())
    }

    fn heads(&mut self, heads: &[&str]) -> Result<(), XlsxError> {
        for (column, head) in heads.iter().enumerate() {
            self.sheet.write_string_with_format(self.row, column as ColNum, *head, &self.styles.head)?;
        }
        self.row += 1;
        Ok(())
    }

    /// A text over the rest of the row.
    fn whole(&mut self, text: &str) -> Result<(), XlsxError> {
        self.sheet.merge_range(self.row, 1, self.row, LAST_COLUMN, text, &self.styles.text)?;
        self.next(&[(text, WIDTHS[1] + WIDTHS[2])])
    }

    /// Ends the row, as high as its texts need at their widths: merged cells do not grow by themselves.
    fn next(&mut self, texts: &[(&str, f64)]) -> Result<(), XlsxError> {
        let lines = |(text, width): &(&str, f64)| (text.chars().count() as f64 / (width * LETTERS)).ceil();
        let most = texts.iter().map(lines).fold(1.0, f64::max);
        self.sheet.set_row_height(self.row, most * 15.0 + 3.0)?;
        self.row += 1;
        Ok(())
    }
}

/// Of the columns, in characters: names, what must be filled, texts.
const WIDTHS: [f64; 3] = [24.0, 52.0, 70.0];
const LAST_COLUMN: ColNum = 2;

/// Characters of running text to one of width: widths count digits, and letters are narrower.
const LETTERS: f64 = 1.1;
