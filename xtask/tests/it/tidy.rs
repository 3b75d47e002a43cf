//! What every file has to look like, where no other tool looks.

use crate::tree::{TextFile, assert_none, text_files};

/// A reader has to open a file whole; a longer one is two subjects.
const MAX_LINES: usize = 600;

/// Endings of files that people write.
const WRITTEN: [&str; 12] = ["css", "html", "js", "json", "jsonl", "md", "rs", "sh", "sql", "svg", "toml", "yml"];

/// Marks that say that something is not done. They are put together here, so that this file does not hold them.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// Files that hold wrong texts on purpose: what is fed to the product in tests.
fn is_fixture(file: &TextFile) -> bool {
    file.path.contains("/fixtures/") || file.path.contains("/golden/")
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// `path:line` of each line that is wrong.
fn lines(files: &[TextFile], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let wrong = |file: &TextFile| {
        let numbered = file.text.split('\n').zip(1..).filter(|(line, _)| is_wrong(line));
        numbered.map(|(_, number): (_, u32)| format!("{}:{number}", file.path)).collect::<Vec<_>>()
    };
    files.iter().filter(|file| !is_fixture(file)).flat_map(wrong).collect()
}

/// Paths of the files that are wrong.
fn files(files: &[TextFile], is_wrong: impl Fn(&TextFile) -> bool) -> Vec<String> {
    files.iter().filter(|file| is_wrong(file)).map(|file| file.path.clone()).collect()
}

#[test]
fn every_file_says_what_lives_in_it() {
    let silent = files(&text_files(&["rs"]), |file| !file.text.starts_with("//!"));
    assert_none(
        "A file begins with one or two `//!` sentences: what lives here, and what it knows nothing about.",
        &silent,
    );
}

#[test]
fn no_file_is_too_long() {
    let long = files(&text_files(&["rs"]), |file| !is_test(&file.path) && file.text.lines().count() > MAX_LINES);
    assert_none("A file of more than 600 lines holds two subjects; part them.", &long);
}

#[test]
fn nothing_is_left_for_later() {
    let is_wrong = |line: &str| {
        UNFINISHED.iter().any(|mark| line.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == *mark))
    };
    assert_none("Do it, or open an issue; a mark in a file is neither.", &lines(&text_files(&WRITTEN), is_wrong));
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let is_wrong = |line: &str| MACHINE_PATHS.iter().any(|path| line.contains(path));
    assert_none("Such a path is on no other machine.", &lines(&text_files(&WRITTEN), is_wrong));
}

#[test]
fn lines_end_where_their_text_ends() {
    let written = text_files(&WRITTEN);
    assert_none("Indent with spaces.", &lines(&written, |line| line.contains('\t')));
    assert_none("Take off the spaces at the end.", &lines(&written, |line| line.trim_end_matches('\r').ends_with(' ')));
    assert_none("End lines with LF alone.", &lines(&written, |line| line.ends_with('\r')));
    let open = files(&written, |file| !is_fixture(file) && !file.text.is_empty() && !file.text.ends_with('\n'));
    assert_none("End the last line too.", &open);
}
