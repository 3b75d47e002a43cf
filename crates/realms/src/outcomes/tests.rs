//! The rules of outcomes over hand-made evidence.

use serde_json::{Value, json};

use super::{
    evidence::{Evidence, Exhibit, Kind},
    roadmap::roadmap,
    statement::Section,
    synthesis::synthesize,
};

fn exhibit(number: u64, kind: Kind, title: &str, payload: Value, parents: &[u64]) -> Exhibit {
    let id = |number: &u64| format!("art_{number}").parse().unwrap();
    Exhibit {
        artifact_id: id(&number),
        kind,
        title: title.to_owned(),
        payload: payload.as_object().cloned().unwrap(),
        parents: parents.iter().map(id).collect(),
    }
}

fn lines(sections: &[Section]) -> Vec<String> {
    let line = |section: &Section| {
        let statements = section.statements.iter().map(|statement| {
            let sources: Vec<&str> = statement.sources.iter().map(|source| source.artifact_id.as_str()).collect();
            format!("{} [{}]", statement.text, sources.join(" "))
        });
        std::iter::once(format!("# {}", section.title)).chain(statements).collect::<Vec<_>>()
    };
    sections.iter().flat_map(line).collect()
}

#[test]
fn findings_become_phases_the_worst_first() {
    let evidence = Evidence {
        exhibits: vec![
            exhibit(1, Kind::File, "orders.csv", json!({}), &[]),
            exhibit(
                2,
                Kind::ParsedFile,
                "Read",
                json!({"file_name": "orders.csv", "row_count": 1200, "column_count": 3}),
                &[1],
            ),
            exhibit(
                3,
                Kind::DataQuality,
                "Quality",
                json!({"file_name": "orders.csv", "score": 87.5, "issues": [
                    {"severity": "low", "message": "`note` is empty in 3 rows."},
                    {"severity": "high", "message": "`id` has 2 duplicates."},
                    {"message": "No severity."},
                ]}),
                &[1, 2],
            ),
            exhibit(4, Kind::File, "stock.csv", json!({}), &[]),
            exhibit(
                5,
                Kind::ParsedFile,
                "Read",
                json!({"file_name": "stock.csv", "row_count": 1, "column_count": 1}),
                &[4],
            ),
            exhibit(6, Kind::File, "new.pdf", json!({}), &[]),
        ],
    };
    assert_eq!(
        lines(&roadmap(&evidence)),
        [
            "# Phase 1: Put the data in order",
            "orders.csv, high: `id` has 2 duplicates. [art_3]",
            "orders.csv, low: `note` is empty in 3 rows. [art_3]",
            "orders.csv, low: No severity. [art_3]",
            "# Phase 2: Find out what is open",
            "How good the data in stock.csv is has not been assessed. [art_4]",
            "new.pdf has not been read. [art_6]",
        ]
    );
    assert_eq!(
        lines(&synthesize(&evidence)),
        [
            "# The data",
            "orders.csv was uploaded. [art_1]",
            "orders.csv has 1,200 rows and 3 columns. [art_2]",
            "stock.csv was uploaded. [art_4]",
            "stock.csv has 1 row and 1 column. [art_5]",
            "new.pdf was uploaded. [art_6]",
            "# How good the data is",
            "In orders.csv, 3 issues were found (1 high, 2 low), and it scores 87.5 of 100. [art_3]",
            "# What is not known yet",
            "How good the data in stock.csv is has not been assessed. [art_4]",
            "new.pdf has not been read. [art_6]",
        ]
    );
}

#[test]
fn hostile_names_change_nothing_around_them() {
    let evidence = Evidence { exhibits: vec![exhibit(1, Kind::File, "<b>*x*</b>\n# y", json!({}), &[])] };
    let text = synthesize(&evidence)[0].markdown();
    assert!(text.contains(r"\<b\>\*x\*\</b\> \# y was uploaded."), "{text}");
}
