//! Content: files come in, are read, found, put away and deleted.

pub mod find_file;
pub mod parsed;
pub mod table;

mod archive_file;
mod delete_file;
mod get_parsed_file;
mod ingest_file;
mod list_files;
mod parse_content;
mod restore_file;
mod save_materialization;
mod search_files;

mod dates;
mod format;
mod infer;
mod numbers;

use std::sync::Arc;

use runtime::Handler;

pub(crate) use dates::{DateStyle, Reading, read as read_date};
pub(crate) use infer::is_missing;
pub(crate) use parse_content::looks_like_a_key;

const REALM: &str = "content";

pub(crate) fn handlers() -> Vec<Arc<dyn Handler>> {
    vec![
        Arc::new(ingest_file::IngestFile::new()),
        Arc::new(save_materialization::SaveMaterialization::new()),
        Arc::new(parse_content::ParseContent::new()),
        Arc::new(get_parsed_file::GetParsedFile::new()),
        Arc::new(list_files::ListFiles::new()),
        Arc::new(search_files::SearchFiles::new()),
        Arc::new(archive_file::ArchiveFile::new()),
        Arc::new(restore_file::RestoreFile::new()),
        Arc::new(delete_file::DeleteFile::new()),
    ]
}

#[cfg(test)]
pub(crate) fn read_csv(bytes: &[u8]) -> Option<table::Table> {
    match format::read(format::FileKind::Csv, bytes, &format::ReadOptions::default()) {
        Ok(format::Parsed::Table(parsed)) => Some(parsed.table),
        Ok(format::Parsed::Document(_)) | Err(_) => None,
    }
}
