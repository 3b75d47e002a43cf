//! Mail: the plugs of the guard's port. Letters go to a server of mail by SMTP, or, where none is named, into files of the data folder.

mod config;
mod files;
mod message;
mod smtp;

pub use config::{BadMail, MailConfig};
pub use files::FileMail;
pub use smtp::SmtpMail;

/// The folder below the data folder where letters lie that nobody sends.
pub const FOLDER: &str = "mail";
