//! What goes wrong in a way that ends the command: one line for the user, and the exit code.

use std::fmt;

/// The command's own exit codes. `mems run` ends as the program did, unless it could not be started.
pub mod code {
    /// What was asked for cannot be done: a file cannot be written, a process cannot be read.
    pub const REFUSED: u8 = 1;
    /// The command line or a record is not right.
    pub const WRONG: u8 = 2;
    /// `mems run` itself failed, before the program ran.
    pub const RUN: u8 = 125;
    /// The program cannot be executed.
    pub const NOT_EXECUTABLE: u8 = 126;
    /// There is no such program.
    pub const NOT_FOUND: u8 = 127;
}

/// One line that says what is wrong, and the exit code that goes with it.
#[derive(Debug)]
pub struct Failure {
    /// One of [`code`].
    pub code: u8,
    /// One line, without the command's name.
    pub text: String,
}

/// A value, or the failure that stands in its place.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with [`code::REFUSED`].
    pub fn refused(text: impl Into<String>) -> Failure {
        Failure { code: code::REFUSED, text: text.into() }
    }

    /// A failure with [`code::WRONG`].
    pub fn wrong(text: impl Into<String>) -> Failure {
        Failure { code: code::WRONG, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str(&self.text.replace('\n', " "))
    }
}

/// Says what the kernel refused, without the number that std appends.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}
