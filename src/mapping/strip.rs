//! What `strip` takes off a cell's text: a fixed list, each with a name.

/// One kind of text that other tools put around what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strip {
    /// The 32 hexadecimal digits before a sign-in name of an Android work profile.
    HexPrefix,
    /// What Entra ID makes of a guest's address: `ada_example.org#EXT#@tenant.onmicrosoft.com`.
    GuestSuffix,
    /// A type in brackets at the end: `Ready to Deploy (deployable)`.
    BracketSuffix,
    /// All but the last part of a path: `Root > Berlin`, `/Staff/Berlin`.
    PathParents,
    /// Tags of HTML, and what it writes in place of characters: `<b>Smith &amp; Co</b>`.
    HtmlTags,
    /// All but what stands in brackets at the end: the type in `Ready to Deploy (deployable)`.
    OutsideBrackets,
    /// A unit behind a number: `36 months`.
    UnitSuffix,
    /// All but the first of several values: `ada@example.com; bob@example.com`.
    ListRest,
}

impl Strip {
    /// The names in mapping files.
    pub(crate) const ALL: [(&'static str, Strip); 8] = [
        ("prefix:32-hex-digits", Strip::HexPrefix),
        ("suffix:guest", Strip::GuestSuffix),
        ("suffix:brackets", Strip::BracketSuffix),
        ("parents:path", Strip::PathParents),
        ("tags:html", Strip::HtmlTags),
        ("suffix:unit", Strip::UnitSuffix),
        ("outside:brackets", Strip::OutsideBrackets),
        ("rest:list", Strip::ListRest),
    ];

    pub(crate) fn parse(name: &str) -> Option<Strip> {
        Self::ALL.iter().find(|(known, _)| *known == name.trim()).map(|(_, strip)| *strip)
    }

    /// As mapping files write it.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, strip)| *strip == self).map_or("", |(name, _)| name)
    }

    /// The names to choose from, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(|(name, _)| format!("`{name}`")).join(", ")
    }

    /// The text without it; none where it is not there.
    pub(crate) fn apply(self, text: &str) -> Option<String> {
        match self {
            Strip::HexPrefix => {
                let rest = text.get(HEX_DIGITS..)?;
                text[..HEX_DIGITS].bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| rest.to_owned())
            }
            Strip::GuestSuffix => {
                let at = text.to_ascii_uppercase().find(GUEST_MARK)?;
                let name = &text[..at];
                // The last underscore stands for the `@` of the guest's own address.
                Some(name.rsplit_once('_').map_or_else(|| name.to_owned(), |(user, host)| format!("{user}@{host}")))
            }
            Strip::BracketSuffix => {
                let (before, _) = bracketed_end(text)?;
                (!before.trim().is_empty()).then(|| before.trim_end().to_owned())
            }
            Strip::OutsideBrackets => {
                let (_, inside) = bracketed_end(text)?;
                (!inside.trim().is_empty()).then(|| inside.trim().to_owned())
            }
            Strip::PathParents => {
                let separator = if text.trim_start().starts_with('/') { '/' } else { '>' };
                let last = text.rsplit(separator).map(str::trim).find(|part| !part.is_empty())?;
                text.contains(separator).then(|| last.to_owned())
            }
            Strip::HtmlTags => {
                let bare = without_tags(text);
                // Behind the tags: `&lt;b&gt;` is text that looks like one.
                let decoded = without_entities(bare.as_deref().unwrap_or(text));
                decoded.map(|text| text.trim().to_owned()).or(bare)
            }
            Strip::UnitSuffix => {
                let text = text.trim();
                let number = text.trim_end_matches(|char: char| char.is_alphabetic() || char == '.').trim_end();
                let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
                (is_number && !number.is_empty() && number.len() < text.len()).then(|| number.to_owned())
            }
            Strip::ListRest => first_of_list(text).map(str::to_owned),
        }
    }
}

const HEX_DIGITS: usize = 32;

/// In upper case.
const GUEST_MARK: &str = "#EXT#";

/// What stands before brackets at the end of the text, and in them.
fn bracketed_end(text: &str) -> Option<(&str, &str)> {
    text.trim_end().strip_suffix([')', ']'])?.rsplit_once(['(', '['])
}

/// The first of values that a semicolon, a line break or a comma separates. A comma behind a single word may also stand
/// between last and first name (`Byron, Ada`) and separates nothing.
fn first_of_list(text: &str) -> Option<&str> {
    let text = text.trim_matches(|char: char| char.is_whitespace() || matches!(char, ';' | ','));
    if let Some((first, _)) = text.split_once([';', '\n']) {
        return Some(first.trim_end());
    }
    let first = text.split_once(',')?.0.trim_end();
    first.contains(|char: char| char == '@' || char.is_whitespace()).then_some(first)
}

/// What stands in the place of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagText {
    Nothing,
    Blank,
    /// However many tags stand side by side.
    LineBreak,
    /// One for each tag.
    EachLineBreak,
    /// Nothing in the place of everything up to the closing tag, which no browser shows.
    Hidden,
}

/// The elements that tools write into their cells. Anything else in angle brackets is text, such as `<user>` and
/// `<ada@example.com>`.
const ELEMENTS: [(&str, TagText); 72] = {
    use TagText::{Blank, EachLineBreak, Hidden, LineBreak, Nothing};
    [
        ("a", Nothing),
        ("abbr", Nothing),
        ("b", Nothing),
        ("bdi", Nothing),
        ("bdo", Nothing),
        ("big", Nothing),
        ("cite", Nothing),
        ("code", Nothing),
        ("del", Nothing),
        ("em", Nothing),
        ("font", Nothing),
        ("i", Nothing),
        ("img", Nothing),
        ("ins", Nothing),
        ("kbd", Nothing),
        ("mark", Nothing),
        ("q", Nothing),
        ("s", Nothing),
        ("samp", Nothing),
        ("small", Nothing),
        ("span", Nothing),
        ("strike", Nothing),
        ("strong", Nothing),
        ("sub", Nothing),
        ("sup", Nothing),
        ("tt", Nothing),
        ("u", Nothing),
        ("var", Nothing),
        ("wbr", Nothing),
        ("o:p", Nothing),
        ("col", Nothing),
        ("colgroup", Nothing),
        ("td", Blank),
        ("th", Blank),
        ("br", EachLineBreak),
        ("article", LineBreak),
        ("blockquote", LineBreak),
        ("body", LineBreak),
        ("caption", LineBreak),
        ("center", LineBreak),
        ("dd", LineBreak),
        ("div", LineBreak),
        ("dl", LineBreak),
        ("dt", LineBreak),
        ("figcaption", LineBreak),
        ("figure", LineBreak),
        ("footer", LineBreak),
        ("h1", LineBreak),
        ("h2", LineBreak),
        ("h3", LineBreak),
        ("h4", LineBreak),
        ("h5", LineBreak),
        ("h6", LineBreak),
        ("head", LineBreak),
        ("hr", LineBreak),
        ("html", LineBreak),
        ("li", LineBreak),
        ("meta", LineBreak),
        ("nav", LineBreak),
        ("ol", LineBreak),
        ("p", LineBreak),
        ("pre", LineBreak),
        ("section", LineBreak),
        ("table", LineBreak),
        ("tbody", LineBreak),
        ("tfoot", LineBreak),
        ("thead", LineBreak),
        ("tr", LineBreak),
        ("ul", LineBreak),
        ("!doctype", LineBreak),
        ("script", Hidden),
        ("style", Hidden),
    ]
};

const COMMENT: (&str, &str) = ("<!--", "-->");

/// The text without the tags of known elements. What is shown on lines of its own stays so.
fn without_tags(text: &str) -> Option<String> {
    let (mut kept, mut rest, mut is_changed) = (String::with_capacity(text.len()), text, false);
    while let Some(start) = rest.find('<') {
        kept.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some((tag, length)) = tag(rest) else {
            kept.push('<');
            rest = &rest[1..];
            continue;
        };
        (rest, is_changed) = (&rest[length..], true);
        let trimmed = kept.trim_end_matches([' ', '\t']).len();
        match tag {
            TagText::Nothing | TagText::Hidden => {}
            TagText::Blank if kept.ends_with(char::is_whitespace) => {}
            TagText::Blank => kept.push(' '),
            TagText::EachLineBreak => {
                kept.truncate(trimmed);
                kept.push('\n');
                // Such as PHP makes of a line break.
                let blank = rest.trim_start_matches([' ', '\t', '\r']);
                rest = blank.strip_prefix('\n').unwrap_or(rest);
            }
            TagText::LineBreak => {
                kept.truncate(trimmed);
                if !kept.is_empty() && !kept.ends_with('\n') {
                    kept.push('\n');
                }
                rest = rest.trim_start();
            }
        }
    }
    kept.push_str(rest);
    is_changed.then(|| kept.trim().to_owned())
}

/// What stands for the tag or comment that the text begins with, and its length. A tag has nothing but attributes behind
/// its name: `x <b and y> z` has none.
fn tag(text: &str) -> Option<(TagText, usize)> {
    let (begin, end) = COMMENT;
    if let Some(comment) = text.strip_prefix(begin) {
        return Some((TagText::Nothing, begin.len() + comment.find(end)? + end.len()));
    }
    let (is_end, inside) = match text[1..].strip_prefix('/') {
        Some(inside) => (true, inside),
        None => (false, &text[1..]),
    };
    let name = &inside[..inside.find(|char: char| char.is_whitespace() || matches!(char, '/' | '>'))?];
    let (_, tag) = ELEMENTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let attributes = &inside[name.len()..];
    let length = end_of_tag(attributes)?;
    let given = attributes[..length].trim_matches(|char: char| char.is_whitespace() || char == '/');
    let is_tag = given.is_empty() || !is_end && (given.contains('=') || name.starts_with('!'));
    let length = text.len() - attributes.len() + length + 1;
    match tag {
        _ if !is_tag => None,
        TagText::Hidden if !is_end => {
            let hidden = hidden_length(&text[length..], name);
            Some((TagText::Hidden, length + hidden.unwrap_or_default()))
        }
        tag => Some((*tag, length)),
    }
}

/// Where the `>` stands that ends a tag: not in the quotes of an attribute.
fn end_of_tag(attributes: &str) -> Option<usize> {
    let mut quote = None;
    attributes.find(|char: char| {
        match quote {
            Some(open) if char == open => quote = None,
            None if matches!(char, '"' | '\'') => quote = Some(char),
            None => return char == '>',
            Some(_) => {}
        }
        false
    })
}

/// The length of what stands before the closing tag of that name.
fn hidden_length(text: &str, name: &str) -> Option<usize> {
    let closing = format!("</{}", name.to_ascii_lowercase());
    text.to_ascii_lowercase().find(&closing)
}

/// The entities of characters that HTML needs for itself. Others stay as they are.
const ENTITIES: [(&str, char); 6] =
    [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", NO_BREAK_SPACE)];

const NO_BREAK_SPACE: char = '\u{a0}';

/// `&#x10FFFF;`.
const LONGEST_ENTITY: usize = 10;

/// The text with the characters that its entities stand for; none where it has no entity.
fn without_entities(text: &str) -> Option<String> {
    let (mut decoded, mut rest, mut is_changed) = (String::with_capacity(text.len()), text, false);
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let (char, length) = entity(rest).inspect(|_| is_changed = true).unwrap_or(('&', 1));
        decoded.push(char);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    is_changed.then_some(decoded)
}

/// The character of the entity that the text begins with, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let code = |digits: &str, radix| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
        char::from_u32(code).filter(|char| !char.is_control() || char.is_whitespace())
    };
    let char = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => code(digits, 16)?,
            None => code(digits, 10)?,
        },
        None => ENTITIES.iter().find(|(known, _)| *known == name)?.1,
    };
    // It only keeps a page from breaking the line there.
    Some((if char == NO_BREAK_SPACE { ' ' } else { char }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::Strip;

    #[test]
    fn what_is_stripped_leaves_what_is_meant() {
        for (strip, text, left) in [
            (Strip::HexPrefix, "0123456789abcdefABCDEF0123456789ada@example.com", Some("ada@example.com")),
            (Strip::HexPrefix, "ada@example.com", None),
            (Strip::HexPrefix, "0123456789abcdefABCDEF012345678é@example.com", None),
            (Strip::GuestSuffix, "ada_l_example.org#EXT#@corp.onmicrosoft.com", Some("ada_l@example.org")),
            (Strip::GuestSuffix, "ada#ext#@corp.onmicrosoft.com", Some("ada")),
            (Strip::GuestSuffix, "ada@example.com", None),
            (Strip::BracketSuffix, "Ready to Deploy (deployable)", Some("Ready to Deploy")),
            (Strip::BracketSuffix, "(deployable)", None),
            (Strip::BracketSuffix, "Ready", None),
            (Strip::PathParents, "Root entity > Europe > Berlin", Some("Berlin")),
            (Strip::PathParents, "/Staff/Berlin/", Some("Berlin")),
            (Strip::PathParents, "Berlin", None),
            (Strip::PathParents, "Berlin/Mitte", None),
            (Strip::HtmlTags, "<a href=\"/x\">MacBook</a>", Some("MacBook")),
            (Strip::HtmlTags, "5 < 6 > 4", None),
            (Strip::HtmlTags, "<p>First line</p><p>Second line</p>", Some("First line\nSecond line")),
            (Strip::HtmlTags, "<div>\n <p>One</p>\n <p>Two </p>\n</div>", Some("One\nTwo")),
            (Strip::HtmlTags, "Line1<br>Line2<BR/>\r\nLine3<br /><br>Line5", Some("Line1\nLine2\nLine3\n\nLine5")),
            (Strip::HtmlTags, "<ul><li>charger</li><li>bag</li></ul>", Some("charger\nbag")),
            (Strip::HtmlTags, "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", Some("a b\nc")),
            (Strip::HtmlTags, "Call <bob@acme.example> about <b>it</b>", Some("Call <bob@acme.example> about it")),
            (Strip::HtmlTags, "C:\\<user>\\file", None),
            (Strip::HtmlTags, "a <b and c> d", None),
            (Strip::HtmlTags, "a <b", None),
            (Strip::HtmlTags, "</>< /p><!x>", None),
            (Strip::HtmlTags, "<script type='x'>y()</script>ok", Some("ok")),
            (Strip::HtmlTags, "<script>ok", Some("ok")),
            (Strip::HtmlTags, "<!-- no -->ok<!-- open", Some("ok<!-- open")),
            (Strip::HtmlTags, "<a title=\"a > b\" href='x'>é</a>", Some("é")),
            (Strip::HtmlTags, "<a href=\"x\">Smith &amp; Co</a>", Some("Smith & Co")),
            (Strip::HtmlTags, "O&#039;Neil&nbsp;&quot;Ada&quot; &#xe9;", Some("O'Neil \"Ada\" é")),
            (Strip::HtmlTags, "<b>&lt;i&gt; &amp;amp;</b>", Some("<i> &amp;")),
            (Strip::HtmlTags, "R&D; &#0; &#x110000; &#+65; &;", None),
            (Strip::OutsideBrackets, "Ready to Deploy (deployable)", Some("deployable")),
            (Strip::OutsideBrackets, "Ready to Deploy", None),
            (Strip::UnitSuffix, "36 months", Some("36")),
            (Strip::UnitSuffix, "36 Mon.", Some("36")),
            (Strip::UnitSuffix, "1,299.50 EUR", Some("1,299.50")),
            (Strip::UnitSuffix, "36", None),
            (Strip::UnitSuffix, "months", None),
            (Strip::UnitSuffix, "3 to 4 years", None),
            (Strip::ListRest, "ada@example.com;bob@example.com", Some("ada@example.com")),
            (Strip::ListRest, "ada@example.com, bob@example.com", Some("ada@example.com")),
            (Strip::ListRest, "; Ada Byron ;Bob Stone", Some("Ada Byron")),
            (Strip::ListRest, "Ada Byron, Bob Stone", Some("Ada Byron")),
            (Strip::ListRest, "Byron, Ada; Stone, Bob", Some("Byron, Ada")),
            (Strip::ListRest, "Byron, Ada", None),
            (Strip::ListRest, "Ada Byron", None),
        ] {
            assert_eq!(strip.apply(text).as_deref(), left, "{strip:?} {text}");
        }
    }

    #[test]
    fn each_name_is_read_back() {
        for (name, strip) in Strip::ALL {
            assert_eq!((Strip::parse(name), strip.name()), (Some(strip), name));
        }
    }
}
