//! Markdown for people: tables, numbers and names as summaries show them.

/// The longest text in a cell of a table, in characters.
const LONGEST_CELL: usize = 60;

/// A Markdown table. Every row has as many cells as there are headers.
pub(crate) fn table(headers: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = line(headers.iter().map(|header| cell(header)));
    table.push_str(&line(headers.iter().map(|_| "---".to_owned())));
    for row in rows {
        table.push_str(&line(row.iter().map(|text| cell(text))));
    }
    table
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// A text that cannot break out of its cell.
pub(crate) fn cell(text: &str) -> String {
    let flat: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    shortened(&flat, LONGEST_CELL).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}

/// A text within code marks, for names of columns and values.
pub(crate) fn code(text: &str) -> String {
    let flat: String = text.chars().map(|sign| if sign.is_control() || sign == '`' { ' ' } else { sign }).collect();
    format!("`{}`", shortened(&flat, LONGEST_CELL))
}

/// Names that people gave, so that they change nothing of the Markdown around them. What stands between back-ticks stays code.
pub(crate) fn plain(text: &str) -> String {
    let keeps_code = text.matches('`').count().is_multiple_of(2);
    let mut is_code = false;
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if letter.is_control() => plain.push(' '),
            '`' if keeps_code => {
                is_code = !is_code;
                plain.push('`');
            }
            '\\' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '|' | '#' if !is_code => {
                plain.push('\\');
                plain.push(letter);
            }
            letter => plain.push(letter),
        }
    }
    plain
}

/// The beginning of a text, with an ellipsis where something is left out.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((place, _)) => format!("{}…", text[..place].trim_end()),
        None => text.to_owned(),
    }
}

/// `1,234,567`
pub(crate) fn count(value: usize) -> String {
    grouped(&value.to_string())
}

/// `1 row`, `1,234 rows`
pub(crate) fn counted(value: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// A number with thousands separated and at most four decimals; very large and very small ones with an exponent.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{value:e}");
    }
    let text = format!("{size:.4}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// A share as a person reads it: `12.5 %`. Nothing that is there is shown as 0 %, nothing less than all as 100 %.
pub(crate) fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "a share for eyes needs three digits")]
    let share = part as f64 * 100.0 / whole as f64;
    if part > 0 && share < 0.1 {
        "< 0.1 %".to_owned()
    } else if part < whole && share > 99.9 {
        "> 99.9 %".to_owned()
    } else {
        format!("{} %", number((share * 10.0).round() / 10.0))
    }
}

/// `4.2 kB`
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a size for eyes needs three digits")]
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", value / 1e3),
        1_000_000.. => format!("{:.1} MB", value / 1e6),
    }
}

/// `a`, `b` and `c`; the rest is counted.
pub(crate) fn listed(items: &[String], most: usize) -> String {
    let shown = &items[..items.len().min(most)];
    let rest = items.len() - shown.len();
    match (shown, rest) {
        ([], _) => String::new(),
        ([only], 0) => only.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (shown, rest) => format!("{} and {rest} more", shown.join(", ")),
    }
}

fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (value, wanted) in [
            (0.0, "0"),
            (-0.00001, "-1e-5"),
            (12.5, "12.5"),
            (1234.0, "1,234"),
            (-1_234_567.891, "-1,234,567.891"),
            (0.333_333_333, "0.3333"),
            (1e20, "1e20"),
        ] {
            assert_eq!(number(value), wanted);
        }
        assert_eq!([count(0), count(999), count(1_000_000)], ["0", "999", "1,000,000"]);
        assert_eq!([size(999), size(4_200), size(64 << 20)], ["999 bytes", "4.2 kB", "67.1 MB"]);
        let shares = [percent(0, 9), percent(1, 8), percent(1, 100_000), percent(99_999, 100_000), percent(3, 3)];
        assert_eq!(shares, ["0 %", "12.5 %", "< 0.1 %", "> 99.9 %", "100 %"]);
    }

    #[test]
    fn nothing_breaks_out_of_its_place() {
        let rows = [vec!["x|y\nz".to_owned(), "<b>".to_owned()]];
        assert_eq!(table(&["a", "b"], rows), "| a | b |\n| --- | --- |\n| x\\|y z | &lt;b> |\n");
        assert_eq!(code("a`b"), "`a b`");
    }

    #[test]
    fn lists_are_sentences() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(
            [listed(&items[..1], 3), listed(&items, 3), listed(&items, 2)],
            ["a", "a, b and c", "a, b and 1 more"]
        );
    }
}
