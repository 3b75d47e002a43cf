//! The policy as a table: who asks for what, and what comes of it.

use std::str::FromStr;

use contract::AgentId;

use super::*;

fn known() -> KnownNames {
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    KnownNames {
        intents: list(&["delete_file", "profile_data", "agent_invoke"]),
        realms: list(&["content", "insights"]),
        agents: list(&["guide", "liaison.content"]),
    }
}

fn authority(roles: &[&str], agents: &[&str]) -> Authority {
    Authority {
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        agents: agents.iter().map(|agent| AgentId::from_str(agent).unwrap()).collect(),
        ..Authority::default()
    }
}

fn decide(policy: &Policy, authority: &Authority, intent_type: &str) -> Ruling {
    let realm = if intent_type == "delete_file" { "content" } else { "insights" };
    policy.decide(Question { intent_type, realm, authority })
}

#[test]
fn the_default_lets_those_work_who_work() {
    let policy = Policy::builtin();
    for (role, allowed) in [
        ("owner", true),
        ("admin", true),
        ("member", true),
        ("agent", true),
        ("anonymous", true),
        ("viewer", false),
        ("nonsense", false),
    ] {
        let ruling = decide(&policy, &authority(&[role], &["guide"]), "delete_file");
        assert_eq!(ruling == Ruling::Allowed, allowed, "{role}: {ruling:?}");
    }
    assert!(matches!(decide(&policy, &authority(&[], &[]), "delete_file"), Ruling::Refused(_)));
    assert_eq!(decide(&policy, &authority(&["viewer", "member"], &[]), "delete_file"), Ruling::Allowed);
    assert!(Policy::builtin().differences(&policy).is_empty());
    assert!(DEFAULT.lines().count() <= 60, "it is to be read on one page");
}

const STRICT: &str = r#"
[roles.member]
intents = ["*"]
except = ["delete_file"]

[agents."liaison.content"]
intents = ["content/*"]

[agents."*"]
intents = ["insights/*"]

[[approvals]]
intents = ["content/*"]
agents = ["*"]
roles = ["admin"]
reason = "Admins confirm what agents do to files."
"#;

#[test]
fn person_key_and_agents_have_to_agree() {
    let policy = Policy::read(STRICT, &known()).unwrap();
    let reason = "Admins confirm what agents do to files.".to_owned();
    for (roles, agents, intent_type, expected) in [
        (&["member"][..], &[][..], "profile_data", Ruling::Allowed),
        (
            &["member"],
            &[],
            "delete_file",
            refused("The role member may not submit delete_file; the rule is roles.member of the policy."),
        ),
        (&["owner"], &["liaison.content"], "delete_file", Ruling::Allowed),
        (
            &["owner"],
            &["liaison.content"],
            "profile_data",
            refused(
                "The agent liaison.content may not use profile_data; the rule is agents.\"liaison.content\" of the policy.",
            ),
        ),
        (
            &["owner"],
            &["guide"],
            "delete_file",
            refused("The agent guide may not use delete_file; the rule is agents.\"*\" of the policy."),
        ),
        (
            &["owner"],
            &["liaison.content", "guide"],
            "delete_file",
            refused("The agent guide may not use delete_file; the rule is agents.\"*\" of the policy."),
        ),
        (&["admin"], &["liaison.content"], "delete_file", Ruling::NeedsApproval(reason)),
        (&["admin"], &[], "delete_file", Ruling::Allowed),
    ] {
        assert_eq!(decide(&policy, &authority(roles, agents), intent_type), expected, "{roles:?} {agents:?}");
    }
    let key = Authority { intents: Some(vec!["agent_invoke".to_owned()]), ..authority(&["owner"], &[]) };
    assert_eq!(decide(&policy, &key, "agent_invoke"), Ruling::Allowed);
    let through_an_agent = Authority { agents: authority(&[], &["guide"]).agents, ..key };
    let ruling = decide(&policy, &through_an_agent, "profile_data");
    assert_eq!(
        ruling,
        refused("The API key is limited to other intents than profile_data."),
        "no way round by an agent"
    );
}

fn refused(reason: &str) -> Ruling {
    Ruling::Refused(reason.to_owned())
}

#[test]
fn mistakes_are_told_with_their_line() {
    for (text, expected) in [
        (
            "[roles.root]\nintents = []",
            "line 1: there is no role \"root\"; there are owner, admin, member, viewer, agent, anonymous",
        ),
        (
            "[roles.member]\nintents = [\n  \"*\",\n  \"delete_fiel\",\n]",
            "line 4: there is no intent \"delete_fiel\"; there are delete_file, profile_data, agent_invoke",
        ),
        (
            "[roles.member]\nintents = [\"files/*\"]",
            "line 2: there is no realm \"files/*\"; there are content, insights",
        ),
        ("\n[agents.nobody]\nintents = []", "line 2: there is no agent \"nobody\"; there are guide, liaison.content"),
        ("[roles.member]\nintent = []", "line 2: unknown field `intent`, expected `intents` or `except`"),
        ("[rules]\n", "line 1: unknown field `rules`, expected one of `roles`, `agents`, `approvals`"),
        ("[[approvals]]\nintents = [\"*\"]\n", "line 1: missing field `reason`"),
    ] {
        assert_eq!(Policy::read(text, &known()).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn what_changes_is_told() {
    let policy = Policy::read(STRICT, &known()).unwrap();
    assert_eq!(
        Policy::builtin().differences(&policy),
        [
            "roles.member: * except delete_file (was *)",
            "agents.*: insights/* (had no rule of its own)",
            "agents.liaison.content: content/* (had no rule of its own)",
            "approvals: content/* needs a word for admin where * asks",
        ]
    );
}
