//! A message taken apart: words, names of files, quotations, numbers, a query, a pasted text. It knows how people write these and
//! nothing of what can be done with them.

use super::{
    lexicon::LEXICON,
    words::{misspelling, words},
};

/// The most characters of a message that are looked at word by word; what comes after them is only ever pasted text.
const MAX_READ_CHARS: usize = 2_000;

/// How long the text after a colon is at least to count as pasted, in words.
const MIN_PASTED_WORDS: usize = 6;

/// Endings that make a word the name of a file.
const FILE_ENDINGS: [&str; 24] = [
    "csv", "tsv", "json", "jsonl", "ndjson", "xlsx", "xls", "ods", "txt", "text", "md", "html", "htm", "pdf", "docx",
    "doc", "xml", "bpmn", "yaml", "yml", "log", "parquet", "zip", "rtf",
];

/// A message, or a part of one, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// As it was written, without what was pasted.
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
    pub(super) files: Vec<String>,
    pub(super) quoted: Vec<String>,
    pub(super) numbers: Vec<u64>,
    pub(super) sql: Option<String>,
    /// What was pasted.
    pub(super) body: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// In small letters.
    Word(String),
    File,
    Quoted,
    Number,
    Sql,
    Body,
}

impl Said {
    /// `files` are the names that are known.
    pub(super) fn read(text: &str, files: &[String]) -> Self {
        if let Some((head, sql)) = split_sql(text) {
            let mut said = Self::scan(head, files);
            said.sql = Some(sql);
            said.tokens.push(Token::Sql);
            return said;
        }
        match split_body(text) {
            Some((head, body)) => Self::with_body(head, body, files),
            None => Self::scan(text, files),
        }
    }

    pub(super) fn with_body(head: &str, body: &str, files: &[String]) -> Self {
        let mut said = Self::scan(head, files);
        said.body = Some(body.trim().to_owned());
        said.tokens.push(Token::Body);
        said
    }

    fn scan(text: &str, files: &[String]) -> Self {
        let text: String = text.trim().chars().take(MAX_READ_CHARS).collect();
        let mut said = Self::default();
        for piece in pieces(&quote_known_files(&text, files)) {
            said.push(piece, files);
        }
        said.text = text;
        said.tokens = join_words(std::mem::take(&mut said.tokens));
        said
    }

    fn push(&mut self, piece: RawPiece, files: &[String]) {
        match piece {
            RawPiece::Quoted(text) if is_file(&text) || files.contains(&text) => self.push_file(&text, files),
            RawPiece::Quoted(text) => {
                self.quoted.push(text);
                self.tokens.push(Token::Quoted);
            }
            RawPiece::Word(word) => {
                let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
                if is_file(bare) {
                    self.push_file(bare, files);
                } else if let Some(file) = named_without_ending(bare, files) {
                    self.push_file(&file.clone(), files);
                } else if let Ok(number) = bare.parse() {
                    self.numbers.push(number);
                    self.tokens.push(Token::Number);
                } else {
                    self.tokens.extend(words(&word).into_iter().map(Token::Word));
                }
            }
        }
    }

    fn push_file(&mut self, name: &str, files: &[String]) {
        let name = known_spelling(name, files);
        if !self.files.contains(&name) {
            self.files.push(name);
        }
        self.tokens.push(Token::File);
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Word(word) => Some(word.as_str()),
            Token::File | Token::Quoted | Token::Number | Token::Sql | Token::Body => None,
        })
    }

    pub(super) fn has_word(&self, any_of: &[&str]) -> bool {
        self.words().any(|word| any_of.contains(&word))
    }
}

/// Joins what is one thing in several words, between all that is no word.
fn join_words(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined = Vec::with_capacity(tokens.len());
    let mut run = Vec::new();
    for token in tokens {
        match token {
            Token::Word(word) => run.push(word),
            other @ (Token::File | Token::Quoted | Token::Number | Token::Sql | Token::Body) => {
                joined.extend(LEXICON.join_phrases(std::mem::take(&mut run)).into_iter().map(Token::Word));
                joined.push(other);
            }
        }
    }
    joined.extend(LEXICON.join_phrases(run).into_iter().map(Token::Word));
    joined
}

enum RawPiece {
    Quoted(String),
    Word(String),
}

/// Words as they stand between blanks, and quotations. An apostrophe opens a quotation only at the beginning of a word.
fn pieces(text: &str) -> Vec<RawPiece> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(closing) = closing_quote(first)
            && let Some((quoted, after)) = quotation(rest, closing)
        {
            found.push(RawPiece::Quoted(quoted.to_owned()));
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        // A bracket or the like may stand before a quotation.
        match word
            .char_indices()
            .nth(1)
            .filter(|(_, letter)| "([{<".contains(first) && closing_quote(*letter).is_some())
        {
            Some((index, _)) => rest = &rest[index..],
            None => {
                found.push(RawPiece::Word(word.to_owned()));
                rest = after.trim_start();
            }
        }
    }
    found
}

fn closing_quote(opening: char) -> Option<char> {
    match opening {
        '"' | '`' | '\'' => Some(opening),
        '“' | '„' => Some('”'),
        '‘' => Some('’'),
        '«' => Some('»'),
        _ => None,
    }
}

/// What stands in quotation marks at the beginning of `text`, and what comes after it.
fn quotation(text: &str, closing: char) -> Option<(&str, &str)> {
    let inside = &text[text.chars().next()?.len_utf8()..];
    let ends = |index: &usize| {
        let after = inside[*index + closing.len_utf8()..].chars().next();
        after.is_none_or(|letter| !letter.is_alphanumeric())
    };
    let end = inside.match_indices(closing).map(|(index, _)| index).find(ends)?;
    let quoted = inside[..end].trim();
    (!quoted.is_empty()).then(|| (quoted, &inside[end + closing.len_utf8()..]))
}

/// Whether a word is a file's name or an artifact's id.
fn is_file(word: &str) -> bool {
    if word.starts_with("art_") && word.len() > "art_".len() {
        return true;
    }
    word.rsplit_once('.')
        .is_some_and(|(name, ending)| !name.is_empty() && FILE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Puts known names that have blanks in them into quotation marks.
fn quote_known_files(text: &str, files: &[String]) -> String {
    let mut text = text.to_owned();
    for file in files.iter().filter(|file| file.contains(' ')) {
        // Positions in the lower-cased text are good for the text itself only where both are ASCII.
        if !text.is_ascii() || !file.is_ascii() {
            continue;
        }
        if let Some(start) = text.to_ascii_lowercase().find(&file.to_ascii_lowercase()) {
            let end = start + file.len();
            let before = text[..start].chars().next_back();
            if before.is_none_or(char::is_whitespace) {
                text = format!("{}\"{file}\"{}", &text[..start], &text[end..]);
            }
        }
    }
    text
}

/// The known file that somebody calls without its ending, unless the word means something else to us.
fn named_without_ending<'a>(word: &str, files: &'a [String]) -> Option<&'a String> {
    let lower = word.to_lowercase();
    if lower.len() < 3 || LEXICON.is_small(&lower) || LEXICON.concept(&super::words::stem(&lower)).is_some() {
        return None;
    }
    let mut alike =
        files.iter().filter(|file| file.rsplit_once('.').is_some_and(|(name, _)| name.to_lowercase() == lower));
    alike.next().filter(|_| alike.next().is_none())
}

/// The known name that was meant: the same but for capitals, or the only one that is a misspelling away.
fn known_spelling(name: &str, files: &[String]) -> String {
    if let Some(same) = files.iter().find(|file| file.eq_ignore_ascii_case(name)) {
        return same.clone();
    }
    let lower = name.to_lowercase();
    let mut near = files.iter().filter(|file| misspelling(&lower, &file.to_lowercase()).is_some());
    match (near.next(), near.next()) {
        (Some(only), None) => only.clone(),
        _ => name.to_owned(),
    }
}

/// A query in the text: what comes before it, and the query. `select` alone is an English word; with a `from` after it, it is SQL.
fn split_sql(text: &str) -> Option<(&str, String)> {
    let lower = text.to_ascii_lowercase();
    let word_at = |word: &str| {
        lower.match_indices(word).map(|(index, _)| index).find(|index| {
            let before = lower[..*index].chars().next_back();
            let after = lower[index + word.len()..].chars().next();
            before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
                && after.is_some_and(|letter| letter.is_whitespace() || letter == '*')
        })
    };
    let select = word_at("select")?;
    let has_from = lower[select..].split_whitespace().any(|word| word == "from");
    let counts = lower[select..].contains('(') || lower[select..].contains('*') || lower[select..].contains(',');
    if !has_from || (!counts && lower[select..].split_whitespace().nth(1).is_some_and(|word| LEXICON.is_small(word))) {
        return None;
    }
    let start = word_at("with").filter(|with| *with < select && lower[*with..select].contains(" as")).unwrap_or(select);
    let quotes: &[char] = &['`', '"', '“', '”'];
    let sql =
        text[start..].trim().trim_end_matches(quotes).trim_end_matches(['?', ';']).trim().trim_end_matches(quotes);
    Some((
        text[..start].trim_end().trim_end_matches(quotes).trim_end_matches("sql").trim_end_matches(quotes),
        sql.trim().to_owned(),
    ))
}

/// What was pasted, and what was said about it: a fenced text, lines under a line, or a long text after a colon.
fn split_body(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if let Some((head, rest)) = text.split_once("```")
        && let Some((body, _)) = rest.split_once("```")
    {
        return Some((head, body.trim_start_matches(|letter: char| letter.is_ascii_lowercase())));
    }
    if let Some((first, rest)) = text.split_once('\n') {
        let lines = rest.lines().filter(|line| !line.trim().is_empty()).count();
        if is_item(first) && lines >= 1 {
            return Some(("", text));
        }
        if lines >= 2 || (lines == 1 && (is_item(rest) || first.trim_end().ends_with(':'))) {
            return Some((first, rest));
        }
    }
    let (head, body) = text.split_once(": ").or_else(|| text.split_once(":\n"))?;
    let pasted = body.split_whitespace().count() >= MIN_PASTED_WORDS;
    (pasted && !head.trim().is_empty()).then_some((head, body))
}

/// Whether a line is an item of a list: `1.`, `2)`, `-`, `*`, `Step 3`.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let after_number = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let numbered = after_number.len() < line.len() && after_number.starts_with(['.', ')']);
    numbered || line.starts_with("- ") || line.starts_with("* ") || line.to_ascii_lowercase().starts_with("step ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        Said::read(text, &["orders.csv".to_owned(), "Q3 report.pdf".to_owned(), "returns.csv".to_owned()])
    }

    #[test]
    fn files_are_found_however_they_are_written() {
        for (text, expected) in [
            ("parse orders.csv", "orders.csv"),
            ("parse \"my orders.csv\", please", "my orders.csv"),
            ("what's in (`orders.csv`)?", "orders.csv"),
            ("parse ORDERS.CSV!", "orders.csv"),
            ("parse oders.csv", "orders.csv"),
            ("parse the q3 Report.pdf now", "Q3 report.pdf"),
            ("how good is orders?", "orders.csv"),
            ("show art_0192aabb", "art_0192aabb"),
        ] {
            assert_eq!(said(text).files, [expected], "{text}");
        }
        assert!(said("don't stop. see e.g. this").files.is_empty());
    }

    #[test]
    fn a_query_is_taken_whole() {
        let read = said("please run `SELECT region, sum(amount) FROM data GROUP BY region;`");
        assert_eq!(read.sql.as_deref(), Some("SELECT region, sum(amount) FROM data GROUP BY region"));
        let with = "with t as (select * from data) select count(*) from t";
        assert_eq!(said(with).sql.as_deref(), Some(with));
        assert_eq!(said("select the best rows from my file").sql, None);
    }

    #[test]
    fn pasted_text_is_kept_apart() {
        let read = said("Make a workflow:\n1. Receive the order.\n2. Check the stock.");
        assert_eq!(read.body.as_deref(), Some("1. Receive the order.\n2. Check the stock."));
        assert_eq!(read.text, "Make a workflow:");
        let bare = said("1. Receive the order.\n2. Check the stock.");
        assert_eq!((bare.text.as_str(), bare.tokens.as_slice()), ("", &[Token::Body][..]));
        let inline = said("workflow from this: receive the order, check the stock, ship it");
        assert_eq!(inline.body.as_deref(), Some("receive the order, check the stock, ship it"));
        assert_eq!(said("note: parse it").body, None);
    }
}
