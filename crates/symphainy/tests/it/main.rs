//! The real binary from outside: processes, ports, signals, terminals' pipes. What happens inside a room is tested there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod audit;
mod browser;
mod budgets;
mod command_line;
mod crash;
mod forgotten;
mod journals;
mod legacy_client;
mod mail;
mod main_job;
mod metrics;
mod oidc;
mod policy;
mod replay;
mod servers;
mod storage;
mod tenants;
mod turns;

mod person;
mod process;
