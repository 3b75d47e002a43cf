//! The judgement for people: short in a conversation, whole in its rendering.

use super::{Dimensions, Issue, Quality, Severity};
use crate::markdown::{self, counted};

/// How many issues a conversation shows.
const SHOWN_ISSUES: usize = 6;

/// What a person is told first.
pub(in crate::insights) fn in_short(quality: &Quality, name: &str) -> String {
    let mut text = opening(quality, name);
    if quality.issues.is_empty() {
        return text;
    }
    text.push_str("\n\nWhat to look at first:\n\n");
    for (number, issue) in quality.issues.iter().take(SHOWN_ISSUES).enumerate() {
        text.push_str(&format!("{}. {}: {}{}\n", number + 1, word(issue.severity), issue.message, rows(issue)));
    }
    let hidden = quality.issues.len().saturating_sub(SHOWN_ISSUES);
    if hidden > 0 {
        text.push_str(&format!("\n{} in the full report.", counted(hidden, "more finding is", "more findings are")));
    }
    text.push_str("\nRows are counted from 1 below the header. Next: mend them at the source and upload the file again, or ask \"profile it\".");
    text
}

/// The whole report.
pub(in crate::insights) fn in_words(quality: &Quality, name: &str) -> String {
    let mut text = format!("# Data quality of {name}\n\n{}\n", opening(quality, name));
    if let Some(dimensions) = quality.dimensions {
        text.push_str(&format!("\n## Dimensions\n\n{}", explained(dimensions)));
        text.push_str("\nThe score is the mean of the four. Outliers are named but cost nothing: they may be true.\n");
    }
    if !quality.issues.is_empty() {
        let rows = quality.issues.iter().map(|issue| {
            let rows = issue.rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!(
                "| {} | {} | {} | {rows} |\n",
                word(issue.severity),
                issue.message.replace('|', "\\|"),
                markdown::count(issue.count)
            )
        });
        text.push_str("\n## Findings\n\nRows are counted from 1 below the header.\n\n");
        text.push_str("| severity | finding | count | first rows |\n| --- | --- | --- | --- |\n");
        text.extend(rows);
    }
    text
}

fn opening(quality: &Quality, name: &str) -> String {
    let columns = counted(quality.column_count, "column", "columns");
    let (Some(score), Some(dimensions)) = (quality.score, quality.dimensions) else {
        return format!("**{name}** has {columns} but no rows, so there is nothing to judge. Upload it with its rows.");
    };
    let size = format!("{} and {columns}", counted(quality.row_count, "row", "rows"));
    let shares = format!(
        "completeness {}, uniqueness {}, consistency {}, validity {}",
        dimensions.completeness, dimensions.uniqueness, dimensions.consistency, dimensions.validity
    );
    let found = match quality.issues.len() {
        0 => "I found nothing wrong with it.".to_owned(),
        number => format!("I found {}.", counted(number, "thing to look at", "things to look at")),
    };
    format!("**{name}** scores **{score} of 100** ({size}): {shares}. {found}")
}

fn explained(dimensions: Dimensions) -> String {
    let row = |name: &str, value: f64, meaning: &str| vec![name.to_owned(), value.to_string(), meaning.to_owned()];
    markdown::table(
        &["dimension", "score", "the share of"],
        [
            row("completeness", dimensions.completeness, "all cells that have a value"),
            row("uniqueness", dimensions.uniqueness, "rows that repeat no row and no key"),
            row("consistency", dimensions.consistency, "values written like most of their column"),
            row("validity", dimensions.validity, "values that are of their column's type"),
        ],
    )
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "**High**",
        Severity::Medium => "**Medium**",
        Severity::Low => "Low",
    }
}

fn rows(issue: &Issue) -> String {
    if issue.count == issue.of || issue.rows.is_empty() {
        return String::new();
    }
    let rows: Vec<String> = issue.rows.iter().map(ToString::to_string).collect();
    let more = if issue.count > rows.len() { ", …" } else { "" };
    format!(" ({} {}{more})", if issue.count == 1 { "row" } else { "rows" }, rows.join(", "))
}
