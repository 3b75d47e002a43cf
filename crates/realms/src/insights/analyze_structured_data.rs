//! `analyze_structured_data`: what is in a table, how good it is, and which of its numbers go together.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    REALM,
    meaning::{in_a_sentence, meanings},
    profile::profile,
    quality::assess,
    report::{Report, keep},
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        looks_like_a_key,
        parsed::open_table,
        table::Table,
    },
    descriptor,
    markdown::{self, code, counted},
};

/// The most columns of numbers that are held against each other.
const MOST_COLUMNS: usize = 60;
/// Numbers that go together less than this are not told.
const LEAST_CORRELATION: f64 = 0.5;
/// Fewer pairs say nothing.
const LEAST_PAIRS: usize = 8;
const SHOWN: usize = 5;

pub(super) struct AnalyzeStructuredData {
    descriptor: IntentDescriptor,
}

/// Two columns whose numbers go together.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Correlation {
    columns: [String; 2],
    /// Pearson's, from -1 to 1.
    coefficient: f64,
    /// Rows with both.
    count: usize,
}

impl AnalyzeStructuredData {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "analysis_options": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "analyze this table",
            "what can you tell me about orders.csv as a whole?",
            "do a full analysis of the data",
            "which numbers depend on each other?",
        ];
        let description = "Analyzes a table as a whole: what it is about, its profile, how good it is, and which columns of numbers go \
            together.";
        Self { descriptor: descriptor(REALM, "analyze_structured_data", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for AnalyzeStructuredData {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let mut open = open_table(context, &parameters).await?;
        let table = std::mem::take(&mut open.table);
        let (profile, quality, correlations) =
            context.compute(move || Ok((profile(&table), assess(&table), correlations(&table)))).await?;
        let name = file_name(&open.file);
        let meanings = meanings(&profile);
        let quality = json!(quality);
        let mut summary = format!(
            "**{name}** has {} and {}. {}\n\nIts quality scores **{} of 100**.",
            counted(profile.row_count, "row", "rows"),
            counted(profile.column_count, "column", "columns"),
            in_a_sentence(&meanings, profile.row_count),
            quality["score"].as_f64().map(markdown::number).unwrap_or_default(),
        );
        if correlations.is_empty() {
            summary.push_str(" No two columns of numbers go together clearly.");
        } else {
            summary.push_str(" These go together:\n");
            for one in correlations.iter().take(SHOWN) {
                let [first, second] = &one.columns;
                let value = markdown::number((one.coefficient * 100.0).round() / 100.0);
                summary.push_str(&format!("\n- {} and {} ({value})", code(first), code(second)));
            }
        }
        let payload = json!({
            "row_count": profile.row_count,
            "column_count": profile.column_count,
            "meanings": meanings,
            "profile": profile,
            "quality": quality,
            "correlations": correlations,
        });
        let title = format!("Analysis of {name}");
        keep(context, &open, Report { key: "structured_analysis", title, payload, markdown: summary.clone(), summary })
    }
}

/// The strongest first.
fn correlations(table: &Table) -> Vec<Correlation> {
    let is_measure = |place: &usize| {
        let column = &table.columns[*place];
        column.column_type.is_numeric() && !looks_like_a_key(&column.name)
    };
    let places: Vec<usize> = (0..table.columns.len()).filter(is_measure).take(MOST_COLUMNS).collect();
    let mut found = Vec::new();
    for (number, one) in places.iter().enumerate() {
        for other in &places[number + 1..] {
            let pairs: Vec<(f64, f64)> =
                table.rows.iter().filter_map(|row| Some((row[*one].as_number()?, row[*other].as_number()?))).collect();
            let Some(coefficient) = pearson(&pairs).filter(|found| found.abs() >= LEAST_CORRELATION) else { continue };
            let columns = [table.columns[*one].name.clone(), table.columns[*other].name.clone()];
            found.push(Correlation { columns, coefficient, count: pairs.len() });
        }
    }
    found.sort_by(|one, other| other.coefficient.abs().total_cmp(&one.coefficient.abs()));
    found
}

#[expect(clippy::cast_precision_loss, reason = "statistics are computed in double precision")]
fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < LEAST_PAIRS {
        return None;
    }
    let count = pairs.len() as f64;
    let (mean_x, mean_y) =
        (pairs.iter().map(|pair| pair.0).sum::<f64>() / count, pairs.iter().map(|pair| pair.1).sum::<f64>() / count);
    let (mut both, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        both += (x - mean_x) * (y - mean_y);
        of_x += (x - mean_x).powi(2);
        of_y += (y - mean_y).powi(2);
    }
    let coefficient = both / (of_x * of_y).sqrt();
    coefficient.is_finite().then(|| coefficient.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content;

    #[test]
    fn what_goes_together_is_found() {
        let rows: String = (1..=20).map(|row| format!("{row},{},{},{}\n", row * 3, 100 - row, row % 3)).collect();
        let table = content::read_csv(format!("weight,price,stock,rest\n{rows}").as_bytes()).unwrap();
        let found = correlations(&table);
        let told: Vec<(f64, &str)> =
            found.iter().map(|one| (one.coefficient.round(), one.columns[1].as_str())).collect();
        assert_eq!(told, [(1.0, "price"), (-1.0, "stock"), (-1.0, "stock")]);
    }
}
