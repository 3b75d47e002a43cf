//! The console as browsers get it: its pages, its files, what they may do, and how long they are kept.

use std::{collections::BTreeSet, io::Read, path::Path};

use flate2::read::GzDecoder;

use crate::house::{Answer, House, get};

/// All files of the console together, packed, in bytes: a promise to people on slow lines.
const MOST_PACKED_BYTES: usize = 150 * 1024;

/// The addresses that the document names below its build.
fn named(document: &str) -> (String, BTreeSet<String>) {
    let mut build = String::new();
    let mut paths = BTreeSet::new();
    for rest in document.split("\"/console/").skip(1) {
        let address = rest.split('"').next().unwrap();
        let (found, path) = address.split_once('/').unwrap();
        build = found.to_owned();
        paths.insert(path.to_owned());
    }
    (build, paths)
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// The files in a folder of the repository that go to browsers.
fn in_folder(folder: &str, paths: &mut BTreeSet<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            in_folder(&format!("{folder}/{name}"), paths);
        } else if [".js", ".css", ".woff2", ".svg"].iter().any(|end| name.ends_with(end)) {
            paths.insert(format!("{folder}/{name}"));
        }
    }
}

fn all_files() -> BTreeSet<String> {
    let mut paths = BTreeSet::from(["console/mark.svg".to_owned()]);
    for folder in ["console/app", "console/style", "console/vendor", "clients/typescript/src"] {
        in_folder(folder, &mut paths);
    }
    paths
}

#[tokio::test]
async fn every_page_is_the_same_strict_document() {
    let house = House::new().await;
    let first = house.ask(get("/")).await.expect(200);
    for path in ["/sign-in", "/conversations/c1", "/files", "/executions/exec_1", "/settings"] {
        let page = house.ask(get(path)).await.expect(200);
        assert_eq!(page.body, first.body, "{path}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers["cache-control"], "no-cache");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
    }
    let document = text(&first);
    assert!(!document.contains("<style") && !document.contains("style=") && !document.contains(" on"), "{document}");
    assert!(!document.contains("{build}") && !document.contains("://"), "{document}");
    for script in document.split("<script").skip(1) {
        assert!(script.split('>').next().unwrap().contains("src="), "a script stands in the document: {script}");
    }
}

#[tokio::test]
async fn a_document_that_is_known_is_not_sent_again() {
    let house = House::new().await;
    let tag = house.ask(get("/")).await.expect(200).headers["etag"].to_str().unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let again = house.ask(get("/conversations").header("if-none-match", &known)).await.expect(304);
        assert!(again.body.is_empty());
        assert_eq!(again.headers["etag"], tag.as_str());
    }
    house.ask(get("/").header("if-none-match", "\"other\"")).await.expect(200);
}

#[tokio::test]
async fn files_are_kept_for_ever_and_are_small() {
    let house = House::new().await;
    let document = house.ask(get("/").header("accept-encoding", "gzip")).await.expect(200);
    let mut packed_bytes = document.body.len();
    let (build, _) = named(&text(&house.ask(get("/")).await));
    for path in all_files() {
        let address = format!("/console/{build}/{path}");
        let plain = house.ask(get(&address)).await.expect(200);
        assert_eq!(plain.headers["cache-control"], "public, max-age=31536000, immutable", "{path}");
        let packed = house.ask(get(&address).header("accept-encoding", "gzip, br")).await.expect(200);
        assert_eq!(packed.headers["vary"], "accept-encoding");
        packed_bytes += packed.body.len();
        if packed.headers.contains_key("content-encoding") {
            let mut unpacked = Vec::new();
            GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain.body, "{path}");
        } else {
            assert_eq!(packed.body, plain.body, "{path}");
        }
    }
    assert!(packed_bytes <= MOST_PACKED_BYTES, "the console has {packed_bytes} bytes, packed");
}

#[tokio::test]
async fn files_of_another_build_are_not_there() {
    let house = House::new().await;
    let (build, _) = named(&text(&house.ask(get("/")).await));
    for address in [
        "/console/0000000000000000/console/app/main.js".to_owned(),
        format!("/console/{build}/console/app/nothing.js"),
        format!("/console/{build}/../Cargo.toml"),
        format!("/console/{build}/console/tests/run.mjs"),
        format!("/console/{build}/"),
    ] {
        house.ask(get(&address)).await.refused(404, "not_found");
    }
}

/// The modules that a module imports at once, as paths below the build.
fn imports(path: &str, source: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let targets = source.split(['\n', ';']).filter(|line| {
        let line = line.trim_start();
        line.starts_with("import ")
            || line.starts_with("import{")
            || line.starts_with("export ")
            || line.starts_with("} from")
    });
    let targets = targets.filter_map(|line| line.rsplit_once("from").map(|(_, target)| target.trim()));
    let targets = targets.filter_map(|target| target.strip_prefix(['\'', '"'])?.split(['\'', '"']).next());
    targets.filter(|target| target.starts_with('.')).map(|target| joined(folder, target)).collect()
}

fn joined(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[tokio::test]
async fn the_document_names_what_the_first_page_needs() {
    let house = House::new().await;
    let (build, named) = named(&text(&house.ask(get("/")).await));
    let mut needed = BTreeSet::new();
    let mut open = vec!["console/app/main.js".to_owned()];
    while let Some(path) = open.pop() {
        if !needed.insert(path.clone()) {
            continue;
        }
        let source = house.ask(get(&format!("/console/{build}/{path}"))).await.expect(200);
        open.extend(imports(&path, &text(&source)));
    }
    let modules: BTreeSet<String> = named.into_iter().filter(|path| path.ends_with(".js")).collect();
    assert_eq!(modules, needed, "index.html preloads the modules that app/main.js imports, and no others");
}
