//! Where the steps of a text are: numbered lines, else bullets, else lines, else sentences. It knows nothing of what
//! the steps say.

use super::clause::{is_said, sentences};

/// Headings that only say what kind of text it is.
const TITLE_PREFIXES: [&str; 3] = ["standard operating procedure:", "procedure:", "sop:"];

/// The most words of a line before the first step that is taken for a title.
const MAX_TITLE_WORDS: usize = 14;

/// A text as the steps that it is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) title: Option<String>,
    /// What starts it, from a line `Start: …` or `Trigger: …` before the first step.
    pub(super) trigger: Option<String>,
    pub(super) steps: Vec<RawStep>,
    /// Lines (from 1) that belong to no step although they stand among them.
    pub(super) left_out: Vec<u64>,
}

/// One step as it was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawStep {
    /// What others call it: `3`, `2.1`, `4b`; its place where it has no number.
    pub(super) number: String,
    /// Where it begins, from 1.
    pub(super) line: u64,
    /// Numbering that starts again opens a new section.
    pub(super) section: usize,
    /// Its own text, then that of each bullet below it.
    pub(super) parts: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind<'a> {
    Blank,
    Heading(&'a str),
    Numbered(String, &'a str),
    Bullet(&'a str),
    Text(&'a str),
}

struct Line<'a> {
    number: u64,
    indent: usize,
    kind: Kind<'a>,
}

/// Finds the steps.
pub(super) fn outline(text: &str) -> Outline {
    let numbered_lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    let lines: Vec<Line<'_>> = numbered_lines
        .flat_map(|(line, number)| parted(line).into_iter().map(move |piece| read_line(piece, number)))
        .collect();
    let has = |wanted: fn(&Kind<'_>) -> bool| lines.iter().any(|line| wanted(&line.kind));
    let mut outline = if has(|kind| matches!(kind, Kind::Numbered(..))) {
        listed(&lines, |kind| matches!(kind, Kind::Numbered(..)))
    } else if has(|kind| matches!(kind, Kind::Bullet(_))) {
        listed(&lines, |kind| matches!(kind, Kind::Bullet(_)))
    } else {
        prose(&lines)
    };
    outline.steps.retain(|step| step.parts.iter().any(|part| is_said(part)));
    outline
}

/// A line that holds several numbered steps, as the steps: `Like this: 1. Open it 2. Read it`.
fn parted(line: &str) -> Vec<&str> {
    let mut starts = Vec::new();
    let mut wanted = 1;
    let mut before = "";
    let mut at = 0;
    for word in line.split(' ') {
        let number = word.strip_suffix(['.', ')']).map(|number| number.trim_start_matches('('));
        let is_reference =
            matches!(before.to_lowercase().as_str(), "step" | "steps" | "to" | "and" | "no." | "number" | "point");
        if number.is_some_and(|number| number.parse() == Ok(wanted)) && !is_reference {
            starts.push(at);
            wanted += 1;
        }
        before = word;
        at += word.len() + 1;
    }
    if starts.len() < 2 {
        return vec![line];
    }
    let ends = starts[1..].iter().copied().chain([line.len()]);
    let steps = starts.iter().zip(ends).map(|(&start, end)| &line[start..end]);
    std::iter::once(&line[..starts[0]]).chain(steps).filter(|piece| !piece.trim().is_empty()).collect()
}

fn read_line(line: &str, number: u64) -> Line<'_> {
    let indent =
        line.chars().take_while(|letter| letter.is_whitespace()).map(|letter| if letter == '\t' { 4 } else { 1 });
    let indent = indent.sum();
    let text = line.trim();
    let kind = if text.is_empty() {
        Kind::Blank
    } else if let Some(heading) = heading(text) {
        Kind::Heading(heading)
    } else if let Some((number, rest)) = numbered(text) {
        Kind::Numbered(number, rest)
    } else if let Some(rest) = bullet(text).or_else(|| lettered(text, indent)) {
        Kind::Bullet(rest)
    } else {
        Kind::Text(text)
    };
    Line { number, indent, kind }
}

fn heading(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with(' ')).then(|| rest.trim())
}

fn bullet(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['-', '*', '+', '•', '‣', '◦', '–', '·'])?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim();
    Some(["[ ] ", "[x] ", "[X] "].iter().find_map(|mark| rest.strip_prefix(mark)).unwrap_or(rest))
}

/// `a) text`, and where it is set in, `b. text`.
fn lettered(text: &str, indent: usize) -> Option<&str> {
    let rest = text.trim_start_matches('(').strip_prefix(|letter: char| letter.is_ascii_lowercase())?;
    let rest = rest.strip_prefix(')').or_else(|| rest.strip_prefix('.').filter(|_| indent > 0))?;
    rest.starts_with(' ').then(|| rest.trim())
}

/// `1. text`, `(2) text`, `2.1 text`, `3) text`, `Step 4: text`, `**Step 5** – text`.
fn numbered(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches(['*', '(']);
    let named = text.get(..5).filter(|word| word.eq_ignore_ascii_case("step "));
    let rest = named.map_or(text, |_| text[5..].trim_start());
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
    let digits = rest[..end].trim_end_matches('.');
    if digits.is_empty() || digits.len() > 12 || !digits.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let mut after = &rest[digits.len()..];
    let mut number = digits.to_owned();
    if let Some(letter) = after.chars().next().filter(|letter| letter.is_ascii_lowercase())
        && after[1..].starts_with(['.', ')', ':'])
    {
        number.push(letter);
        after = &after[1..];
    }
    let body = after.trim_start_matches('*').trim_start_matches(['.', ')', ':']).trim_start_matches('*');
    let marked = body.len() < after.len() || named.is_some() || digits.contains('.');
    let parted = body.starts_with(char::is_whitespace) || (body.is_empty() && !digits.contains('.'));
    let body = body.trim_start().trim_start_matches(['-', '–', '—', ':']).trim();
    (marked && parted).then_some((number, body))
}

/// The steps of a list whose items are the lines that `is_item` says; deeper lines are parts of the step above.
fn listed(lines: &[Line<'_>], is_item: fn(&Kind<'_>) -> bool) -> Outline {
    let top = lines.iter().filter(|line| is_item(&line.kind)).map(|line| line.indent).min().unwrap_or(0);
    let mut outline = Outline::default();
    let mut open = false;
    let mut after_blank = false;
    for line in lines {
        let is_blank = line.kind == Kind::Blank;
        match &line.kind {
            Kind::Blank => {}
            Kind::Heading(text) => {
                open = false;
                take_title(&mut outline, text);
            }
            kind if is_item(kind) && (line.indent < top + 2 || !open || is_dotted(kind)) => {
                begin_step(&mut outline, line);
                open = true;
            }
            Kind::Numbered(_, text) | Kind::Bullet(text) if open => add_part(&mut outline, text),
            Kind::Text(text) if open && !(after_blank && line.indent <= top) => continue_part(&mut outline, text),
            Kind::Text(_) if open => outline.left_out.push(line.number),
            Kind::Text(text) if outline.steps.is_empty() => take_preamble(&mut outline, text),
            Kind::Numbered(..) | Kind::Bullet(_) | Kind::Text(_) => {}
        }
        after_blank = is_blank;
    }
    outline
}

/// `2.1` is a step of its own however deep it stands.
fn is_dotted(kind: &Kind<'_>) -> bool {
    matches!(kind, Kind::Numbered(number, _) if number.contains('.'))
}

fn begin_step(outline: &mut Outline, line: &Line<'_>) {
    let place = outline.steps.len() + 1;
    let (number, text) = match &line.kind {
        Kind::Numbered(number, text) => (number.clone(), *text),
        Kind::Bullet(text) | Kind::Text(text) | Kind::Heading(text) => (place.to_string(), *text),
        Kind::Blank => (place.to_string(), ""),
    };
    let last = outline.steps.last();
    let restarts = number == "1" && !outline.steps.is_empty();
    let section = last.map_or(0, |step| step.section) + usize::from(restarts);
    outline.steps.push(RawStep { number, line: line.number, section, parts: vec![plain(text)] });
}

fn add_part(outline: &mut Outline, text: &str) {
    if let Some(step) = outline.steps.last_mut() {
        step.parts.push(plain(text));
    }
}

fn continue_part(outline: &mut Outline, text: &str) {
    if let Some(part) = outline.steps.last_mut().and_then(|step| step.parts.last_mut()) {
        if !part.is_empty() {
            part.push(' ');
        }
        part.push_str(&plain(text));
    }
}

fn take_title(outline: &mut Outline, text: &str) {
    if outline.title.is_some() || !outline.steps.is_empty() {
        return;
    }
    let text = plain(text);
    let prefix = TITLE_PREFIXES
        .iter()
        .find(|prefix| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)));
    let title = prefix.map_or(text.as_str(), |prefix| &text[prefix.len()..]).trim().trim_end_matches(':').trim();
    if !title.is_empty() {
        outline.title = Some(title.to_owned());
    }
}

/// A line before the first step: what starts the procedure, or its title where it looks like one.
fn take_preamble(outline: &mut Outline, text: &str) {
    let text = plain(text);
    let after = |word: &str| {
        text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(|_| &text[word.len()..])
    };
    if let Some(trigger) = after("start:").or_else(|| after("trigger:")) {
        let trigger = trigger.trim().trim_end_matches('.');
        outline.trigger = (!trigger.is_empty()).then(|| trigger.to_owned());
    } else if !text.ends_with(['.', '!', '?'])
        && !asks_for_workflow(&text)
        && text.split_whitespace().count() <= MAX_TITLE_WORDS
    {
        take_title(outline, &text);
    }
}

/// `Draw this as a workflow:` is said to us and names nothing.
fn asks_for_workflow(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("").to_lowercase();
    text.ends_with(':')
        && [
            "build", "convert", "create", "draw", "generate", "i", "make", "model", "please", "turn", "write", "can",
            "could",
        ]
        .contains(&first.trim_end_matches([',', ':']))
}

/// No list at all: each line is a step where there are several and none ends like a sentence, else each sentence is one.
fn prose(lines: &[Line<'_>]) -> Outline {
    let mut outline = Outline::default();
    let mut texts: Vec<&Line<'_>> = Vec::new();
    for line in lines {
        match &line.kind {
            Kind::Heading(text) => take_title(&mut outline, text),
            Kind::Text(_) => texts.push(line),
            Kind::Blank | Kind::Numbered(..) | Kind::Bullet(_) => {}
        }
    }
    let ends_open =
        |line: &&Line<'_>| matches!(line.kind, Kind::Text(text) if !text.ends_with(['.', '!', '?', ':', ';', ',']));
    if texts.len() > 1 && texts.iter().all(ends_open) {
        texts.into_iter().for_each(|line| begin_step(&mut outline, line));
        return outline;
    }
    for paragraph in paragraphs(lines) {
        add_sentences(&mut outline, &paragraph);
    }
    outline
}

/// Runs of lines of text that nothing parts.
fn paragraphs<'a>(lines: &[Line<'a>]) -> Vec<Vec<(u64, &'a str)>> {
    let mut found = vec![Vec::new()];
    for line in lines {
        match line.kind {
            Kind::Text(text) => found.last_mut().expect("there is always one").push((line.number, text)),
            Kind::Blank | Kind::Heading(_) | Kind::Numbered(..) | Kind::Bullet(_) => found.push(Vec::new()),
        }
    }
    found.retain(|paragraph| !paragraph.is_empty());
    found
}

fn add_sentences(outline: &mut Outline, paragraph: &[(u64, &str)]) {
    let mut text = String::new();
    let mut starts = Vec::new();
    for &(line, piece) in paragraph {
        starts.push((text.len(), line));
        text.push_str(&plain(piece));
        text.push(' ');
    }
    for (start, sentence) in sentences(&text) {
        let line = starts.iter().rev().find(|&&(offset, _)| offset <= start).map_or(1, |&(_, line)| line);
        let number = (outline.steps.len() + 1).to_string();
        outline.steps.push(RawStep { number, line, section: 0, parts: vec![sentence.to_owned()] });
    }
}

/// Markdown's text without its marks: `**`, back-ticks, and backslashes before a mark.
fn plain(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek().is_some_and(char::is_ascii_punctuation) => found.extend(letters.next()),
            '*' if letters.peek() == Some(&'*') => {
                letters.next();
            }
            '`' => {}
            other => found.push(other),
        }
    }
    found.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, u64, &[&str])]) -> Outline {
        let outline = outline(text);
        let found: Vec<(&str, u64, Vec<&str>)> = outline
            .steps
            .iter()
            .map(|step| (step.number.as_str(), step.line, step.parts.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<(&str, u64, Vec<&str>)> =
            expected.iter().map(|(number, line, parts)| (*number, *line, parts.to_vec())).collect();
        assert_eq!(found, expected, "{text}");
        outline
    }

    #[test]
    fn numbered_lines_win_over_bullets_and_text() {
        let found = check(
            "# Invoices\n\nStart: An invoice arrives.\nSome words about it.\n\n1. Open it\n   carefully.\n2) **Is it** complete?\n   - If yes, pay.\n   - If no, return it.\n\nA remark.\nStep 3: File `it`\n## Appendix\nMore.\n",
            &[
                ("1", 6, &["Open it carefully."]),
                ("2", 8, &["Is it complete?", "If yes, pay.", "If no, return it."]),
                ("3", 13, &["File it"]),
            ],
        );
        assert_eq!(found.title.as_deref(), Some("Invoices"));
        assert_eq!(found.trigger.as_deref(), Some("An invoice arrives"));
        assert_eq!(found.left_out, [12]);
    }

    #[test]
    fn numbers_come_in_many_dresses() {
        check(
            "(1) a\n2.1 b\n  2.2. c\n3b) d\n**Step 4** – e\nStep 5 f\n",
            &[
                ("1", 1, &["a"]),
                ("2.1", 2, &["b"]),
                ("2.2", 3, &["c"]),
                ("3b", 4, &["d"]),
                ("4", 5, &["e"]),
                ("5", 6, &["f"]),
            ],
        );
        for text in ["10:30 the bus leaves", "2 eggs", "3.14", "-1"] {
            assert_eq!(numbered(text), None, "{text}");
        }
    }

    #[test]
    fn bullets_lines_and_sentences_are_steps_too() {
        check("Packing:\n- [ ] Fold\n  - twice\n* Tape\n", &[("1", 2, &["Fold", "twice"]), ("2", 4, &["Tape"])]);
        check(
            "Open the mail\nSort it\n\nLeave\n",
            &[("1", 1, &["Open the mail"]), ("2", 2, &["Sort it"]), ("3", 4, &["Leave"])],
        );
        check(
            "Open the\nmail. Sort\nit.\n\nLeave.",
            &[("1", 1, &["Open the mail."]), ("2", 2, &["Sort it."]), ("3", 5, &["Leave."])],
        );
    }

    #[test]
    fn one_line_can_hold_several_steps() {
        let found = check(
            "Make a workflow: 1. Open it 2. If it is red, go to step 1. 3. Leave",
            &[("1", 1, &["Open it"]), ("2", 1, &["If it is red, go to step 1."]), ("3", 1, &["Leave"])],
        );
        assert_eq!(found.title, None);
        check("1. Open\n   a. slowly\n   b) twice\n", &[("1", 1, &["Open", "slowly", "twice"])]);
    }

    #[test]
    fn nothing_is_nothing() {
        for text in ["", "\n\n", "# Only a title", "1.\n2.\n", "\u{feff}", "---"] {
            assert_eq!(outline(text).steps.len(), 0, "{text:?}");
        }
    }

    #[test]
    fn marks_of_markdown_are_taken_off() {
        assert_eq!(plain(r"**Bold** \*star\* a_b \\ `code`"), r"Bold *star* a_b \ code");
    }
}
