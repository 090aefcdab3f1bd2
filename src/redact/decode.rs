//! The characters of a text as its encodings mean them. Pure.

/// How often a text is decoded: JSON in JSON in a URL.
pub(super) const DECODINGS: u8 = 3;
/// What an escape begins with.
pub(super) const ESCAPES: [char; 4] = ['\\', '%', '&', '='];
/// The longest entity read: `&#x0000074;`.
const LONGEST_ENTITY: usize = 10;

/// Names of ASCII punctuation in HTML.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("sol", '/'),
    ("bsol", '\\'),
    ("plus", '+'),
    ("equals", '='),
    ("num", '#'),
    ("percnt", '%'),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("period", '.'),
    ("colon", ':'),
    ("semi", ';'),
    ("comma", ','),
    ("excl", '!'),
    ("quest", '?'),
    ("commat", '@'),
    ("dollar", '$'),
    ("ast", '*'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lsqb", '['),
    ("rsqb", ']'),
    ("lcub", '{'),
    ("rcub", '}'),
    ("vert", '|'),
    ("grave", '`'),
    ("Hat", '^'),
];

/// The character that begins at a byte of the text after `depth` decodings, and the byte behind it; none at the end.
///
/// Every decoding knows the escapes of JSON and of programming languages, of URLs, HTML and mail. What is no escape
/// stands for itself.
pub(super) fn char_at(text: &str, at: usize, depth: u8) -> Option<(char, usize)> {
    let Some(outer) = depth.checked_sub(1) else {
        let char = text.get(at..)?.chars().next()?;
        return Some((narrow(char), at + char.len_utf8()));
    };
    let (char, next) = char_at(text, at, outer)?;
    let layer = Layer { text, depth: outer };
    let escape = match char {
        '\\' => layer.backslash(next),
        '%' => layer.percent(next),
        '&' => layer.entity(next),
        '=' => layer.hex(next, 2),
        _ => None,
    };
    Some(escape.unwrap_or((char, next)))
}

/// A full-width form as the plain character.
fn narrow(char: char) -> char {
    match char {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
        _ => char,
    }
}

/// A text after some decodings.
#[derive(Clone, Copy)]
struct Layer<'a> {
    text: &'a str,
    depth: u8,
}

impl Layer<'_> {
    fn char(self, at: usize) -> Option<(char, usize)> {
        char_at(self.text, at, self.depth)
    }

    /// `\n`, `\/`, `\u0074`, `\u{74}`, `\x74`, `\164`.
    fn backslash(self, at: usize) -> Option<(char, usize)> {
        let (char, next) = self.char(at)?;
        match char {
            'u' if self.char(next).is_some_and(|(brace, _)| brace == '{') => {
                let (digits, end) = self.until(next + 1, '}')?;
                Some((char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?, end))
            }
            'u' => self.hex(next, 4),
            'U' => self.hex(next, 8),
            'x' => self.hex(next, 2),
            '0'..='7' => self.number(at, 3, 8),
            'n' | 'r' | 't' | 'b' | 'f' => Some(('\n', next)),
            other => Some((other, next)),
        }
    }

    /// `%74`, `%u0074`.
    fn percent(self, at: usize) -> Option<(char, usize)> {
        match self.char(at)? {
            ('u', next) => self.hex(next, 4),
            _ => self.hex(at, 2),
        }
    }

    /// `&#116;`, `&#x74;`, `&sol;`.
    fn entity(self, at: usize) -> Option<(char, usize)> {
        let (name, end) = self.until(at, ';')?;
        let code = match name.strip_prefix('#') {
            Some(hex) if hex.starts_with(['x', 'X']) => u32::from_str_radix(&hex[1..], 16).ok(),
            Some(decimal) => decimal.parse().ok(),
            None => None,
        };
        let named = || ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, char)| *char);
        Some((code.and_then(char::from_u32).or_else(named)?, end))
    }

    /// The text up to a mark near by, and the byte behind the mark.
    fn until(self, mut at: usize, mark: char) -> Option<(String, usize)> {
        let mut inner = String::new();
        while inner.len() <= LONGEST_ENTITY {
            let (char, next) = self.char(at)?;
            if char == mark {
                return Some((inner, next));
            }
            inner.push(char);
            at = next;
        }
        None
    }

    fn hex(self, at: usize, digits: u32) -> Option<(char, usize)> {
        self.number(at, digits, 16)
    }

    /// The character whose code is a number of so many digits.
    fn number(self, mut at: usize, digits: u32, radix: u32) -> Option<(char, usize)> {
        let mut code = 0_u32;
        for _ in 0..digits {
            let (char, next) = self.char(at)?;
            code = code.checked_mul(radix)?.checked_add(char.to_digit(radix)?)?;
            at = next;
        }
        Some((char::from_u32(code)?, at))
    }
}

/// Whether visible ASCII is escaped somewhere: `\/`, `\u0074`, `%74`, `&#116;`. Ordinary JSON escapes quotes,
/// backslashes and white space only.
pub(super) fn has_needless_escape(bytes: &[u8]) -> bool {
    memchr::memchr3_iter(b'\\', b'%', b'&', bytes).any(|at| {
        let behind = |offset: usize| bytes.get(at + offset).copied().unwrap_or_default();
        match bytes[at] {
            b'\\' => {
                behind(1) == b'/' || (behind(1) == b'u' && behind(2) == b'0' && behind(3) == b'0' && behind(4) < b'8')
            }
            b'%' => behind(1).is_ascii_hexdigit() && behind(2).is_ascii_hexdigit(),
            _ => behind(1) == b'#',
        }
    })
}
