//! Words as a shell takes them, for the commands and flags that people copy from a message.

/// A word of a command, in quotes where it needs them.
pub(crate) fn word(word: &str) -> String {
    // A shell of Unix takes a backslash for an escape, and a leading tilde for a home folder.
    let is_plain =
        |char: char| char.is_alphanumeric() || "-_./=:,@%+~".contains(char) || (cfg!(windows) && char == '\\');
    if !word.is_empty() && !word.starts_with('~') && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        quoted(word)
    }
}

/// A text in quotes, whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A flag and its value in quotes: `--map 'Tag No.=asset_id'`.
pub(crate) fn flag(name: &str, value: &str) -> String {
    format!("{name} {}", quoted(value))
}

#[cfg(test)]
mod tests {
    use super::{flag, word};

    #[test]
    fn words_are_quoted_as_a_shell_needs_them() {
        for (text, quoted) in [
            ("a.csv", "a.csv"),
            ("C:/x_y-1.2,3=4@5%6+7~8", "C:/x_y-1.2,3=4@5%6+7~8"),
            ("größe", "größe"),
            ("", "''"),
            ("~x", "'~x'"),
            ("$HOME", "'$HOME'"),
            ("a;b", "'a;b'"),
            ("it's", r"'it'\''s'"),
            (r"a\b", if cfg!(windows) { r"a\b" } else { r"'a\b'" }),
        ] {
            assert_eq!(word(text), quoted);
        }
        assert_eq!(flag("--map", "Asset Tagg's=asset_id"), r"--map 'Asset Tagg'\''s=asset_id'");
    }
}
