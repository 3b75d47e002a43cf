//! `symphainy user`: what an operator does with accounts, on the data folder itself. What a user is stands in the guard.

use contract::auth::Secret;
use security_guard::{GuardError, NewUser, SecurityGuard, UserSummary};
use serde_json::{Value, json};

use super::operator::{Folder, with_guard};
use crate::{
    cli::{UserArguments, UserCommon, UserVerb},
    client::password,
    exit::{Complaint, Exit},
    output::show_line,
    wiring,
};

/// Users that are read at a time.
const PAGE: usize = 200;

pub(crate) async fn user(arguments: UserArguments) -> Result<Exit, Complaint> {
    let common = arguments.verb.common().clone();
    // What is typed comes first: nobody should hold the data folder while somebody thinks of a password.
    let password = match &arguments.verb {
        UserVerb::Create { .. } | UserVerb::ResetPassword { .. } => Some(password::new()?),
        UserVerb::List { .. } | UserVerb::Disable { .. } | UserVerb::Enable { .. } => None,
    };
    let folder = match arguments.verb {
        UserVerb::Create { .. } => Folder::MayBeMade,
        UserVerb::List { .. } | UserVerb::Disable { .. } | UserVerb::Enable { .. } | UserVerb::ResetPassword { .. } => {
            Folder::HasToBeThere
        }
    };
    let work = async |guard: &SecurityGuard| obey(guard, &arguments.verb, password).await;
    let said = with_guard(&common.house, "user", folder, work).await?;
    show_line(if common.json { &said.json } else { &said.text });
    Ok(Exit::Success)
}

/// What a verb says, for programs and for people.
struct Said {
    json: String,
    text: String,
}

impl Said {
    fn new(value: &Value, text: String) -> Self {
        Self { json: value.to_string(), text }
    }

    fn of(user: &UserSummary, what: &str) -> Self {
        Self::new(&json!({ "user": user }), format!("{what}: {} ({}), {}", user.email, user.name, user.user_id))
    }
}

async fn obey(guard: &SecurityGuard, verb: &UserVerb, password: Option<Secret>) -> Result<Said, Complaint> {
    let password = || password.clone().expect("it was read for the verbs that need one");
    match verb {
        UserVerb::Create { email, name, .. } => {
            let new = NewUser { name: name.clone(), email: email.clone(), password: password() };
            let user = guard.create_user(new).await.map_err(|error| refused(&error))?;
            Ok(Said::of(&user, "Created"))
        }
        UserVerb::List { .. } => list(guard).await,
        UserVerb::Disable { email, .. } => {
            let user = find(guard, email).await?;
            guard.disable_user(&user.user_id).await.map_err(|error| refused(&error))?;
            Ok(Said::of(&find(guard, email).await?, "Disabled"))
        }
        UserVerb::Enable { email, .. } => {
            let user = find(guard, email).await?;
            guard.enable_user(&user.user_id).await.map_err(|error| refused(&error))?;
            Ok(Said::of(&find(guard, email).await?, "Enabled"))
        }
        UserVerb::ResetPassword { email, .. } => {
            find(guard, email).await?;
            let user = guard.reset_password(email, password()).await.map_err(|error| refused(&error))?;
            Ok(Said::of(&user, "New password, and every sign-in ended"))
        }
    }
}

async fn list(guard: &SecurityGuard) -> Result<Said, Complaint> {
    let mut users: Vec<UserSummary> = Vec::new();
    let mut after = None;
    loop {
        let page = guard.list_users(after.as_ref(), PAGE).await.map_err(|error| refused(&error))?;
        users.extend(page.users);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let mut text: Vec<String> = users.iter().map(row).collect();
    if text.is_empty() {
        text.push("There are no users yet. `symphainy user create` makes one, and so does registering.".to_owned());
    }
    Ok(Said::new(&json!({ "users": users }), text.join("\n")))
}

fn row(user: &UserSummary) -> String {
    let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
    format!("{state:<8}  {}  {:<32}  {}", user.created_at, user.email, user.name)
}

async fn find(guard: &SecurityGuard, email: &str) -> Result<UserSummary, Complaint> {
    let found = guard.find_user(email).await.map_err(|error| refused(&error))?;
    found.ok_or_else(|| {
        Complaint::new(Exit::Data, format!("Nobody has the address {email}. `symphainy user list` shows who there is."))
    })
}

fn refused(error: &GuardError) -> Complaint {
    match error {
        GuardError::EmailTaken => {
            Complaint::new(Exit::Data, "This address has an account already. Give another one, or reset its password.")
        }
        GuardError::Invalid(fields) => {
            let sentences: Vec<&str> = fields.iter().map(|field| field.message.as_str()).collect();
            Complaint::new(Exit::Data, sentences.join(" "))
        }
        error => wiring::guard_complaint(error),
    }
}

impl UserVerb {
    fn common(&self) -> &UserCommon {
        match self {
            Self::Create { common, .. }
            | Self::List { common }
            | Self::Disable { common, .. }
            | Self::Enable { common, .. }
            | Self::ResetPassword { common, .. } => common,
        }
    }
}
