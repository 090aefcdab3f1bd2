//! One parameter of the API, and what a cell that feeds it may hold.

use super::Meaning;

/// The field of every record that holds the account's own fields.
pub const CUSTOM_FIELDS: &str = "custom_fields";

/// When a record was created and last changed. Every record of a collection has them in replies (field notes).
pub const CREATED_AT: &str = "created_at";
pub const UPDATED_AT: &str = "updated_at";

/// One field of a record or one parameter of an action.
///
/// Lines are built with the `const` methods below, so that a table of fields reads as text:
/// `Field::text("name").required().filter().also(&["full name"]).help("First and last name.")`.
#[derive(Debug)]
pub struct Field {
    /// The API's own name.
    pub name: &'static str,
    pub kind: Kind,
    /// Its part in a create, or in the action itself.
    pub create: Use,
    /// Whether an update may carry it.
    pub update: bool,
    /// Whether a list can be filtered by its exact value.
    pub filter: bool,
    /// Whether records carry it in replies. False for parameters that only filter or only act.
    pub read: bool,
    /// Header words people use for it, in any case and with any separators; see [`super::fold_header`].
    pub also: &'static [&'static str],
    /// Header words of the columns that make it together, where none has it whole: first and last name.
    pub joined_from: Option<&'static [&'static [&'static str]]>,
    /// Whether it is a long text, which is sent as it is; other texts are sent without invisible characters.
    pub is_long_text: bool,
    /// Of an action's parameter: the field of the item's own record that it sets.
    pub sets: Option<&'static str>,
    /// Of an action's parameter: the type of item that requires it. No other type takes it.
    pub item_type: Option<&'static str>,
    /// What has to be set for it to have an effect.
    pub implies: Option<Implied>,
    /// Whether it is a code such as a tag, serial or order number, in which a date is an accident of the spreadsheet.
    pub is_code: bool,
    /// What it means to other modules, if anything.
    pub meaning: Option<Meaning>,
    /// Of a structure: the collections whose records it names, each by its singular and `_id`.
    pub names: &'static [&'static str],
    /// Columns of the same sheet that tell more about the record this field refers to.
    pub related: &'static [Related],
    /// One line for people.
    pub help: &'static str,
    /// A value that would be right.
    pub example: &'static str,
}

/// A field's part in a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    No,
    Optional,
    Required,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text(TextForm),
    /// A whole number, at least `least`.
    Integer {
        least: i64,
    },
    /// An amount of money. The guide says Integer; fractions need `--fractional-cost` (field notes).
    Money,
    /// A calendar day, sent as `YYYY-MM-DD`.
    Date,
    Boolean,
    /// A currency code of ISO 4217.
    Currency,
    /// One of the documented options.
    Option(Choices),
    /// Another record, by name or id in the sheet.
    Reference(Reference),
    /// A user of the service. No endpoint lists users, so the cell holds the id, or an e-mail address that the
    /// activity log knows (field notes).
    User,
    /// Name and value pairs (guide: `[{"name": .., "value": ..}]`).
    CustomFields,
    /// A structure that only replies carry, such as `deployed_to`.
    Structure,
}

/// The shape a text must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    Plain,
    Email,
    Url,
}

/// The documented options of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choices {
    /// As create and list spell them.
    pub create: &'static [&'static str],
    /// As update spells them, in the same order.
    pub update: &'static [&'static str],
}

/// An option that another field has to hold for a field to have an effect. A row that has the field, but neither that
/// other one nor `unless`, gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Implied {
    pub field: &'static str,
    pub option: &'static str,
    /// A field that makes it uncertain what is meant.
    pub unless: &'static str,
}

/// Which record a field points at, and what goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The collection's name.
    pub to: &'static str,
    pub wire: Wire,
    /// Only records that hold this value count: an accessory's category has `type` `accessory`.
    pub narrowed: Option<(&'static str, &'static str)>,
}

/// How a reference is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// The record's integer system id (guide: Integer).
    Id,
    /// An asset's own tag, its `asset_id` (guide: String).
    Tag,
}

/// A column that describes the referenced record: an assets sheet says the product's category.
///
/// Its words never mean another field that is written. They may be the name of one that is only read, such as the
/// `category_name` of assets: on the way in the related field wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Related {
    /// A field of the referenced collection.
    pub field: &'static str,
    /// Header words for it.
    pub also: &'static [&'static str],
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            create: Use::Optional,
            update: true,
            filter: false,
            read: true,
            also: &[],
            joined_from: None,
            is_long_text: false,
            sets: None,
            item_type: None,
            implies: None,
            is_code: false,
            meaning: None,
            names: &[],
            related: &[],
            help: "",
            example: "",
        }
    }

    pub(super) const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text(TextForm::Plain))
    }

    /// A text of any length, such as notes.
    pub(super) const fn long_text(name: &'static str) -> Self {
        let mut field = Self::text(name);
        field.is_long_text = true;
        field
    }

    pub(super) const fn email(name: &'static str) -> Self {
        Self::new(name, Kind::Text(TextForm::Email)).example("ada.byron@example.com")
    }

    pub(super) const fn url(name: &'static str) -> Self {
        Self::new(name, Kind::Text(TextForm::Url)).example("https://example.com/support")
    }

    pub(super) const fn integer(name: &'static str) -> Self {
        Self::new(name, Kind::Integer { least: 0 }).example("5")
    }

    pub(super) const fn money(name: &'static str) -> Self {
        Self::new(name, Kind::Money).example("1299")
    }

    pub(super) const fn date(name: &'static str) -> Self {
        Self::new(name, Kind::Date).example("2026-01-31")
    }

    pub(super) const fn boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Boolean).example("yes")
    }

    pub(super) const fn currency(name: &'static str) -> Self {
        Self::new(name, Kind::Currency).example("EUR")
    }

    pub(super) const fn option(name: &'static str, options: &'static [&'static str]) -> Self {
        let choices = Choices { create: options, update: options };
        Self::new(name, Kind::Option(choices)).example(options[0])
    }

    /// A record of the collection `to`, sent as its system id.
    pub(super) const fn reference(name: &'static str, to: &'static str) -> Self {
        let reference = Reference { to, wire: Wire::Id, narrowed: None };
        Self::new(name, Kind::Reference(reference))
    }

    /// An asset, sent as its own tag.
    pub(super) const fn asset_tag(name: &'static str) -> Self {
        let reference = Reference { to: "assets", wire: Wire::Tag, narrowed: None };
        Self::new(name, Kind::Reference(reference)).example("LAP-0042")
    }

    pub(super) const fn user(name: &'static str) -> Self {
        Self::new(name, Kind::User).example("17")
    }

    pub(super) const fn custom_fields() -> Self {
        Self::new(CUSTOM_FIELDS, Kind::CustomFields)
            .example(r#"[{"name": "Rack", "value": "B4"}]"#)
            .help("Your own fields. One column headed `custom:NAME` per field is easier than JSON here.")
    }

    pub(super) const fn structure(name: &'static str) -> Self {
        Self::new(name, Kind::Structure).read_only()
    }

    pub(super) const fn required(mut self) -> Self {
        self.create = Use::Required;
        self
    }

    /// A list can be filtered by its exact value.
    pub(super) const fn filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Replies carry it, requests never do.
    pub(super) const fn read_only(mut self) -> Self {
        self.create = Use::No;
        self.update = false;
        self
    }

    /// It only filters a list.
    pub(super) const fn filter_only(mut self) -> Self {
        self.create = Use::No;
        self.update = false;
        self.read = false;
        self.filter = true;
        self
    }

    /// A parameter of an action.
    pub(super) const fn acting(mut self) -> Self {
        self.update = false;
        self.read = false;
        self
    }

    /// A parameter of an action that is from then on what the item's own record holds in `field`.
    pub(super) const fn sets(mut self, field: &'static str) -> Self {
        self.sets = Some(field);
        self
    }

    /// A parameter of an action that items of this type require and no others take.
    pub(super) const fn of_type(mut self, item_type: &'static str) -> Self {
        self.item_type = Some(item_type);
        self
    }

    /// A structure whose members name records of these collections.
    pub(super) const fn naming(mut self, collections: &'static [&'static str]) -> Self {
        self.names = collections;
        self
    }

    /// It has an effect only if another field holds a certain option.
    pub(super) const fn implies(mut self, implied: Implied) -> Self {
        self.implies = Some(implied);
        self
    }

    /// It is a code such as a tag, serial or order number.
    pub(super) const fn code(mut self) -> Self {
        self.is_code = true;
        self
    }

    /// A fact that other modules act on.
    pub(super) const fn means(mut self, meaning: Meaning) -> Self {
        self.meaning = Some(meaning);
        self
    }

    pub(super) const fn at_least(mut self, least: i64) -> Self {
        self.kind = Kind::Integer { least };
        self
    }

    /// Update spells the options otherwise, in the same order.
    pub(super) const fn spelled_on_update(mut self, options: &'static [&'static str]) -> Self {
        if let Kind::Option(choices) = self.kind {
            self.kind = Kind::Option(Choices { create: choices.create, update: options });
        }
        self
    }

    /// Only records of the referenced collection whose `field` holds `value` count.
    pub(super) const fn narrowed(mut self, field: &'static str, value: &'static str) -> Self {
        if let Kind::Reference(mut reference) = self.kind {
            reference.narrowed = Some((field, value));
            self.kind = Kind::Reference(reference);
        }
        self
    }

    pub(super) const fn also(mut self, words: &'static [&'static str]) -> Self {
        self.also = words;
        self
    }

    pub(super) const fn joined_from(mut self, parts: &'static [&'static [&'static str]]) -> Self {
        self.joined_from = Some(parts);
        self
    }

    pub(super) const fn related(mut self, related: &'static [Related]) -> Self {
        self.related = related;
        self
    }

    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub(super) const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    /// The reference this field is, if it is one.
    pub fn reference_to(&self) -> Option<Reference> {
        match self.kind {
            Kind::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// Whether a request may carry it, so that a column can feed it.
    pub fn is_written(&self) -> bool {
        self.create != Use::No || self.update
    }

    pub fn is_required(&self) -> bool {
        self.create == Use::Required
    }

    /// The name of its type in `tallyport schema --json`.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Text(_) => "text",
            Kind::Integer { .. } | Kind::User => "integer",
            Kind::Money => "money",
            Kind::Date => "date",
            Kind::Boolean => "boolean",
            Kind::Option(_) => "option",
            Kind::Currency => "currency",
            Kind::Reference(_) => "reference",
            Kind::CustomFields => "custom_fields",
            Kind::Structure => "structure",
        }
    }
}

impl Related {
    pub(super) const fn new(field: &'static str, also: &'static [&'static str]) -> Self {
        Self { field, also }
    }

    /// Whether the column can find the record by itself, where the sheet has no column for the reference: a
    /// checkout sheet that says only `email` still names the employee. True for fields of the collection's key.
    pub fn finds(&self, referenced: &super::Entity) -> bool {
        referenced.key.contains(&self.field)
    }
}
