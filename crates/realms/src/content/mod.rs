//! Content: files come in, are read, found, put away and deleted.

pub mod find_file;
pub mod parsed;
pub mod table;

mod archive_file;
mod bulk_ingest_files;
mod bulk_parse_files;
mod delete_file;
mod extract_embeddings;
mod get_operation_status;
mod get_parsed_file;
mod get_semantic_interpretation;
mod ingest_file;
mod list_files;
mod parse_content;
mod purge_file;
mod query_files;
mod restore_file;
mod retrieve_artifact_metadata;
mod save_materialization;
mod search_files;
mod update_file_metadata;
mod validate_file;

mod bulk;
mod dates;
mod format;
mod infer;
mod numbers;
mod terms;

use std::sync::Arc;

use runtime::Handler;

pub(crate) use dates::{DateStyle, Reading, read as read_date};
pub(crate) use infer::is_missing;
pub(crate) use parse_content::looks_like_a_key;
pub(crate) use terms::{terms, words};

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
        Arc::new(purge_file::PurgeFile::new()),
        Arc::new(query_files::QueryFiles::new()),
        Arc::new(validate_file::ValidateFile::new()),
        Arc::new(update_file_metadata::UpdateFileMetadata::new()),
        Arc::new(retrieve_artifact_metadata::RetrieveArtifactMetadata::new()),
        Arc::new(bulk_ingest_files::BulkIngestFiles::new()),
        Arc::new(bulk_parse_files::BulkParseFiles::new()),
        Arc::new(get_operation_status::GetOperationStatus::new()),
        Arc::new(extract_embeddings::ExtractEmbeddings::new()),
        Arc::new(get_semantic_interpretation::GetSemanticInterpretation::new()),
    ]
}

#[cfg(test)]
pub(crate) fn read_csv(bytes: &[u8]) -> Option<table::Table> {
    match format::read(format::FileKind::Csv, bytes, &format::ReadOptions::default()) {
        Ok(format::Parsed::Table(parsed)) => Some(parsed.table),
        Ok(format::Parsed::Document(_)) | Err(_) => None,
    }
}
