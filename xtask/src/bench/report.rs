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

fn table(row: &Row, results: &[Result]) -> String {
    let mut text = format!("**{}**\n\n", row.title);
    let unit = if row.unit == Unit::Frames { "events/s" } else { "/s" };
    let first = if row.unit == Unit::Frames { " first event p50 ms |" } else { "" };
    let rule = if row.unit == Unit::Frames { " --- |" } else { "" };
    let _ = writeln!(
        text,
        "| callers | who | {unit} | p50 ms | p99 ms |{first} server CPU µs | flushes | MiB | rate to limit | p50 to limit |"
    );
    let _ = writeln!(text, "| --- | --- | --- | --- | --- |{rule} --- | --- | --- | --- | --- |");
    for result in results {
        for (place, contestant) in row.contestants.iter().enumerate() {
            let _ = writeln!(text, "{}", line(row.unit, result, place, contestant.name));
        }
    }
    text
}

fn line(unit: Unit, result: &Result, place: usize, name: &str) -> String {
    let rate = |cell: &Cell| if unit == Unit::Frames { cell.frame_rate() } else { cell.rate() };
    let of = |figure: &dyn Fn(&Cell) -> f64| spread(result.rounds.iter().map(|cells| figure(&cells[place])));
    let to_limit = |figure: &dyn Fn(&Cell) -> f64| {
        if place == 0 {
            return String::new();
        }
        spread(result.rounds.iter().map(|cells| figure(&cells[place]) / figure(&cells[0]).max(0.001)))
    };
    let crowded = result.rounds.iter().any(|cells| cells[place].others() > CROWDED);
    let first = match unit {
        Unit::Frames => format!(" {} |", of(&|cell| cell.first_ms(0.5))),
        Unit::Operations => String::new(),
    };
    format!(
        "| {} | {name}{} | {} | {} | {} |{first} {} | {} | {} | {} | {} |",
        result.callers,
        if crowded { " (the machine was busy)" } else { "" },
        of(&rate),
        of(&|cell| cell.whole_ms(0.5)),
        of(&|cell| cell.whole_ms(0.99)),
        of(&Cell::server_micros),
        of(&Cell::flushes),
        of(&|cell| cell.used.resident_kib as f64 / 1_024.0),
        to_limit(&rate),
        to_limit(&|cell| cell.whole_ms(0.5)),
    )
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
