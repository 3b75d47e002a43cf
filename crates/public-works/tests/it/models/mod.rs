//! Models of others against a provider that speaks their forms to the byte.

mod budget;
mod faults;
mod forms;
pub(crate) mod house;
pub(crate) mod provider;
mod turn;
