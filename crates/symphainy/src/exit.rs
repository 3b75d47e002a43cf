//! Exit codes that mean something (sysexits.h), and the error that carries one.

use std::{fmt, process::ExitCode};

/// Why a command ends without success: a sentence for the person at the terminal, and a code for their script.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

/// What was asked for was done, and did not succeed.
pub(crate) const FAILED: u8 = 1;
/// The command was used wrongly.
pub(crate) const USAGE: u8 = 64;
/// What was named is not there.
pub(crate) const NO_INPUT: u8 = 66;
/// A server, port or folder is taken or does not answer.
pub(crate) const UNAVAILABLE: u8 = 69;
/// Something broke on our side.
pub(crate) const SOFTWARE: u8 = 70;
/// Something cannot be created or written.
pub(crate) const CANNOT_CREATE: u8 = 73;
/// The credentials are not good enough.
pub(crate) const NO_PERMISSION: u8 = 77;
/// A setting is wrong.
pub(crate) const CONFIG: u8 = 78;

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        failure.code.into()
    }
}
