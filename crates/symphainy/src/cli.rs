//! The command line: what can be said, and how it is explained.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

mod agents;
mod data;
mod history;

pub use agents::{AgentArguments, AgentCheck, AgentNew, AgentVerb, NewKind};
pub use data::{ArchiveArguments, BackupArguments, MigrateArguments, RestoreArguments};
pub use history::{ForkArguments, ReplayArguments};

use crate::{
    banner::DEFAULT_SERVER,
    config::{Flags, LogFormat},
};

const EXAMPLES: &str = "\
Examples:
  symphainy                        serve on http://127.0.0.1:8000 with the data in ./data
  symphainy chat                   talk to the agents from a terminal
  symphainy call list_files        submit one intent and print what came of it
  symphainy doctor                 say what is wrong with the configuration and the data

Exit codes:
   0  it worked                               70  something broke inside
   1  it worked, and what it found is bad     73  the data folder cannot be made
  64  the command line is wrong               77  the sign-in was refused
  65  the input cannot be used                74  the storage failed or is full
  69  something needed is not available       78  the configuration is wrong
 130  stopped by a second signal";

const SERVE_EXAMPLES: &str = "\
Examples:
  symphainy serve
  symphainy serve --listen 127.0.0.1:9000 --data-dir /var/lib/symphainy
  symphainy serve --listen 127.0.0.1:0                take any free port and print it
  SYMPHAINY__LIMITS__LOGIN=20/1m symphainy serve      any setting, from the environment

Ctrl-C (or SIGTERM) stops it in good order: new requests are refused, what runs may go on for ten
seconds (server.drain_patience), and what has not ended goes on at the next start. A second Ctrl-C
stops it at once; nothing that was acknowledged is lost.";

const CHAT_EXAMPLES: &str = "\
Examples:
  symphainy chat                              asks who you are; offers to register
  symphainy chat --anonymous                  without an account, within tight limits
  symphainy chat --anonymous < questions.txt  one message a line
  symphainy chat --email ada@example.com \"how good is this data?\"

While it runs, /help shows what else can be typed. Ctrl-C stops the answer; twice ends the chat.
The password is read from the terminal, from SYMPHAINY_PASSWORD, or from the first line of
standard input.";

const CALL_EXAMPLES: &str = "\
Examples:
  symphainy call list_files --email ada@example.com
  symphainy call assess_data_quality --file orders.csv
  symphainy call query_data --param file=orders.csv --param sql='SELECT count(*) FROM data'
  echo '{\"file\":\"orders.csv\"}' | symphainy call assess_data_quality - --json
  symphainy call generate_roadmap --no-wait           print the execution's id and leave
  SYMPHAINY_API_KEY=symk_… symphainy call list_files  as a program, with an API key

It ends with 0 where the execution completed, and with 1 where it failed or was cancelled.";

const USER_EXAMPLES: &str = "\
Examples:
  symphainy user create ada@example.com --name \"Ada Lovelace\"
  symphainy user list --json
  symphainy user disable ada@example.com
  symphainy user reset-password ada@example.com

These work on the data folder itself, while no server uses it.";

const KEYS_EXAMPLES: &str = "\
Examples:
  symphainy keys list
  symphainy keys rotate              nobody notices: a new key signs five minutes later, old tokens live to their end
  symphainy keys rotate --at-once    a key may be known to others: every client has to refresh

These work on the data folder itself, while no server uses it. /.well-known/jwks.json has every key that
verifies.";

const AUDIT_EXAMPLES: &str = "\
Examples:
  symphainy audit verify                     is every record what it was?
  symphainy audit verify --kept 4711:9f…     and is the record 4711 the one of that time?
  symphainy audit export > audit.jsonl       one record a line, oldest first
  symphainy audit export --after 4711        what came later

These work on the data folder itself, while no server uses it. A running server answers GET /api/audit.
verify ends with 0 where the chain holds, and with 1 where it does not.";
const POLICY_EXAMPLES: &str = "\
Examples:
  symphainy policy default                    the rules that hold where no others do
  symphainy policy check policy.toml          is it valid, and what does it change?
  symphainy policy check policy.toml --role member --intent delete_file --agent liaison.content

A mistake ends it with 78, a decision that refuses with 1. It changes nothing.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  symphainy doctor
  symphainy doctor --config /etc/symphainy.toml --json
  symphainy doctor --deep             read all of the data, while a server works or not

It changes nothing. It ends with 0 where nothing has failed, and with 1 otherwise.";

/// The agent back end in one binary: sign-in, sessions, conversations, and certainty about what the agents did.
#[derive(Debug, Parser)]
#[command(name = "symphainy", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

impl Cli {
    /// What is to be done: without a word it is `serve`.
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve people and programs (the default)
    Serve(ServeArguments),
    /// Talk to the agents from a terminal
    Chat(ChatArguments),
    /// Submit one intent, wait for it and print what came of it
    Call(CallArguments),
    /// Create, list, disable and enable users, and reset their passwords
    User(UserArguments),
    /// List and rotate the keys that sign access tokens
    Keys(KeysArguments),
    /// Check the record of who was let in and who was not, or write it out
    Audit(AuditArguments),
    /// Show the rules of who may do what, check rules of your own, explain a decision
    Policy(PolicyArguments),
    /// Write, check and list the definitions of agents
    Agent(AgentArguments),
    /// Say what is wrong with the configuration, the data folder and the port
    Doctor(DoctorArguments),
    /// Tell the story of a conversation or an execution again
    Replay(ReplayArguments),
    /// Begin a new conversation with what was said in an old one
    Fork(ForkArguments),
    /// Copy the data as it is at one moment, while a server works or not
    Backup(BackupArguments),
    /// Move what ended long ago from the data folder into a file
    Archive(ArchiveArguments),
    /// Put a backup where a server can work on it
    Restore(RestoreArguments),
    /// Bring the data to this version, or say what that would do
    Migrate(MigrateArguments),
}

/// Where the configuration and the data are.
#[derive(Args, Clone, Debug, Default)]
pub struct HouseArguments {
    /// The configuration [default: ./symphainy.toml, where it is there]
    #[arg(long, value_name = "FILE", env = "SYMPHAINY_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Where everything is kept [default: ./data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

impl HouseArguments {
    pub(crate) fn flags(&self) -> Flags {
        Flags { file: self.config.clone(), data_dir: self.data_dir.clone(), ..Flags::default() }
    }
}

#[derive(Args, Debug, Default)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct ServeArguments {
    /// Where to listen; port 0 takes any that is free [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    #[command(flatten)]
    pub house: HouseArguments,
    /// Allow an address that other machines reach; put a proxy with TLS before it
    #[arg(long)]
    pub expose: bool,
    /// Open the doors that the front end of today needs
    #[arg(long)]
    pub legacy_client: bool,
    /// How logs are written on standard error: pretty or json [default: pretty on a terminal]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub log: Option<LogFormat>,
}

impl ServeArguments {
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            listen: self.listen,
            expose: self.expose,
            legacy_client: self.legacy_client,
            log: self.log,
            ..self.house.flags()
        }
    }
}

/// Which server, and as whom.
#[derive(Args, Clone, Debug)]
pub struct SignInArguments {
    /// The server
    #[arg(long, value_name = "URL", env = "SYMPHAINY_SERVER", hide_env_values = true, default_value = DEFAULT_SERVER)]
    pub server: String,
    /// The address to sign in with
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Register the address first, as a person of this name
    #[arg(long, value_name = "NAME", requires = "email")]
    pub register: Option<String>,
    /// Keep the sign-in for the next time, in a file that only you can read
    #[arg(long)]
    pub remember: bool,
}

#[derive(Args, Debug)]
#[command(after_help = CHAT_EXAMPLES)]
pub struct ChatArguments {
    #[command(flatten)]
    pub sign_in: SignInArguments,
    /// Work in an anonymous session, without an account
    #[arg(long, conflicts_with_all = ["email", "remember"])]
    pub anonymous: bool,
    /// Go on with this conversation
    #[arg(long, value_name = "CONVERSATION")]
    pub resume: Option<String>,
    /// Ask for this agent at first; GET /api/agents lists them
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// Upload this file first; may be given several times
    #[arg(long, value_name = "PATH")]
    pub upload: Vec<PathBuf>,
    /// Send this one message, print the answer and leave
    pub message: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = CALL_EXAMPLES)]
pub struct CallArguments {
    /// The intent; GET /api/intents lists them
    pub intent: String,
    /// Read the parameters from standard input, as one JSON object
    #[arg(value_name = "-", value_parser = ["-"], hide_possible_values = true, conflicts_with = "parameters")]
    pub from_input: Option<String>,
    #[command(flatten)]
    pub sign_in: SignInArguments,
    /// One parameter; the value is JSON where it is valid JSON, else text
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// All parameters, as one JSON object
    #[arg(long, value_name = "JSON")]
    pub parameters: Option<String>,
    /// Upload this file first and name it to the intent
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Do not wait for the end; print the execution's id
    #[arg(long)]
    pub no_wait: bool,
    /// Wait for the end (the default)
    #[arg(long, conflicts_with = "no_wait")]
    pub wait: bool,
    /// Print the execution as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = USER_EXAMPLES)]
pub struct UserArguments {
    #[command(subcommand)]
    pub verb: UserVerb,
}

#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// Create a user, with a tenant of their own
    Create {
        /// Their e-mail address
        email: String,
        /// Their name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        common: UserCommon,
    },
    /// List the users
    List {
        #[command(flatten)]
        common: UserCommon,
    },
    /// End every sign-in of a user and let nobody sign in as them
    Disable {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: UserCommon,
    },
    /// Let a disabled user sign in again
    Enable {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: UserCommon,
    },
    /// Set a new password and end every sign-in
    ResetPassword {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: UserCommon,
    },
}

#[derive(Args, Clone, Debug)]
pub struct UserCommon {
    #[command(flatten)]
    pub house: HouseArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = KEYS_EXAMPLES)]
pub struct KeysArguments {
    #[command(subcommand)]
    pub verb: KeysVerb,
}

#[derive(Debug, Subcommand)]
pub enum KeysVerb {
    /// List the keys and what each does
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        house: HouseArguments,
    },
    /// Make a new key; the old ones verify until their last token has ended
    Rotate {
        /// Forget the old keys at once, because one of them may be known to others
        #[arg(long)]
        at_once: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        house: HouseArguments,
    },
}

#[derive(Args, Debug)]
#[command(after_help = AUDIT_EXAMPLES)]
pub struct AuditArguments {
    #[command(subcommand)]
    pub verb: AuditVerb,
}

#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Check that no record was changed, removed or put in between
    Verify {
        /// What an earlier check printed, against a chain that was written anew
        #[arg(long, value_name = "NUMBER:HASH")]
        kept: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        house: HouseArguments,
    },
    /// Write the records out, one JSON object a line
    Export {
        /// Only the records after this number
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: u64,
        #[command(flatten)]
        house: HouseArguments,
    },
}

#[derive(Args, Debug)]
#[command(after_help = POLICY_EXAMPLES)]
pub struct PolicyArguments {
    #[command(subcommand)]
    pub verb: PolicyVerb,
}

#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Show the default policy
    Default,
    /// Check a policy, and say what it changes or how it decides
    Check(PolicyCheck),
}

#[derive(Args, Debug)]
pub struct PolicyCheck {
    /// The policy [default: policy.file of the configuration]
    pub file: Option<PathBuf>,
    /// Explain how this role may submit the intent; may be given several times
    #[arg(long, value_name = "ROLE", requires = "intent")]
    pub role: Vec<String>,
    /// Explain the decision about this intent
    #[arg(long, value_name = "INTENT", requires = "role")]
    pub intent: Option<String>,
    /// Through this agent; may be given several times
    #[arg(long, value_name = "AGENT", requires = "intent")]
    pub agent: Vec<String>,
    #[command(flatten)]
    pub house: HouseArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub struct DoctorArguments {
    #[command(flatten)]
    pub house: HouseArguments,
    /// Where it would listen [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Read all that is kept and see that it holds together; takes as long as the data is large
    #[arg(long)]
    pub deep: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn without_a_word_it_serves() {
        for line in [
            vec!["symphainy"],
            vec!["symphainy", "--listen", "127.0.0.1:1"],
            vec!["symphainy", "serve", "--data-dir", "x"],
        ] {
            let command = Cli::try_parse_from(&line).unwrap().command();
            assert!(matches!(command, Command::Serve(_)), "{line:?}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [
            vec!["symphainy", "chat", "--anonymous", "--email", "a@b.c"],
            vec!["symphainy", "chat", "--register", "Ada"],
            vec!["symphainy", "call", "x", "--wait", "--no-wait"],
            vec!["symphainy", "call", "x", "-", "--parameters", "{}"],
            vec!["symphainy", "serve", "--listen", "8000"],
            vec!["symphainy", "--legacy-client", "chat"],
        ] {
            assert!(Cli::try_parse_from(&line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn every_command_ends_its_help_with_examples() {
        for command in <Cli as CommandFactory>::command().get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:"), "{help}");
        }
    }
}
