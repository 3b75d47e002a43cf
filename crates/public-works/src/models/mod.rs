//! Language models behind HTTP: OpenAI and all that speak its form, Anthropic, Gemini. Each is a plug for `agents::LanguageModel`;
//! what is said to a model and what is done with its answer is not known here.

mod breaker;
mod calls;
mod config;
mod fault;
mod places;
mod remote;
mod send;
mod wire;

pub use config::{ApiKey, ModelConfig, Provider};
pub use remote::{RemoteModel, UnusableModel};
