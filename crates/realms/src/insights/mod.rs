//! Insights: how good a table is, what is in it, and the answers to questions about it.

pub mod table_query;
