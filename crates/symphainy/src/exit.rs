//! How a command ends: a number that means something (the numbers of BSD's sysexits where one fits), and a sentence.

use std::process::ExitCode;

/// The exit codes. Scripts may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Success = 0,
    /// The command worked, and what it was to find out is bad: an execution failed, a check failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 64,
    /// What was given as input cannot be used.
    Data = 65,
    /// Something that is needed is not available: the port, the server, the data folder that another process uses.
    Unavailable = 69,
    /// Something broke inside.
    Internal = 70,
    /// The data folder cannot be made or written.
    CannotCreate = 73,
    /// The storage failed, or there is no space left. What was acknowledged is kept.
    Storage = 74,
    /// The sign-in was refused.
    NotAllowed = 77,
    /// The configuration is wrong.
    Config = 78,
    /// A second signal ended it before everything was put away.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command does not do what it was asked: the sentence says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Complaint {
    pub exit: Exit,
    pub sentence: String,
}

impl Complaint {
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, sentence: sentence.into() }
    }

    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    pub(crate) fn unavailable(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, sentence)
    }

    pub(crate) fn internal(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Internal, sentence)
    }
}
