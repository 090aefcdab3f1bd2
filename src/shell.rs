//! Words as a shell takes them, for the commands and flags that people copy from a message.

/// The shells that a command is pasted into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// The shells of Unix.
    Posix,
    /// PowerShell, and cmd as far as both agree.
    Windows,
}

impl Dialect {
    const HERE: Self = if cfg!(windows) { Self::Windows } else { Self::Posix };

    fn word(self, word: &str) -> String {
        let is_plain = |char: char| char.is_alphanumeric() || self.plain().contains(char);
        if !word.is_empty() && !word.starts_with('~') && word.chars().all(is_plain) {
            word.to_owned()
        } else {
            self.quoted(word)
        }
    }

    /// The characters other than letters and digits that need no quotes. All shells take a leading tilde for a home
    /// folder. A backslash is an escape on Unix only; in PowerShell a comma makes a list, and an `@` names one.
    fn plain(self) -> &'static str {
        match self {
            Self::Posix => "-_./=:,@%+~",
            Self::Windows => r"-_./=:%+~\",
        }
    }

    /// To cmd a single quote is a character like any other, so both shells of Windows get double quotes where they agree
    /// on them. Between these, PowerShell looks for variables, and typographic quotes end a text, too. A backslash before
    /// the last quote would make that a part of the word.
    fn quoted(self, text: &str) -> String {
        match self {
            Self::Posix => format!("'{}'", text.replace('\'', r"'\''")),
            Self::Windows if text.contains(['$', '`', '"', '“', '”', '„']) || text.ends_with('\\') => {
                let doubled = text.chars().flat_map(|char| {
                    let is_quote = matches!(char, '\'' | '‘' | '’' | '‚' | '‛');
                    std::iter::repeat_n(char, if is_quote { 2 } else { 1 })
                });
                format!("'{}'", doubled.collect::<String>())
            }
            Self::Windows => format!("\"{text}\""),
        }
    }

    fn with_variables(self, variables: &[(&str, &str)], command: &str) -> String {
        let variables = variables.iter().map(|(name, value)| match self {
            Self::Posix => format!("{name}={} ", self.word(value)),
            Self::Windows => format!("$env:{name} = {}; ", self.quoted(value)),
        });
        variables.collect::<String>() + command
    }
}

/// A word of a command, in quotes where it needs them.
pub(crate) fn word(word: &str) -> String {
    Dialect::HERE.word(word)
}

/// A text in quotes, whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    Dialect::HERE.quoted(text)
}

/// A flag and its value in quotes: `--map 'Tag No.=asset_id'`.
pub(crate) fn flag(name: &str, value: &str) -> String {
    format!("{name} {}", quoted(value))
}

/// The flag for a sandbox that is kept in a file: `--sandbox=copy.db`.
pub(crate) fn sandbox_flag(file: &std::path::Path) -> String {
    word(&format!("--sandbox={}", file.display()))
}

/// A command with variables of the environment: on Windows as PowerShell takes them.
pub(crate) fn with_variables(variables: &[(&str, &str)], command: &str) -> String {
    Dialect::HERE.with_variables(variables, command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_the_shells_of_unix_need_them() {
        for (text, quoted) in [
            ("a.csv", "a.csv"),
            ("C:/x_y-1.2,3=4@5%6+7~8", "C:/x_y-1.2,3=4@5%6+7~8"),
            ("größe", "größe"),
            ("", "''"),
            ("~x", "'~x'"),
            ("$HOME", "'$HOME'"),
            ("a;b", "'a;b'"),
            ("it's", r"'it'\''s'"),
            (r"a\b", r"'a\b'"),
        ] {
            assert_eq!(Dialect::Posix.word(text), quoted);
        }
        assert_eq!(Dialect::Posix.quoted("Asset Tagg's=asset_id"), r"'Asset Tagg'\''s=asset_id'");
    }

    #[test]
    fn words_are_quoted_as_the_shells_of_windows_need_them() {
        for (text, quoted) in [
            (r"C:\x_y-1.2\a=4%6+7~8.csv", r"C:\x_y-1.2\a=4%6+7~8.csv"),
            ("größe", "größe"),
            ("", "\"\""),
            ("~x", "\"~x\""),
            (r"C:\My Files\a.csv", "\"C:\\My Files\\a.csv\""),
            ("it's", "\"it's\""),
            ("a&b;c|d", "\"a&b;c|d\""),
            ("a,b", "\"a,b\""),
            ("@args", "\"@args\""),
            ("(a)", "\"(a)\""),
            ("$HOME", "'$HOME'"),
            ("a`b", "'a`b'"),
            ("27\" screen", "'27\" screen'"),
            ("27” screen", "'27” screen'"),
            ("$ it's ‘x’", "'$ it''s ‘‘x’’'"),
            ("My Files\\", "'My Files\\'"),
            ("Files\\", "Files\\"),
        ] {
            assert_eq!(Dialect::Windows.word(text), quoted);
        }
        assert_eq!(Dialect::Windows.quoted("Tag=asset_id"), "\"Tag=asset_id\"");
    }

    #[test]
    fn variables_stand_before_the_command() {
        let line = |dialect: Dialect| dialect.with_variables(&[("A", "http://x/"), ("B", "it is")], "tallyport doctor");
        assert_eq!(line(Dialect::Posix), "A=http://x/ B='it is' tallyport doctor");
        assert_eq!(line(Dialect::Windows), "$env:A = \"http://x/\"; $env:B = \"it is\"; tallyport doctor");
    }

    #[test]
    fn a_flag_has_its_value_in_quotes() {
        assert_eq!(flag("--map", "Tag No.=asset_id"), format!("--map {}", quoted("Tag No.=asset_id")));
        assert_eq!(sandbox_flag("a.db".as_ref()), "--sandbox=a.db");
        assert_eq!(sandbox_flag("my copy.db".as_ref()), quoted("--sandbox=my copy.db"));
    }
}
