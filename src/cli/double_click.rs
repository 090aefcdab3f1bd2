//! Windows: a double click opens a console that closes when the program ends, so the program says what to do and waits.
//!
//! Not tried on Windows yet.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::Path;

use super::printer;

/// What the process knows about how it was started.
struct Launch {
    /// The arguments without the program's own name.
    arguments: Vec<OsString>,
    is_on_console: bool,
    /// The variable that cmd sets for what it starts.
    has_prompt: bool,
    /// A variable that a terminal or shell sets for what runs in it.
    has_session: bool,
}

/// The variables of Windows Terminal, of Git Bash and other shells of MSYS2, and of the terminals of editors.
const SESSIONS: [&str; 3] = ["WT_SESSION", "MSYSTEM", "TERM_PROGRAM"];

impl Launch {
    fn of_this_process() -> Self {
        Self {
            arguments: std::env::args_os().skip(1).collect(),
            is_on_console: io::stdin().is_terminal() && io::stderr().is_terminal(),
            has_prompt: std::env::var_os("PROMPT").is_some(),
            has_session: has_session(|name| std::env::var_os(name).is_some()),
        }
    }

    /// Whether this looks like a double click, or like files dropped on the program. That the process has its console for
    /// itself cannot be asked without `unsafe`, so this goes by what shells leave in the environment. PowerShell outside
    /// Windows Terminal leaves nothing: whoever types the bare name there has to press Enter once.
    fn is_double_click(&self) -> bool {
        let is_without_shell = self.is_on_console && !self.has_prompt && !self.has_session;
        is_without_shell && self.arguments.iter().all(|file| Path::new(file).is_absolute())
    }
}

fn has_session(is_set: impl Fn(&str) -> bool) -> bool {
    SESSIONS.iter().any(|name| is_set(name))
}

/// Says what to do and waits for Enter, if a double click started the program. `false` if something else did.
pub(super) fn explained() -> bool {
    if !cfg!(windows) || !Launch::of_this_process().is_double_click() {
        return false;
    }
    let program = std::env::current_exe().ok();
    printer::write_rendered(&explanation(program.as_deref().and_then(Path::parent).map(Path::as_os_str)));
    // The console closes either way.
    let _closed = io::stdin().read_line(&mut String::new());
    true
}

/// `.\tallyport` means the program in the current folder, both in cmd and in PowerShell.
fn explanation(folder: Option<&OsStr>) -> String {
    let folder = folder.map_or_else(|| ".".to_owned(), |folder| folder.to_string_lossy().into_owned());
    let folder = crate::terminal::visible(&folder);
    format!(
        "tallyport is used from a terminal, not by double click.

  1. Press the Windows key, type `powershell`, and press Enter.
  2. Go to the folder of the program:
       cd \"{folder}\"
  3. Try it without an account, then check a file of yours:
       .\\tallyport import samples\\onboarding.xlsx --sandbox
       .\\tallyport check C:\\path\\to\\assets.xlsx
     All commands:
       .\\tallyport --help

Press Enter to close this window."
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn double_click(arguments: &[&str]) -> Launch {
        let arguments = arguments.iter().map(OsString::from).collect();
        Launch { arguments, is_on_console: true, has_prompt: false, has_session: false }
    }

    #[test]
    fn a_double_click_has_a_console_and_no_shell() {
        let file = std::env::temp_dir().join("assets.xlsx");
        assert!(double_click(&[]).is_double_click());
        assert!(double_click(&[file.to_str().unwrap()]).is_double_click(), "a file dropped on the program");
        assert!(double_click(&[file.to_str().unwrap(); 3]).is_double_click(), "several files");
        assert!(!double_click(&["check"]).is_double_click());
        assert!(!double_click(&["check", "assets.xlsx"]).is_double_click());
        assert!(!double_click(&["check", file.to_str().unwrap()]).is_double_click());
        assert!(!Launch { has_prompt: true, ..double_click(&[]) }.is_double_click(), "cmd");
        assert!(!Launch { has_session: true, ..double_click(&[]) }.is_double_click(), "Windows Terminal");
        for name in ["WT_SESSION", "MSYSTEM", "TERM_PROGRAM"] {
            assert!(has_session(|variable| variable == name), "{name}");
        }
        assert!(!has_session(|variable| variable == "PATH"));
        assert!(!Launch { is_on_console: false, ..double_click(&[]) }.is_double_click(), "a scheduled task");
    }

    #[test]
    fn the_explanation_names_the_folder_of_the_program() {
        let text = explanation(Some(OsStr::new(r"C:\Users\Ada\Downloads\tallyport")));
        assert!(text.contains("cd \"C:\\Users\\Ada\\Downloads\\tallyport\"\n"), "{text}");
        assert!(text.ends_with("Press Enter to close this window."));
    }
}
