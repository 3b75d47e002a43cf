//! What the documents point at has to be there.

use std::path::Path;

use crate::tree::{TextFile, assert_none, root, text_files};

/// The folders whose paths documents name in back-ticks.
const OUR_FOLDERS: [&str; 7] = [".ci/", "clients/", "console/", "crates/", "docs/", "examples/", "xtask/"];

#[test]
fn links_lead_somewhere() {
    let documents = text_files(&["md"]);
    let dead = documents.iter().filter(|file| !file.path.contains("/fixtures/")).flat_map(dead_links);
    assert_none("These links lead nowhere.", &dead.collect::<Vec<_>>());
}

#[test]
fn paths_that_documents_name_are_there() {
    let documents = text_files(&["md"]);
    let dead = documents.iter().filter(|file| !file.path.contains("/fixtures/")).flat_map(dead_paths);
    assert_none("These paths are not there.", &dead.collect::<Vec<_>>());
}

/// Targets of `[text](target)` that are files and do not exist, beside the document.
fn dead_links(file: &TextFile) -> Vec<String> {
    let folder = root().join(&file.path).parent().map(Path::to_path_buf).unwrap_or_default();
    let targets = outside_of_code(&file.text);
    let targets = targets.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let is_file = |target: &&str| {
        !target.is_empty()
            && !target.contains("://")
            && !target.starts_with(['#', '/'])
            && !target.starts_with("mailto:")
    };
    let is_dead = |target: &&str| !folder.join(target.split('#').next().unwrap_or(target)).exists();
    targets.filter(is_file).filter(is_dead).map(|target| format!("{}: {target}", file.path)).collect()
}

/// Paths from the root in back-ticks that do not exist; a path with a placeholder or a star stands for many.
fn dead_paths(file: &TextFile) -> Vec<String> {
    let spans = file.text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let is_path = |span: &&str| {
        OUR_FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains(['<', '*', ' ', '…', '{', '$'])
    };
    let is_dead = |span: &&str| !root().join(span).exists();
    spans.filter(is_path).filter(is_dead).map(|span| format!("{}: {span}", file.path)).collect()
}

/// The text without its code blocks.
fn outside_of_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}
