//! Reads mapping files. Every error names the line, and none shows what it says.

mod said_value;

use std::fmt;
use std::ops::Range;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use self::said_value::SaidValue;
use super::{MappingFile, MappingFileError, Section};
use crate::error::Diagnostic;
use crate::mapping::presets::Preset;
use crate::mapping::rule::{
    FieldRule, FurtherRecords, Otherwise, RecordKind, RuleOrigin, RuleSource, RuleValue, SkipCondition, SkipRule,
    TextFormats, is_same_text,
};
use crate::mapping::strip::Strip;
use crate::mapping::template::JoinTemplate;
use crate::mapping::{MappingOverride, MappingSource};
use crate::redact::{QUOTED_DATE, TomlMistake, is_of_date, is_plain_name};
use crate::schema::{self, Entity};

/// `[fields.NAME]` or `[custom.NAME]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    column: Option<Text>,
    first_of: Option<Spanned<Words>>,
    join: Option<Spanned<Text>>,
    values: Option<ValueMap>,
    otherwise: Option<Spanned<SaidValue>>,
    default: Option<Spanned<SaidValue>>,
    format: Option<Text>,
    invert: Option<bool>,
    strip: Option<Spanned<Words>>,
}

/// `[[skip]]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SkipTable {
    column: Words,
    is: Option<Words>,
    blank: Option<bool>,
    filled: Option<bool>,
}

/// `[formats]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatsTable {
    date: Option<Text>,
    decimal: Option<Text>,
}

/// A text; numbers, yes and no are taken as they are written.
struct Text(String);

/// A text, or a list of them.
struct Words(Vec<String>);

/// What a text means instead, in order.
struct ValueMap(Vec<(String, Spanned<SaidValue>)>);

/// What is wrong, where, and what to do.
struct Mistake {
    span: Option<Range<usize>>,
    message: String,
    hint: String,
}

const SECTION_HINT: &str = "use [fields.NAME], [custom.NAME], ignore, [[skip]], [formats], entity or preset; or a collection: \
                            [assets.fields.NAME], or [assets] with lines such as \"Tag No\" = \"asset_id\"";

const KIND_HINT: &str = "write { kind = \"deployable\", name = \"Ready to Deploy\" }: any record of that kind will do, \
                         and the name is for the one to create where there is none";

const ALSO_HINT: &str = "write a rule for each field: name = { column = \"Header\" }";

/// The groups and keys that a file has for any collection.
const SECTION_WORDS: [&str; 9] =
    ["fields", "custom", "ignore", "skip", "formats", "also", "entity", "preset", "copy_of"];

const FORMATS_HINT: &str = "write formats = { date = \"DD.MM.YYYY\", decimal = \",\" }, or one of the two";

const RULE_HINT: &str = "a rule takes column, first_of or join, and strip, values, otherwise, default, format, invert";

impl Mistake {
    fn new(span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into(), hint: hint.into() }
    }

    fn of(error: &toml::de::Error, span: &Range<usize>, hint: &str) -> Self {
        let span = error.span().filter(|inner| inner.start >= span.start).unwrap_or_else(|| span.clone());
        if is_of_date(error) {
            return Self::new(span, "expected a text in quotes, found a date", QUOTED_DATE);
        }
        Self::new(span, in_plain_words(error), hint)
    }
}

/// What the parser says, without what stands in the file.
fn in_plain_words(error: &toml::de::Error) -> String {
    // What was expected is our own text, and at the end.
    match error.message().rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
        _ => TomlMistake::new("", error).reason.replace("unknown field", "unknown key"),
    }
}

impl MappingFile {
    /// Parses a mapping file; `shown` is what messages call it.
    ///
    /// # Errors
    /// If it is not TOML, or uses words that mapping files do not have.
    pub(crate) fn parse(text: &str, source: MappingSource, shown: &str) -> Result<Self, MappingFileError> {
        let place = |span: &Range<usize>| {
            let line = text.as_bytes()[..span.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("{shown}, line {line}")
        };
        let parser = Parser { source, place: &place };
        parser.file(text).map_err(|mistake| MappingFileError::Invalid {
            place: mistake.span.as_ref().map_or_else(|| shown.to_owned(), &place),
            message: mistake.message,
            hint: mistake.hint,
        })
    }
}

impl MappingFile {
    /// Sets the presets that the file is a copy of: their names are in `value`.
    fn set_copies(&mut self, value: &Spanned<DeValue<'_>>) -> Result<(), Mistake> {
        let Words(names) = read(value, "write the name of a preset, such as copy_of = \"intune-devices\"")?;
        for name in names {
            let preset = preset_named(&name, value)?;
            let copied = Self::preset(preset.name)
                .map_err(|error| Mistake::new(value.span(), error.to_string(), error.hint().unwrap_or_default()))?;
            self.languages = self.languages.or(copied.languages);
            self.is_preset = true;
            self.copies.push((preset, copied));
        }
        Ok(())
    }
}

struct Parser<'p> {
    source: MappingSource,
    place: &'p dyn Fn(&Range<usize>) -> String,
}

type Key<'i> = Spanned<toml::de::DeString<'i>>;

impl Parser<'_> {
    fn file(&self, text: &str) -> Result<MappingFile, Mistake> {
        let table = DeTable::parse(text).map_err(|error| {
            let (message, hint) = match error.message() {
                "duplicate key" => (
                    String::from("this group or key is there twice"),
                    "keep one of them; everything about a field belongs in one group",
                ),
                _ => (
                    in_plain_words(&error),
                    "a mapping file is TOML: a line is `key = \"text\"`, a group begins with `[fields.NAME]`",
                ),
            };
            Mistake { span: error.span(), message, hint: hint.into() }
        })?;
        let (mut file, mut common) = (MappingFile::default(), Section::default());
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "entity" => file.entity = Some(self.entity(value)?),
                "preset" => file.preset = Some(preset(value)?.name.to_owned()),
                "copy_of" => file.set_copies(value)?,
                // What a remembered mapping was kept for.
                "remembered" => {}
                word if self.section_key(word, value, &mut common)? => {}
                word => file.sections.push(self.collection(word, key, value)?),
            }
        }
        file.sections.push(common);
        Ok(file)
    }

    fn entity(&self, value: &Spanned<DeValue<'_>>) -> Result<&'static Entity, Mistake> {
        let name = text_of(value)?;
        schema::find(&name).ok_or_else(|| {
            Mistake::new(
                value.span(),
                "not a collection or action",
                "`tallyport schema` lists them, such as \"assets\"",
            )
        })
    }

    /// Reads a key that a file has for any collection, or below the name of one. False if it is another word.
    fn section_key(&self, word: &str, value: &Spanned<DeValue<'_>>, section: &mut Section) -> Result<bool, Mistake> {
        match (word, value.get_ref()) {
            ("fields", DeValue::Table(table)) => {
                for (name, rule) in table {
                    section.rules.push(self.rule(name.get_ref().to_string(), name, rule)?);
                }
            }
            ("custom", DeValue::Table(table)) => {
                for (name, rule) in table {
                    section.rules.push(self.rule(format!("custom:{}", name.get_ref()), name, rule)?);
                }
            }
            ("ignore", DeValue::Array(_)) => {
                let Words(headers) = read(value, "write it as ignore = [\"Header\", \"Other header\"]")?;
                let source = self.source;
                let entry = |header| MappingOverride { header, target: String::new(), source };
                section.overrides.extend(headers.into_iter().map(entry));
            }
            ("skip", DeValue::Array(skips)) => {
                for skip in skips {
                    section.skips.push(self.skip(skip)?);
                }
            }
            ("formats", DeValue::Table(_)) => section.formats = formats(value)?,
            ("also", DeValue::Table(collections)) => {
                for (name, rules) in collections {
                    section.also.push(self.also(name, rules)?);
                }
            }
            _ => {
                let written = match word {
                    "fields" => "[fields.NAME]",
                    "custom" => "[custom.NAME]",
                    "ignore" => "ignore = [\"Header\", \"Other header\"]",
                    "skip" => "[[skip]], in double brackets",
                    "formats" => "[formats], with date and decimal",
                    "also" => "[also.COLLECTION]",
                    _ => return Ok(false),
                };
                let message = format!("`{word}` is not written like that");
                return Err(Mistake::new(value.span(), message, format!("write {written}")));
            }
        }
        Ok(true)
    }

    fn collection(&self, word: &str, key: &Key<'_>, value: &Spanned<DeValue<'_>>) -> Result<Section, Mistake> {
        let Some(entity) = schema::find(word) else {
            let lower = word.to_ascii_lowercase();
            let name = if is_plain_name(&lower) { word } else { "***" };
            let near = |known: &&str| strsim::damerau_levenshtein(known, &lower) <= 1;
            let nearest = SECTION_WORDS.into_iter().find(near).or_else(|| schema::nearest(word));
            let nearest = nearest.map(|name| format!("did you mean `{name}`? "));
            let hint = format!("{}{SECTION_HINT}", nearest.unwrap_or_default());
            return Err(Mistake::new(key.span(), format!("`{name}` is not a collection or action"), hint));
        };
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("`{word}` must be a table, `[{word}]`");
            return Err(Mistake::new(value.span(), message, SECTION_HINT));
        };
        let mut section = Section { entity: Some(entity), ..Section::default() };
        for (header, value) in table {
            let word = header.get_ref().as_ref();
            match value.get_ref() {
                DeValue::String(target) => section.overrides.push(MappingOverride {
                    header: word.to_owned(),
                    target: target.to_string(),
                    source: self.source,
                }),
                _ if self.section_key(word, value, &mut section)? => {}
                _ => {
                    let message = format!("the target of `{}` must be a text in quotes", shortened(word));
                    return Err(Mistake::new(value.span(), message, SECTION_HINT));
                }
            }
        }
        Ok(section)
    }

    /// `[also.COLLECTION]`: further records made from the same row.
    fn also(&self, name: &Key<'_>, value: &Spanned<DeValue<'_>>) -> Result<FurtherRecords, Mistake> {
        let word = name.get_ref().as_ref();
        let Some(entity) = schema::find(word).filter(|entity| entity.is_collection()) else {
            let nearest = schema::nearest(word).map(|name| format!("did you mean `{name}`? "));
            let hint = format!("{}`tallyport schema` lists the collections", nearest.unwrap_or_default());
            return Err(Mistake::new(name.span(), "`also` needs the name of a collection", hint));
        };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(Mistake::new(value.span(), format!("`also.{word}` must be a table"), ALSO_HINT));
        };
        let mut rules = Vec::new();
        for (field, rule) in table {
            match (field.get_ref().as_ref(), rule.get_ref()) {
                ("custom", DeValue::Table(custom)) => {
                    for (name, rule) in custom {
                        rules.push(self.rule(format!("custom:{}", name.get_ref()), name, rule)?);
                    }
                }
                (field_name, DeValue::Table(_)) => rules.push(self.rule(field_name.to_owned(), field, rule)?),
                (field_name, _) => {
                    let message = format!("`{}` needs a rule", shortened(field_name));
                    return Err(Mistake::new(rule.span(), message, ALSO_HINT));
                }
            }
        }
        if rules.is_empty() {
            return Err(Mistake::new(name.span(), format!("`also.{word}` says nothing"), ALSO_HINT));
        }
        Ok(FurtherRecords { entity, rules, origin: self.origin(&name.span()), day: None })
    }

    fn origin(&self, span: &Range<usize>) -> RuleOrigin {
        RuleOrigin { source: self.source, place: (self.place)(span) }
    }

    fn rule(&self, target: String, name: &Key<'_>, value: &Spanned<DeValue<'_>>) -> Result<FieldRule, Mistake> {
        let span = name.span();
        is_rule_table(name, value)?;
        let table: RuleTable = read_within(value, &span, RULE_HINT)?;
        let source = self.source_of(&table, &span)?;
        let values = table.values.iter().flat_map(|ValueMap(values)| values);
        let values: Vec<(String, RuleValue)> =
            values.map(|(from, to)| Ok((from.clone(), self.value(to)?))).collect::<Result<_, Mistake>>()?;
        if values
            .iter()
            .enumerate()
            .any(|(at, (from, _))| values[..at].iter().any(|(known, _)| is_same_text(known, from)))
        {
            let message = "`values` says twice what one text means";
            return Err(Mistake::new(span, message, "keep one of them; capitals and spaces do not matter"));
        }
        let otherwise = table.otherwise.as_ref().map(|said| self.otherwise(said)).transpose()?;
        if otherwise.is_some() && values.is_empty() {
            let hint = "add values = { \"their word\" = \"your word\" }, or use default for blank cells";
            return Err(Mistake::new(span, "`otherwise` without `values`", hint));
        }
        let rule = FieldRule {
            source,
            strip: strips(table.strip)?,
            values,
            otherwise,
            default: table.default.as_ref().map(|said| self.value(said)).transpose()?,
            format: table.format.map(|Text(text)| text),
            invert: table.invert.unwrap_or(false),
            ..FieldRule::new(target, self.origin(&span))
        };
        if rule.source.is_none() && rule.default.is_none() && !rule.needs_source() {
            return Err(Mistake::new(span, "the rule says nothing", RULE_HINT));
        }
        Ok(rule)
    }

    fn otherwise(&self, said: &Spanned<SaidValue>) -> Result<Otherwise, Mistake> {
        Ok(match said.get_ref() {
            SaidValue::Text(text) if text == "error" => Otherwise::Error,
            SaidValue::Text(text) if text == "keep" => Otherwise::Keep,
            _ => Otherwise::Value(self.value(said)?),
        })
    }

    fn value(&self, said: &Spanned<SaidValue>) -> Result<RuleValue, Mistake> {
        let (kind, name) = match said.get_ref() {
            SaidValue::Text(text) => return Ok(RuleValue::from(text.as_str())),
            SaidValue::Kind { kind, name } => (kind.as_deref(), name.as_deref()),
        };
        let lacks = |what: Option<&str>| what.is_none_or(|text| text.trim().is_empty());
        match (kind, name) {
            (Some(kind), Some(name)) if !lacks(Some(kind)) && !lacks(Some(name)) => {
                let record_kind = RecordKind { name: kind.trim().to_owned(), place: (self.place)(&said.span()) };
                Ok(RuleValue { text: name.trim().to_owned(), record_kind: Some(record_kind) })
            }
            (kind, _) if lacks(kind) => Err(Mistake::new(said.span(), "a table without a `kind`", KIND_HINT)),
            _ => Err(Mistake::new(said.span(), "a kind without a `name`", KIND_HINT)),
        }
    }

    fn source_of(&self, table: &RuleTable, span: &Range<usize>) -> Result<Option<RuleSource>, Mistake> {
        let hint =
            "use one of them: column for one header, first_of for the first that is filled, join for a text of several";
        match (&table.column, &table.first_of, &table.join) {
            (None, None, None) => Ok(None),
            (Some(Text(header)), None, None) => Ok(Some(RuleSource::Column(header.clone()))),
            (None, Some(list), _) if list.get_ref().0.is_empty() => {
                Err(Mistake::new(list.span(), "an empty list of headers", "name the headers, the preferred one first"))
            }
            (None, Some(list), None) => Ok(Some(RuleSource::FirstOf(list.get_ref().0.clone()))),
            (None, headers, Some(text)) => match JoinTemplate::parse(&text.get_ref().0) {
                Ok(template) => Ok(Some(match headers {
                    Some(headers) => RuleSource::FirstOrJoin(headers.get_ref().0.clone(), template),
                    None => RuleSource::Join(template),
                })),
                Err(error) => {
                    let hint = "write headers in braces: join = \"{First name} {Last name}\"; {{ and }} are braces";
                    Err(Mistake::new(text.span(), format!("`join`: {error}"), hint))
                }
            },
            _ => Err(Mistake::new(span.clone(), "more than one of `column`, `first_of` and `join`", hint)),
        }
    }

    fn skip(&self, value: &Spanned<DeValue<'_>>) -> Result<SkipRule, Mistake> {
        let hint = "write column = \"Header\" and is = [\"Value\"], blank = true or filled = true";
        let table: SkipTable = read(value, hint)?;
        if table.column.0.is_empty() {
            return Err(Mistake::new(value.span(), "a skip without a column", hint));
        }
        let condition = match (table.is, table.blank, table.filled) {
            (Some(Words(texts)), None, None) if texts.is_empty() => {
                return Err(Mistake::new(value.span(), "a skip whose `is` lists nothing", hint));
            }
            (Some(Words(texts)), None, None) => SkipCondition::Is(texts),
            (None, Some(true), None) => SkipCondition::Blank,
            (None, None, Some(true)) => SkipCondition::Filled,
            _ => return Err(Mistake::new(value.span(), "a skip needs one of `is`, `blank` and `filled`", hint)),
        };
        Ok(SkipRule { headers: table.column.0, condition, origin: self.origin(&value.span()) })
    }
}

fn strips(list: Option<Spanned<Words>>) -> Result<Vec<Strip>, Mistake> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let parse = |name: &String| {
        Strip::parse(name)
            .ok_or_else(|| Mistake::new(list.span(), "no such stripping", format!("use one of {}", Strip::names())))
    };
    list.get_ref().0.iter().map(parse).collect()
}

/// Tells what stands where a rule belongs: a text, or the rule of a field of the record that the field refers to.
fn is_rule_table(name: &Key<'_>, value: &Spanned<DeValue<'_>>) -> Result<(), Mistake> {
    let name = name.get_ref().as_ref();
    let DeValue::Table(table) = value.get_ref() else {
        let message = format!("`{}` needs a rule", shortened(name));
        return Err(Mistake::new(value.span(), message, format!("write it as {{ column = \"Header\" }}; {RULE_HINT}")));
    };
    let is_nested = |key: &str, value: &DeValue<'_>| {
        matches!(value, DeValue::Table(_)) && !["values", "default", "otherwise"].contains(&key)
    };
    match table.iter().find(|(key, value)| is_nested(key.get_ref().as_ref(), value.get_ref())) {
        Some((key, _)) => {
            let name = shortened(&format!("{name}.{}", key.get_ref()));
            let hint = format!("write [fields.\"{name}\"]");
            Err(Mistake::new(key.span(), format!("`{name}` is one name and needs quotes"), hint))
        }
        None => Ok(()),
    }
}

fn formats(value: &Spanned<DeValue<'_>>) -> Result<TextFormats, Mistake> {
    let FormatsTable { date, decimal } = read(value, FORMATS_HINT)?;
    let mark = |Text(text): Text| match text.as_str() {
        "," => Ok(','),
        "." => Ok('.'),
        _ => Err(Mistake::new(value.span(), "not a decimal mark", "write decimal = \",\" or decimal = \".\"")),
    };
    Ok(TextFormats { date: date.map(|Text(text)| text), decimal: decimal.map(mark).transpose()? })
}

/// The preset that a value names.
fn preset(value: &Spanned<DeValue<'_>>) -> Result<&'static Preset, Mistake> {
    preset_named(&text_of(value)?, value)
}

fn preset_named(name: &str, value: &Spanned<DeValue<'_>>) -> Result<&'static Preset, Mistake> {
    let unknown =
        |error: MappingFileError| Mistake::new(value.span(), "no such preset", error.hint().unwrap_or_default());
    Preset::find(name).map_err(unknown)
}

fn text_of(value: &Spanned<DeValue<'_>>) -> Result<String, Mistake> {
    let text = value.get_ref().as_str().map(str::to_owned);
    text.ok_or_else(|| Mistake::new(value.span(), "expected a text in quotes", "put it in quotes, such as \"assets\""))
}

fn read<'d, T: Deserialize<'d>>(value: &Spanned<DeValue<'d>>, hint: &str) -> Result<T, Mistake> {
    read_within(value, &value.span(), hint)
}

/// Reads a value; mistakes without a place of their own are at `span`.
fn read_within<'d, T: Deserialize<'d>>(
    value: &Spanned<DeValue<'d>>,
    span: &Range<usize>,
    hint: &str,
) -> Result<T, Mistake> {
    T::deserialize(ValueDeserializer::from(value.clone())).map_err(|error| Mistake::of(&error, span, hint))
}

/// A word of the file, if it is short enough to be one.
fn shortened(word: &str) -> String {
    const LONGEST: usize = 40;
    if word.chars().count() <= LONGEST { word.to_owned() } else { word.chars().take(8).chain(['…']).collect() }
}

/// Reads a scalar as its text.
struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text in quotes")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_bool<E>(self, answer: bool) -> Result<Text, E> {
        Ok(Text(answer.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordsVisitor;

        impl<'de> Visitor<'de> for WordsVisitor {
            type Value = Words;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text in quotes, or a list of them in square brackets")
            }

            fn visit_str<E>(self, text: &str) -> Result<Words, E> {
                Ok(Words(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Words, A::Error> {
                let texts: Vec<Text> = Deserialize::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(Words(texts.into_iter().map(|Text(text)| text).collect()))
            }
        }

        deserializer.deserialize_any(WordsVisitor)
    }
}

impl<'de> Deserialize<'de> for ValueMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor;

        impl<'de> Visitor<'de> for MapVisitor {
            type Value = ValueMap;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a table such as { \"their word\" = \"your word\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ValueMap, A::Error> {
                let mut values = Vec::new();
                while let Some(entry) = map.next_entry::<String, Spanned<SaidValue>>()? {
                    values.push(entry);
                }
                Ok(ValueMap(values))
            }
        }

        deserializer.deserialize_any(MapVisitor)
    }
}
