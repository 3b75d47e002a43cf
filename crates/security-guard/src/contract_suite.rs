//! The tests that every plug of [`crate::Accounts`] has to pass.
