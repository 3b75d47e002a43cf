//! Passwords as they come in: from the terminal without echo, from `SYMPHAINY_PASSWORD`, or as a line of standard input. Never from
//! a flag, which others can see.

use std::io::{self, BufRead, IsTerminal};

use contract::auth::Secret;

use crate::{
    environment,
    exit::{Complaint, Exit},
    output::show,
};

const VARIABLE: &str = "SYMPHAINY_PASSWORD";

/// The longest line that is read as an answer, in bytes.
const MAX_LINE_BYTES: u64 = 4_096;

/// A password that exists.
pub(crate) fn existing() -> Result<Secret, Complaint> {
    match environment::get(VARIABLE) {
        Some(password) => Ok(Secret(password)),
        None if io::stdin().is_terminal() => typed("Password: "),
        None => match line()? {
            Some(password) if !password.is_empty() => Ok(Secret(password)),
            Some(_) | None => Err(Complaint::usage(format!(
                "There is no password: give it in {VARIABLE}, or as the first line of standard input."
            ))),
        },
    }
}

/// A new password; on a terminal it is typed twice.
pub(crate) fn new() -> Result<Secret, Complaint> {
    if environment::get(VARIABLE).is_some() || !io::stdin().is_terminal() {
        return existing();
    }
    let password = typed("New password: ")?;
    repeated(&password)?;
    Ok(password)
}

/// Has a password typed once more, against slips.
pub(crate) fn repeated(password: &Secret) -> Result<(), Complaint> {
    if typed("The same again: ")? == *password {
        return Ok(());
    }
    Err(Complaint::new(Exit::Data, "The two passwords are not the same. Try again."))
}

/// Asks a question on the terminal; the answer is a line. `None` at the end of the input.
pub(crate) fn ask(question: &str) -> Result<Option<String>, Complaint> {
    show(question);
    line()
}

fn typed(prompt: &str) -> Result<Secret, Complaint> {
    rpassword::prompt_password(prompt).map(Secret).map_err(broken)
}

fn line() -> Result<Option<String>, Complaint> {
    let mut line = String::new();
    let read = io::Read::take(io::stdin().lock(), MAX_LINE_BYTES).read_line(&mut line).map_err(broken)?;
    Ok((read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}

fn broken(error: io::Error) -> Complaint {
    Complaint::new(Exit::Data, format!("The terminal cannot be read ({error})."))
}
