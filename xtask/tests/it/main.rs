//! What has to hold of the house as a whole: its walls, its tidiness and the links of its documents. The tests read
//! files and `cargo metadata`; they know nothing of what the code does.

mod links;
mod tidy;
mod tree;
mod types_of_the_client;
mod walls;
