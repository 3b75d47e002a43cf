//! The figures as tables of Markdown: on the terminal while they come, and in docs/performance.md in the end.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context;

use super::{
    Plan,
    cell::Cell,
    contest::{Result, Row, Unit},
};

/// The page that has the figures, between two marks.
const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- figures: written by `cargo xtask bench --write` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Others that use more of the machine than this, in cores, make a cell doubtful.
const CROWDED: f64 = 0.25;

/// Something that has no rounds.
pub(super) struct Fact {
    pub(super) what: String,
    pub(super) found: String,
    pub(super) wanted: &'static str,
}

pub(super) struct Report {
    text: String,
}

impl Report {
    pub(super) fn begin(plan: &Plan) -> Self {
        let text = format!(
            "{}; {} rounds of {:?} after {:?} of warm-up; median [min–max] of the rounds\n",
            crate::machine::line(),
            plan.rounds,
            plan.duration,
            plan.warm_up
        );
        println!("{text}");
        Self { text }
    }

    pub(super) fn add(&mut self, row: &Row, results: &[Result]) {
        let table = table(row, results);
        println!("{table}");
        let _ = write!(self.text, "\n{table}");
    }

    /// Adds what was measured once.
    pub(super) fn add_facts(&mut self, title: &str, facts: &[Fact]) {
        let mut table = format!("**{title}**\n\n| what | found | wanted |\n| --- | --- | --- |\n");
        for Fact { what, found, wanted } in facts {
            let _ = writeln!(table, "| {what} | {found} | {wanted} |");
        }
        println!("{table}");
        let _ = write!(self.text, "\n{table}");
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
        let page = fs::read_to_string(&path).with_context(|| format!("{PAGE} cannot be read"))?;
        let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no line {BEGIN}"))?;
        let (_, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no line {END}"))?;
        fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", self.text))?;
        println!("written to {PAGE}");
        Ok(())
    }
}

/// What stands in a column of a row.
type Column = (&'static str, fn(&Cell) -> f64);

fn columns(unit: Unit) -> Vec<Column> {
    let p50: Column = ("p50 ms", |cell| cell.whole_ms(0.5));
    let p99: Column = ("p99 ms", |cell| cell.whole_ms(0.99));
    let micros: Column = ("server CPU µs", Cell::server_micros);
    let flushes: Column = ("flushes", Cell::flushes);
    let memory: Column = ("MiB", Cell::resident_mib);
    match unit {
        Unit::Operations => vec![("/s", Cell::rate), p50, p99, micros, flushes, memory],
        Unit::Frames => {
            let first: Column = ("first event p50 ms", |cell| cell.first_ms(0.5));
            vec![("events/s", Cell::frame_rate), p50, p99, first, micros, flushes, memory]
        }
        Unit::Streams => {
            let first: Column = ("first token p50 ms", |cell| cell.first_ms(0.5));
            let slow: Column = ("first token p99 ms", |cell| cell.first_ms(0.99));
            vec![("events/s", Cell::frame_rate), first, slow, ("server cores", Cell::cores), memory]
        }
    }
}

/// What is divided by the limit's.
fn ratios(unit: Unit) -> Vec<Column> {
    match unit {
        Unit::Operations => vec![("rate to limit", Cell::rate), ("p50 to limit", |cell| cell.whole_ms(0.5))],
        Unit::Frames => vec![("rate to limit", Cell::frame_rate), ("p50 to limit", |cell| cell.whole_ms(0.5))],
        Unit::Streams => vec![("cores to limit", Cell::cores)],
    }
}

fn table(row: &Row, results: &[Result]) -> String {
    let mut text = format!("**{}**\n\n", row.title);
    let names = columns(row.unit).into_iter().chain(ratios(row.unit)).map(|(name, _)| name);
    let head: Vec<&str> = ["callers", "who"].into_iter().chain(names).collect();
    let _ = writeln!(text, "| {} |\n|{}", head.join(" | "), " --- |".repeat(head.len()));
    for result in results {
        for (place, contestant) in row.contestants.iter().enumerate() {
            let _ = writeln!(text, "{}", line(row.unit, result, place, contestant.name));
        }
    }
    for absent in &row.absent {
        let _ = writeln!(text, "\nNot measured: {absent}");
    }
    text
}

fn line(unit: Unit, result: &Result, place: usize, name: &str) -> String {
    let crowded = result.cells(place).any(|(cell, _)| cell.others() > CROWDED);
    let busy = if crowded { " (the machine was busy)" } else { "" };
    let mut line = format!("| {} | {name}{busy} |", result.callers);
    for (_, figure) in columns(unit) {
        let _ = write!(line, " {} |", spread(result.cells(place).map(|(cell, _)| figure(cell))));
    }
    for (_, figure) in ratios(unit) {
        let to_limit = |(cell, limit): (&Cell, &Cell)| figure(cell) / figure(limit).max(0.001);
        let ratio = if place == 0 { String::new() } else { spread(result.cells(place).map(to_limit)) };
        let _ = write!(line, " {ratio} |");
    }
    line
}

/// `median [min–max]`.
fn spread(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return "–".to_owned() };
    let median = values[values.len() / 2];
    let digits = if median >= 100.0 { 0 } else { 2 };
    format!("{median:.digits$} [{least:.digits$}–{most:.digits$}]")
}
