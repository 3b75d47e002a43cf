//! Procedures and the graphs that they must give, as data.

use super::*;
use crate::journey::workflow::NodeKind;

/// A graph in short: `label -> label`, decisions with `[answer]`, actors before labels with `@`.
fn sketch(workflow: &Workflow) -> Vec<String> {
    let shown = |id: &str| {
        let node = workflow.node(id).expect("edges lead to nodes");
        let label = match node.kind {
            NodeKind::Start if node.label == "Start" => "(start)".to_owned(),
            NodeKind::End if node.label == "End" => "(end)".to_owned(),
            NodeKind::Start | NodeKind::End => format!("({})", node.label),
            NodeKind::Task | NodeKind::Decision => node.label.clone(),
        };
        node.actor.as_ref().map_or(label.clone(), |actor| format!("{actor}@{label}"))
    };
    let line = |edge: &crate::journey::workflow::Edge| match &edge.label {
        Some(answer) => format!("{} [{answer}] {}", shown(&edge.from), shown(&edge.to)),
        None => format!("{} -> {}", shown(&edge.from), shown(&edge.to)),
    };
    workflow.edges.iter().map(line).collect()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let workflow = read_procedure(text, "Untitled").unwrap();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(sketch(&workflow), expected, "{text}");
}

#[test]
fn steps_follow_each_other() {
    check(
        "1. Open the mail\n2. The clerk sorts it.\n3. Finance: pay it",
        "
        (start) -> Open the mail
        Open the mail -> clerk@The clerk sorts it
        clerk@The clerk sorts it -> Finance@Pay it
        Finance@Pay it -> (end)",
    );
    check("Just do it", "(start) -> Just do it\nJust do it -> (end)");
    check(
        "Die Prüferin öffnet die Größenliste. Danach 検査する！",
        "
        (start) -> Die Prüferin öffnet die Größenliste
        Die Prüferin öffnet die Größenliste -> Danach 検査する！
        Danach 検査する！ -> (end)",
    );
}

#[test]
fn a_numbered_step_is_one_task_until_somebody_else_acts() {
    check(
        "1. Open the mail. Look at it. The manager signs it.\n2. Leave",
        "
        (start) -> Open the mail. Look at it
        Open the mail. Look at it -> manager@The manager signs it
        manager@The manager signs it -> Leave
        Leave -> (end)",
    );
}

#[test]
fn conditions_become_decisions() {
    let expected = "
        (start) -> The form is complete?
        The form is complete? [yes] Accept it
        The form is complete? [no] Return it
        Accept it -> (end)
        Return it -> (end)";
    for text in [
        "If the form is complete, accept it; otherwise return it.",
        "If the form is complete then accept it, otherwise return it.",
        "If the form is complete, accept it. Otherwise, return it.",
        "If the form is complete, accept it. If not, return it.",
        "1. If the form is complete, accept it\n2. Otherwise return it",
        "Accept it if the form is complete, otherwise return it.",
        "Return it unless the form is complete; otherwise accept it.",
        "- The form is complete?\n  - Yes: accept it\n  - No: return it",
        "1. The form is complete?\n   - If yes -> accept it\n   - Else -> return it",
        "If the form is complete, accept it, else return it",
        "In case the form is complete: accept it; if not, return it",
    ] {
        check(text, expected);
    }
}

#[test]
fn an_answer_that_is_not_written_goes_on() {
    check(
        "1. Weigh it\n2. If it is heavy, call the driver\n3. Ship it",
        "
        (start) -> Weigh it
        Weigh it -> It is heavy?
        It is heavy? [yes] Call the driver
        It is heavy? [no] Ship it
        Call the driver -> Ship it
        Ship it -> (end)",
    );
    check(
        "Call the driver unless it is light. Ship it.",
        "
        (start) -> It is light?
        It is light? [yes] Ship it
        It is light? [no] Call the driver
        Call the driver -> Ship it
        Ship it -> (end)",
    );
    check(
        "1. Check whether the form is signed.\n2. If not, return it and stop.\n3. File it",
        "
        (start) -> Check whether the form is signed
        Check whether the form is signed -> The form is signed?
        The form is signed? [yes] File it
        The form is signed? [no] Return it
        Return it -> (end)
        File it -> (end)",
    );
}

#[test]
fn conditions_hold_commas_and_follow_each_other() {
    check(
        "If name, date and address are given, stamp, sign and file it. Leave.",
        "
        (start) -> Name, date and address are given?
        Name, date and address are given? [yes] Stamp, sign and file it
        Name, date and address are given? [no] Leave
        Stamp, sign and file it -> Leave
        Leave -> (end)",
    );
    check(
        "If it is red, stop; else if it is blue, wash it; otherwise pack it.",
        "
        (start) -> It is red?
        It is red? [yes] (end)
        It is red? [no] It is blue?
        It is blue? [yes] Wash it
        It is blue? [no] Pack it
        Wash it -> (end)
        Pack it -> (end)",
    );
    check(
        "1. Which colour is it? If red, wash it. If blue, pack it. Otherwise, end the process: Unknown colour.\n2. Leave",
        "
        (start) -> Which colour is it?
        Which colour is it? [red] Wash it
        Which colour is it? [blue] Pack it
        Which colour is it? [otherwise] (Unknown colour)
        Wash it -> Leave
        Pack it -> Leave
        Leave -> (end)",
    );
}

#[test]
fn jumps_and_loops_lead_back() {
    check(
        "1. Read it\n2. If it is wrong, correct it and go back to step 1.\n3. Send it",
        "
        (start) -> Read it
        Read it -> It is wrong?
        It is wrong? [yes] Correct it
        It is wrong? [no] Send it
        Correct it -> Read it
        Send it -> (end)",
    );
    check(
        "1. Stir\n2. Taste\n3. Repeat steps 1 to 2 until it is sweet\n4. Serve",
        "
        (start) -> Stir
        Stir -> Taste
        Taste -> It is sweet?
        It is sweet? [yes] Serve
        It is sweet? [no] Stir
        Serve -> (end)",
    );
    check(
        "Stir it until it is smooth. Wait until it has cooled. While there is dough, the baker fills a form.",
        "
        (start) -> Stir it
        Stir it -> It is smooth?
        It is smooth? [yes] Wait until it has cooled
        It is smooth? [no] Stir it
        Wait until it has cooled -> There is dough?
        There is dough? [yes] baker@The baker fills a form
        There is dough? [no] (end)
        baker@The baker fills a form -> There is dough?",
    );
    check(
        "1. Ask\n2. Go to step 4\n3. Rest, then start again\n4. Return to step 3",
        "
        (start) -> Ask
        Ask -> Rest
        Rest -> Ask",
    );
}

#[test]
fn loose_sentences_are_read_as_they_are_meant() {
    check(
        "Customer service opens the case. If it is old, customer service asks the team lead; otherwise it continues with step 3. Close it.",
        "
        (start) -> Customer service@Customer service opens the case
        Customer service@Customer service opens the case -> It is old?
        It is old? [yes] Customer service@Customer service asks the team lead
        It is old? [no] Close it
        Customer service@Customer service asks the team lead -> Close it
        Close it -> (end)",
    );
    check(
        "Verify the amount; if it exceeds €5,000 it must be signed. Otherwise it is paid.",
        "
        (start) -> Verify the amount
        Verify the amount -> It exceeds €5,000?
        It exceeds €5,000? [yes] It must be signed
        It exceeds €5,000? [no] It is paid
        It must be signed -> (end)
        It is paid -> (end)",
    );
    check(
        "Print. Repeat until all pages are printed.",
        "
        (start) -> Print
        Print -> All pages are printed?
        All pages are printed? [yes] (end)
        All pages are printed? [no] Print",
    );
    check(
        "1. Verify\n   a. If papers are missing, ask for them and return to step 1\n   b. Otherwise proceed to step 2\n2. Pay",
        "
        (start) -> Verify
        Verify -> Papers are missing?
        Papers are missing? [yes] Ask for them
        Papers are missing? [no] Pay
        Ask for them -> Verify
        Pay -> (end)",
    );
}

#[test]
fn the_first_when_starts_and_later_ones_decide() {
    check(
        "When an order arrives, the clerk prints it. When it is large, call the boss. Pack it.",
        "
        (An order arrives) -> clerk@The clerk prints it
        clerk@The clerk prints it -> It is large?
        It is large? [yes] Call the boss
        It is large? [no] Pack it
        Call the boss -> Pack it
        Pack it -> (end)",
    );
    check("Start: The bell rings.\n1. Get up", "(The bell rings) -> Get up\nGet up -> (end)");
}

#[test]
fn what_only_looks_like_a_rule_is_a_task() {
    for text in [
        "Check if the door is open",
        "Ask the guest if breakfast is wanted",
        "Say “if it rains, go to step 9”",
        "Note the number (if any)",
        "Stop the machine",
        "Endorse the cheque",
        "Go to the office",
        "Wait until Friday",
        "Type <b>&amp;\"quotes\"</b>",
    ] {
        check(text, &format!("(start) -> {text}\n{text} -> (end)"));
    }
}

#[test]
fn dead_parts_are_said() {
    let workflow = read_procedure("1. Go to step 3\n2. Never\n3. Loop, then go to step 3", "t").unwrap();
    assert_eq!(workflow.warnings, ["Nothing leads to “Never”.", "No path leads to the end."]);
}

#[test]
fn what_cannot_be_read_says_why_and_where() {
    let long = "1. a\n".repeat(MAX_STEPS + 500);
    let many = "Otherwise, if it is so, do it. ".repeat(MAX_NESTING * 2);
    for (text, error) in [
        ("", NotAProcedure::Empty),
        ("# Title\n\n", NotAProcedure::Empty),
        ("1. a\n2. Go to step 9", NotAProcedure::UnknownStep { line: 2, number: "9".into() }),
        ("1. Go to step 2\n2. Go to step 1", NotAProcedure::OnlyJumps { line: 1 }),
        (&long, NotAProcedure::TooManySteps(1_000)),
        (&format!("1. {many}"), NotAProcedure::TooDeep { line: 1 }),
        (&"x".repeat(MAX_TEXT_BYTES + 1), NotAProcedure::TooLong),
    ] {
        assert_eq!(read_procedure(text, "t").map(|workflow| sketch(&workflow)), Err(error));
    }
}

#[test]
fn hostile_texts_end_soon() {
    for piece in [
        "(",
        "“",
        "if ",
        "until ",
        "otherwise ",
        "1. ",
        "- ",
        ". ",
        "a, ",
        "go to step 1, ",
        "\u{0}",
        "?",
        "If a is b, if ",
        "*",
    ] {
        let text = piece.repeat(MAX_TEXT_BYTES / piece.len());
        let _ = read_procedure(&text, "t");
        let _ = read_procedure(&format!("1. {}", &text[..text.len() - 3]), "t");
    }
}
