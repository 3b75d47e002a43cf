//! How good a table is: what is wrong with it, and a score that can be computed again by hand. Pure: a table in, a judgement out.
//!
//! Every dimension is a share, times 100:
//!
//! | dimension | the share of |
//! | --- | --- |
//! | completeness | all cells that have a value |
//! | uniqueness | rows that are neither there before nor repeat a key |
//! | validity | values that are of their column's type, and days that exist |
//! | consistency | values that are written like most of their column |
//!
//! The score is their mean, rounded to one decimal. Outliers are named but cost nothing: they may be true.

mod checks;
mod words;

use serde::Serialize;

use super::values::duplicate_rows;
use crate::content::table::Table;
pub(super) use words::{in_short, in_words};

/// Rows that an issue names.
const ROW_EXAMPLES: usize = 5;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Quality {
    pub(super) row_count: usize,
    pub(super) column_count: usize,
    /// 0 to 100; nothing where there is no row to judge.
    pub(super) score: Option<f64>,
    pub(super) dimensions: Option<Dimensions>,
    /// The worst first.
    pub(super) issues: Vec<Issue>,
}

/// Each 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Dimensions {
    pub(super) completeness: f64,
    pub(super) uniqueness: f64,
    pub(super) consistency: f64,
    pub(super) validity: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    High,
    Medium,
    Low,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    MissingValues,
    EmptyColumn,
    InvalidValues,
    ImpossibleDates,
    MixedTypes,
    MixedDateFormats,
    AmbiguousDates,
    Whitespace,
    SpellingVariants,
    Outliers,
    DuplicateRows,
    DuplicateKeys,
    EmptyRows,
    ConstantColumn,
}

/// Something that is wrong, or may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Issue {
    pub(super) severity: Severity,
    pub(super) kind: Kind,
    /// `None` where it is about whole rows.
    pub(super) column: Option<String>,
    /// How many cells or rows.
    pub(super) count: usize,
    /// Of how many.
    pub(super) of: usize,
    /// The first ones, from 1, the first below the header.
    pub(super) rows: Vec<usize>,
    /// One sentence for a person.
    pub(super) message: String,
}

/// What the score is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    present: usize,
    invalid: usize,
    inconsistent: usize,
}

pub(super) fn assess(table: &Table) -> Quality {
    let duplicates = duplicate_rows(table);
    let mut issues = Vec::new();
    let mut tally = Tally::default();
    let mut repeated_keys = 0;
    for place in 0..table.columns.len() {
        let column = checks::check_column(table, place, &mut issues);
        tally.present += column.present;
        tally.invalid += column.invalid;
        tally.inconsistent += column.inconsistent;
        repeated_keys = repeated_keys.max(checks::check_key(table, place, &duplicates, &mut issues));
    }
    checks::check_rows(table, &duplicates, &mut issues);
    issues.sort_by(|left, right| (left.severity, right.count).cmp(&(right.severity, left.count)));
    let dimensions = dimensions(table, tally, duplicates.len() + repeated_keys);
    Quality {
        row_count: table.rows.len(),
        column_count: table.columns.len(),
        score: dimensions.map(|dimensions| dimensions.mean()),
        dimensions,
        issues,
    }
}

fn dimensions(table: &Table, tally: Tally, repeated_rows: usize) -> Option<Dimensions> {
    let cells = table.rows.len() * table.columns.len();
    (cells > 0).then(|| Dimensions {
        completeness: share(tally.present, cells),
        uniqueness: share(table.rows.len().saturating_sub(repeated_rows), table.rows.len()),
        consistency: share(tally.present.saturating_sub(tally.inconsistent), tally.present),
        validity: share(tally.present.saturating_sub(tally.invalid), tally.present),
    })
}

impl Dimensions {
    fn mean(self) -> f64 {
        one_decimal((self.completeness + self.uniqueness + self.consistency + self.validity) / 4.0)
    }
}

/// All of nothing is good.
fn share(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "tables are far smaller than 2^52 cells")]
    if whole == 0 { 100.0 } else { one_decimal(part as f64 * 100.0 / whole as f64) }
}

fn one_decimal(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::{super::values::tests::csv, *};

    fn kinds(quality: &Quality) -> Vec<(Kind, Option<&str>, usize)> {
        quality.issues.iter().map(|issue| (issue.kind, issue.column.as_deref(), issue.count)).collect()
    }

    #[test]
    fn a_clean_table_has_nothing_wrong() {
        let quality = assess(&csv("id,city,amount\n1,Ulm,5\n2,Bonn,6\n3,Ulm,7\n"));
        assert_eq!(quality.issues, []);
        assert_eq!(quality.score, Some(100.0));
    }

    #[test]
    fn the_score_is_as_computed_by_hand() {
        // 16 cells, 2 missing. 4 rows, 1 duplicate. 14 values, 1 misfit, 1 with a blank too many.
        let quality = assess(&csv("id,name,n,m\n1,a,1,5\n2,b ,2,6\n2,b ,2,6\n4,,x,\n"));
        // The blank stands in the duplicate row too, so it is counted twice.
        let dimensions = quality.dimensions.unwrap();
        assert_eq!(dimensions.completeness, 87.5);
        assert_eq!(dimensions.uniqueness, 75.0);
        assert_eq!(dimensions.validity, 92.9);
        assert_eq!(dimensions.consistency, 85.7);
        assert_eq!(quality.score, Some(85.3));
    }

    #[test]
    fn each_defect_is_found() {
        for (text, wanted) in [
            ("a,b\n1,x\n,y\n3,z\nN/A,w\n", (Kind::MissingValues, Some("a"), 2)),
            ("a,b\n1,\n2,\n", (Kind::EmptyColumn, Some("b"), 2)),
            ("a\n1\n2\n3\nfour\n", (Kind::InvalidValues, Some("a"), 1)),
            ("d\n2026-01-01\n2026-02-30\n2026-03-01\n2026-03-02\n", (Kind::ImpossibleDates, Some("d"), 1)),
            ("d\n2026-01-01\n2026-01-02\n03.01.2026\n", (Kind::MixedDateFormats, Some("d"), 1)),
            ("d\n01/02/2026\n02/03/2026\n03/04/2026\n", (Kind::AmbiguousDates, Some("d"), 3)),
            ("a\nx\n y\nz  z\n", (Kind::Whitespace, Some("a"), 2)),
            ("a\nParis\nParis\nPARIS\nparis\nUlm\n", (Kind::SpellingVariants, Some("a"), 2)),
            ("a\n1\n2\nx\ny\n", (Kind::MixedTypes, Some("a"), 2)),
            ("n\n10\n11\n12\n13\n14\n15\n16\n17\n900\n", (Kind::Outliers, Some("n"), 1)),
            ("a,b\n1,2\n3,4\n1,2\n", (Kind::DuplicateRows, None, 1)),
            ("a,b\n1,2\n,\n", (Kind::EmptyRows, None, 1)),
            ("a,b\n1,x\n2,x\n3,x\n", (Kind::ConstantColumn, Some("b"), 3)),
            (
                "order_id,n\n1,5\n2,6\n3,7\n4,8\n5,9\n6,1\n7,2\n8,3\n9,4\n9,5\n",
                (Kind::DuplicateKeys, Some("order_id"), 1),
            ),
        ] {
            let quality = assess(&csv(text));
            assert!(kinds(&quality).contains(&wanted), "{text:?}: {:?}", quality.issues);
        }
    }

    #[test]
    fn issues_name_their_rows_and_come_in_order() {
        let quality = assess(&csv("a,b\n1,x\n2,\n3,y\n4,\n5,\n6,z \n"));
        assert_eq!(quality.issues[0].rows, [2, 4, 5]);
        assert!(quality.issues.is_sorted_by_key(|issue| issue.severity));
        assert_eq!(quality.issues[0].severity, Severity::High);
    }

    #[test]
    fn a_table_without_rows_has_no_score() {
        let quality = assess(&csv("a,b\n"));
        assert_eq!((quality.score, quality.issues.len()), (None, 0));
    }

    #[test]
    fn a_score_never_leaves_its_bounds() {
        let mut state = 7_u64;
        let mut chance = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % limit
        };
        let values =
            ["", " ", "1", "2.5", "x", "X", "x ", "N/A", "2026-01-01", "01/02/2026", "2026-02-30", "true", "007"];
        for round in 0..300 {
            let mut text = "id,b,c\n".to_owned();
            for _ in 0..chance(12) {
                let mut value = || values[chance(values.len())];
                text.push_str(&format!("{},{},{}\n", value(), value(), value()));
            }
            let quality = assess(&csv(&text));
            if let Some(dimensions) = quality.dimensions {
                for share in
                    [dimensions.completeness, dimensions.uniqueness, dimensions.consistency, dimensions.validity]
                {
                    assert!((0.0..=100.0).contains(&share), "round {round}: {text:?}: {dimensions:?}");
                }
            }
            for issue in &quality.issues {
                assert!(issue.count > 0 && issue.count <= issue.of, "round {round}: {text:?}: {issue:?}");
                assert!(issue.rows.iter().all(|&row| row >= 1 && row <= quality.row_count));
            }
        }
    }
}
