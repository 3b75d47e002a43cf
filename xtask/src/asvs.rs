//! The table of OWASP ASVS 5.0 in docs/security.md, made from the tests: a test that shows a requirement says so in a comment
//! before it, `// ASVS 6.2.4: how it is met`.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, ensure};

/// What stands before a requirement in a comment.
const MARK: &str = "// ASVS ";
/// Where the table stands.
const PAGE: &str = "docs/security.md";
const BEGIN: &str = "<!-- asvs: begin -->\n";
const END: &str = "<!-- asvs: end -->\n";

/// Requirements of level 1 and 2 that apply and that no test shows yet, and how they stand. A test takes its row away.
const OPEN: [(&str, &str); 13] = [
    ("3.4.1", "HSTS is the proxy's to send, because TLS ends there."),
    (
        "6.3.3",
        "A user can have a second factor, and then each sign-in needs it (`a_sign_in_needs_a_code_once_there_is_a_factor`); nobody can be made to.",
    ),
    (
        "6.5.5",
        "A code of the neighbouring half minutes is taken too, for clocks that differ: it lives for ninety seconds and not for thirty.",
    ),
    (
        "7.3.1",
        "A sign-in ends 30 days after its last refresh (`auth.refresh_token_ttl`); there is no test on the real clock.",
    ),
    ("7.3.2", "A sign-in that is refreshed has no absolute end."),
    ("10.4.8", "The same: a refresh token that is used in time has no absolute end."),
    ("7.5.2", "Sign-ins are listed and ended by whoever is signed in, without showing the password again."),
    ("7.5.1", "A password is shown again for changing it, and for nothing else yet."),
    (
        "12.2.1",
        "There is no TLS inside: `server.expose` is refused without the operator's word, and a proxy has to speak it.",
    ),
    ("13.3.1", "Signing keys lie in the database of the data folder, readable by the server's user alone."),
    ("14.2.4", "Data at rest is as safe as the disk is: nothing is encrypted by the server itself."),
    ("16.3.2", "Refusals by role are logged; of them those of the guard's own verbs are in the audit."),
    ("16.4.3", "Logs go to standard error; sending them to another system is the operator's."),
];

/// One requirement and how it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    how: String,
    /// The test, and where it stands.
    test: String,
    file: String,
}

/// The table, printed or written into the page.
pub(crate) fn run(write: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above xtask")?;
    let table = table(root)?;
    if !write {
        print!("{table}");
        return Ok(());
    }
    let path = root.join(PAGE);
    let page = fs::read_to_string(&path)?;
    fs::write(&path, with_table(&page, &table)?)?;
    Ok(())
}

/// The page with this table in it.
fn with_table(page: &str, table: &str) -> anyhow::Result<String> {
    let marks = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marks.with_context(|| format!("{PAGE} has lost the marks of its table"))?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn table(root: &Path) -> anyhow::Result<String> {
    let mut shown: BTreeMap<Vec<u32>, Vec<Shown>> = BTreeMap::new();
    for folder in ["crates", "xtask"] {
        read_folder(root, &root.join(folder), &mut shown)?;
    }
    let mut table = "| requirement | how it is met | shown by |\n| --- | --- | --- |\n".to_owned();
    for (number, rows) in &shown {
        for Shown { how, test, file } in rows {
            writeln!(table, "| {} | {how} | `{test}` in `{file}` |", dotted(number))?;
        }
    }
    for (number, how) in OPEN {
        if !shown.contains_key(&parse(number)?) {
            writeln!(table, "| {number} | **open**: {how} | |")?;
        }
    }
    Ok(table)
}

fn read_folder(root: &Path, folder: &Path, shown: &mut BTreeMap<Vec<u32>, Vec<Shown>>) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            read_folder(root, &path, shown)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(root)?.display().to_string();
            for (number, row) in read(&fs::read_to_string(&path)?, &file)? {
                shown.entry(number).or_default().push(row);
            }
        }
    }
    Ok(())
}

/// The annotations of one file, each with the function that follows.
fn read(text: &str, file: &str) -> anyhow::Result<Vec<(Vec<u32>, Shown)>> {
    let mut found = Vec::new();
    let mut waiting: Vec<(Vec<u32>, String)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some((number, how)) = line.strip_prefix(MARK).and_then(|rest| rest.split_once(": ")) {
            let number = parse(number).with_context(|| format!("{file}: {line}"))?;
            waiting.push((number, how.to_owned()));
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| !line.starts_with("//")) {
            let test = rest.split(['(', '<']).next().unwrap_or(rest).to_owned();
            let shown = |(number, how)| (number, Shown { how, test: test.clone(), file: file.to_owned() });
            found.extend(waiting.drain(..).map(shown));
        }
    }
    ensure!(waiting.is_empty(), "{file}: an annotation stands before no test: {waiting:?}");
    Ok(found)
}

/// `6.2.4`: chapter, section, requirement.
fn parse(number: &str) -> anyhow::Result<Vec<u32>> {
    let parts: Vec<u32> = number.split('.').map(str::parse).collect::<Result<_, _>>()?;
    ensure!(parts.len() == 3 && (1..=17).contains(&parts[0]), "{number:?} is no requirement of ASVS 5.0");
    Ok(parts)
}

fn dotted(number: &[u32]) -> String {
    number.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_belongs_to_the_test_after_it() {
        let mark = MARK.trim();
        let text =
            format!("{mark} 6.2.1: Long enough.\n    {mark} 6.2.9: And no shorter.\n#[test]\nfn short_ones() {{}}\n");
        let found = read(&text, "a.rs").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((&found[1].0, found[1].1.test.as_str()), (&vec![6, 2, 9], "short_ones"));
        for wrong in [
            format!("{mark} 6.2: x\nfn f() {{}}"),
            format!("{mark} 18.1.1: x\nfn f() {{}}"),
            format!("{mark} 6.2.1: x"),
        ] {
            assert!(read(&wrong, "a.rs").is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_of_the_page_is_the_one_of_the_tests() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let page = fs::read_to_string(root.join(PAGE)).unwrap();
        let table = table(root).unwrap();
        assert!(with_table(&page, &table).unwrap() == page, "the tests have changed: run `cargo xtask asvs --write`");
    }
}
