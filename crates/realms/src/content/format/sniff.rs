//! Finds out what kind of file it is, from its bytes first and its name second. What a client calls it counts for nothing.

use super::delimited;

/// The kinds that can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Csv,
    Tsv,
    Json,
    JsonLines,
    Xlsx,
    Text,
    Markdown,
    Html,
    Pdf,
    /// Kept as it is, but not read.
    Unknown,
}

impl FileKind {
    /// For a person: what can be read.
    pub(crate) const READABLE: &'static str = "CSV, TSV, JSON, JSON lines, Excel (.xlsx), text, Markdown, HTML and PDF";

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Xlsx => "xlsx",
            Self::Text => "txt",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "xlsx" | "xlsm" => Some(Self::Xlsx),
            "txt" | "text" | "log" => Some(Self::Text),
            "md" | "markdown" => Some(Self::Markdown),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            "unknown" => Some(Self::Unknown),
            _ => None,
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Tsv => "text/tab-separated-values",
            Self::Json => "application/json",
            Self::JsonLines => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Html => "text/html",
            Self::Pdf => "application/pdf",
            Self::Unknown => "application/octet-stream",
        }
    }

    pub(crate) const fn is_tabular(self) -> bool {
        match self {
            Self::Csv | Self::Tsv | Self::Json | Self::JsonLines | Self::Xlsx => true,
            Self::Text | Self::Markdown | Self::Html | Self::Pdf | Self::Unknown => false,
        }
    }

    pub(crate) const fn is_document(self) -> bool {
        match self {
            Self::Text | Self::Markdown | Self::Html | Self::Pdf => true,
            Self::Csv | Self::Tsv | Self::Json | Self::JsonLines | Self::Xlsx | Self::Unknown => false,
        }
    }
}

/// Of a file without a telling name, this much is looked at.
const SAMPLE_BYTES: usize = 64 * 1024;

/// The first bytes of binary kinds that are kept but not read: older Office files, pictures, archives.
const OTHER_MAGIC: [&[u8]; 7] =
    [b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"7z\xbc\xaf", b"\x7fELF"];

pub(crate) fn sniff(name: &str, bytes: &[u8]) -> FileKind {
    let named = name.rsplit_once('.').and_then(|(_, extension)| FileKind::from_word(extension));
    // Some programs write a few bytes before the mark of a PDF; its own standard allows for that.
    let early = bytes[..bytes.len().min(1024)].windows(5).any(|window| window == b"%PDF-");
    if bytes.starts_with(b"%PDF-") || early && matches!(named, Some(FileKind::Pdf) | None) {
        return FileKind::Pdf;
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return if holds_a_workbook(bytes) { FileKind::Xlsx } else { FileKind::Unknown };
    }
    if OTHER_MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        return FileKind::Unknown;
    }
    match named {
        // Neither of them begins like this.
        Some(FileKind::Xlsx | FileKind::Pdf) | None => of_text(bytes),
        Some(kind) => kind,
    }
}

fn holds_a_workbook(bytes: &[u8]) -> bool {
    zip::ZipArchive::new(std::io::Cursor::new(bytes)).is_ok_and(|archive| {
        archive.file_names().any(|name| name.is_ok_and(|name| name.eq_ignore_ascii_case("xl/workbook.xml")))
    })
}

fn of_text(bytes: &[u8]) -> FileKind {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    // A sample may end within a character.
    let text = String::from_utf8_lossy(sample);
    if text.contains('\0') || text.chars().filter(|&sign| sign.is_control() && !sign.is_whitespace()).count() > 8 {
        return FileKind::Unknown;
    }
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let beginning = start.chars().take(16).collect::<String>().to_ascii_lowercase();
    if beginning.starts_with("<!doctype html") || beginning.starts_with("<html") {
        FileKind::Html
    } else if start.starts_with(['{', '[']) && serde_json::from_str::<serde_json::Value>(start).is_ok() {
        FileKind::Json
    } else if delimited::looks_delimited(&text) {
        FileKind::Csv
    } else {
        FileKind::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_before_the_name() {
        for (name, bytes, wanted) in [
            ("a.csv", &b"a,b\n1,2\n"[..], FileKind::Csv),
            ("A.CSV", b"one column", FileKind::Csv),
            ("a.csv", b"%PDF-1.7", FileKind::Pdf),
            ("a.csv", b"\x89PNG\r\n", FileKind::Unknown),
            ("a.xlsx", b"a,b\n1,2\n3,4\n", FileKind::Csv),
            ("a.xlsx", b"PK\x03\x04 nothing", FileKind::Unknown),
            ("a.pdf", b"just words\nand words", FileKind::Text),
            ("a.ndjson", b"{}", FileKind::JsonLines),
            ("a.tsv", b"a\tb", FileKind::Tsv),
            ("notes.md", b"# Title", FileKind::Markdown),
            ("page", b"  <!DOCTYPE HTML><p>x", FileKind::Html),
            ("data", b"[{\"a\":1}]", FileKind::Json),
            ("data", b"a;b\n1;2\n3;4\n", FileKind::Csv),
            ("data", b"\x00\x01\x02", FileKind::Unknown),
            ("archive.tar.gz", b"\x1f\x8b\x08", FileKind::Unknown),
            ("", b"", FileKind::Text),
        ] {
            assert_eq!(sniff(name, bytes), wanted, "{name:?} {bytes:?}");
        }
    }

    #[test]
    fn every_kind_is_found_by_its_word() {
        for kind in [
            FileKind::Csv,
            FileKind::Tsv,
            FileKind::Json,
            FileKind::JsonLines,
            FileKind::Xlsx,
            FileKind::Text,
            FileKind::Markdown,
            FileKind::Html,
            FileKind::Pdf,
            FileKind::Unknown,
        ] {
            assert_eq!(FileKind::from_word(kind.as_str()), Some(kind));
        }
    }
}
