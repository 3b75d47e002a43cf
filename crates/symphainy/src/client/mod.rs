//! The binary as a client of a server: it signs in, calls, and talks over the agent socket, like any other client.

pub(crate) mod api;
pub(crate) mod password;
pub(crate) mod remembered;
pub(crate) mod sign_in;
pub(crate) mod socket;

pub(crate) use api::{Api, ApiError};
pub(crate) use sign_in::sign_in;
