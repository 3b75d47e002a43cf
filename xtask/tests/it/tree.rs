//! The files of the project.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that are made by running things, or that are somebody else's.
const NOT_OURS: [&str; 5] = ["target", ".git", "data", "node_modules", "vendor"];

/// The folder that the workspace is in.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// A file of text: its path from the root, with `/`, and what it says.
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Our files whose names end in one of `extensions`, by path.
pub(crate) fn text_files(extensions: &[&str]) -> Vec<TextFile> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    let is_wanted =
        |path: &&PathBuf| path.extension().and_then(|end| end.to_str()).is_some_and(|end| extensions.contains(&end));
    let read = |path: &PathBuf| {
        let relative = path.strip_prefix(root()).expect("the walk began at the root");
        TextFile {
            path: relative.to_string_lossy().replace('\\', "/"),
            text: fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", relative.display())),
        }
    };
    paths.iter().filter(is_wanted).map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in
        fs::read_dir(folder).expect("the folder was listed a moment ago").map(|entry| entry.expect("a listed entry"))
    {
        let path = entry.path();
        let kind = entry.file_type().expect("the kind of a listed entry");
        if kind.is_file() {
            paths.push(path);
        } else if kind.is_dir() && !NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            collect(&path, paths);
        }
    }
}

/// Fails with all of the complaints, one a line.
#[track_caller]
pub(crate) fn assert_none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}\n  {}\n", complaints.join("\n  "));
}
