//! The questions that the built-in model asks back, and how their answers are read. Nothing is remembered beside the conversation: a
//! question is found again in the text of the last answer, by its fixed sentence and the intents' names in it.

use super::message::Said;

/// Opens the choice between readings; the options follow as a numbered list.
pub(super) const CHOICE: &str = "Which one do you mean?";
/// Asks whether the only reading is right.
pub(super) const CONFIRM: &str = "Is that what you mean?";
/// Begins the request for what is missing: `I still need … (`property`).`
pub(super) const STILL_NEEDED: &str = "I still need";

/// A question of ours that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    /// Intents, in the order in which they were offered.
    Choice(Vec<String>),
    Missing {
        intent_type: String,
        property: String,
    },
}

/// The question at the end of an answer of ours. In all three the names stand in back quotes in brackets: ``(`parse_content`)``.
pub(super) fn find(answer: &str) -> Option<Question> {
    if let Some((before, after)) = answer.rsplit_once(STILL_NEEDED) {
        let intent_type = names(before).pop()?;
        let property = names(after).pop()?;
        return Some(Question::Missing { intent_type, property });
    }
    let options = match answer.rsplit_once(CHOICE) {
        Some((_, after)) => names(after),
        None => names(answer.rsplit_once(CONFIRM)?.0.rsplit("\n\n").next()?),
    };
    (!options.is_empty()).then_some(Question::Choice(options))
}

fn names(text: &str) -> Vec<String> {
    let ends = text.split("(`").skip(1).filter_map(|rest| rest.split_once("`)"));
    ends.map(|(name, _)| name.to_owned()).collect()
}

/// The options that an answer points at: `the first`, `2`, `both`, `yes`.
pub(super) fn chosen(options: &[String], said: &Said) -> Option<Vec<String>> {
    if said.has_word(&["both", "all", "everything"]) && options.len() > 1 {
        return Some(options.to_vec());
    }
    let by_number = said.numbers.first().and_then(|number| usize::try_from(*number).ok()?.checked_sub(1));
    let by_word =
        [&["first", "1st", "former"][..], &["second", "2nd", "latter", "two", "other"], &["third", "3rd", "three"]];
    // Short answers only: `the first rows of it` is no choice.
    let is_short = said.words().count() <= 5;
    let last = said.has_word(&["last"]).then(|| options.len() - 1);
    let place = by_number
        .or_else(|| by_word.iter().position(|words| said.has_word(words)))
        .or(last)
        .or_else(|| said.has_word(&["one"]).then_some(0))
        .or_else(|| (options.len() == 1 && is_yes(said)).then_some(0))?;
    options.get(place).filter(|_| is_short).map(|option| vec![option.clone()])
}

fn is_yes(said: &Said) -> bool {
    said.has_word(&[
        "yes",
        "yep",
        "yeah",
        "yup",
        "sure",
        "right",
        "exactly",
        "correct",
        "ok",
        "okay",
        "please",
        "do",
        "y",
        "definitely",
        "absolutely",
        "indeed",
    ])
}

/// Whether a short answer declines.
pub(super) fn is_no(said: &Said) -> bool {
    let no = ["no", "nope", "nah", "neither", "none", "nothing", "cancel", "stop", "n"];
    said.words().count() <= 5 && said.files.is_empty() && said.has_word(&no)
}

/// `Never mind` and the like, whatever was said before.
pub(super) fn is_never_mind(text: &str) -> bool {
    let words = super::words::words(text).join(" ");
    let known = [
        "never mind",
        "nevermind",
        "forget it",
        "forget about it",
        "forget that",
        "no",
        "nope",
        "no thanks",
        "no thank you",
        "cancel",
        "cancel that",
        "stop",
        "not now",
        "leave it",
    ];
    known.contains(&words.as_str())
}

/// Whether something is wanted not to be done. `Why don't you …` and `I don't know …` are not that.
pub(super) fn is_negated(text: &str) -> bool {
    let words = super::words::words(text);
    let told = words.iter().skip_while(|word| {
        matches!(
            word.as_str(),
            "please"
                | "ok"
                | "okay"
                | "no"
                | "but"
                | "and"
                | "so"
                | "hey"
                | "you"
                | "should"
                | "must"
                | "i"
                | "would"
                | "prefer"
        )
    });
    let told: Vec<&str> = told.map(String::as_str).take(3).collect();
    match told.as_slice() {
        ["dont" | "never" | "not", next, ..] => {
            !matches!(*next, "know" | "understand" | "you" | "i" | "see" | "worry" | "mind" | "forget" | "have")
        }
        ["do", "not", next] => !matches!(*next, "know" | "understand" | "forget" | "have" | "see"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_found_again_in_its_own_text() {
        let choice = format!(
            "That could mean two things. {CHOICE}\n\n1. parse (`parse_content`): …\n2. show (`get_parsed_file`)"
        );
        assert_eq!(
            find(&choice),
            Some(Question::Choice(vec!["parse_content".to_owned(), "get_parsed_file".to_owned()]))
        );
        let confirm = format!("Parsed (`x`).\n\nI would delete a file (`delete_file`). {CONFIRM}");
        assert_eq!(find(&confirm), Some(Question::Choice(vec!["delete_file".to_owned()])));
        let missing = format!("To search files (`search_files`) {STILL_NEEDED} the words (`query`).");
        assert!(matches!(find(&missing), Some(Question::Missing { property, .. }) if property == "query"));
        assert_eq!(find("The file was parsed."), None);
    }

    #[test]
    fn answers_point_at_options() {
        let options = ["a_b".to_owned(), "c_d".to_owned()];
        for (text, expected) in
            [("the first", Some(0)), ("2", Some(1)), ("The second one, please", Some(1)), ("1.", Some(0)), ("hm", None)]
        {
            let found = chosen(&options, &Said::read(text, &[]));
            assert_eq!(found, expected.map(|at: usize| vec![options[at].clone()]), "{text}");
        }
        assert_eq!(chosen(&options, &Said::read("both", &[])).map(|both| both.len()), Some(2));
        assert!(chosen(&options[..1], &Said::read("yes please", &[])).is_some());
    }

    #[test]
    fn not_to_do_something_is_no_wish() {
        for (text, expected) in [
            ("don't delete orders.csv", true),
            ("please do not archive it", true),
            ("never delete my files", true),
            ("I don't know what to do", false),
            ("why don't you parse it", false),
            ("delete it", false),
        ] {
            assert_eq!(is_negated(text), expected, "{text}");
        }
    }
}
