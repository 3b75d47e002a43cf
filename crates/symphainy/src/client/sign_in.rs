//! Signing in from a terminal or a script.

use contract::auth::Secret;

use super::{Api, ApiError, password, remembered::Remembered};
use crate::{cli::SignInArguments, environment, exit::Complaint, is_interactive};

/// The code of a wrong address or a wrong password; nobody learns which.
const WRONG_PASSWORD: &str = "authentication_failed";

/// A program's credential. Never a flag, which others can see; an address on the command line goes before it.
const KEY_VARIABLE: &str = "SYMPHAINY_API_KEY";

/// Signs in as the arguments say, and asks a person for what they leave out.
pub(crate) async fn sign_in(arguments: &SignInArguments) -> Result<Api, Complaint> {
    let mut api = Api::new(&arguments.server)?;
    if let Some(key) = environment::get(KEY_VARIABLE).filter(|_| arguments.email.is_none()) {
        api.use_key(Secret(key)).await?;
        return Ok(api);
    }
    let remembered = Remembered::of_user();
    if arguments.register.is_none() && take_up(&mut api, arguments, remembered.as_ref()).await? {
        return Ok(api);
    }
    let email = email(arguments)?;
    match &arguments.register {
        Some(name) => api.register(name, &email, password::new()?).await?,
        None => login_or_register(&mut api, &email).await?,
    }
    if arguments.remember {
        let remembered = remembered.ok_or_else(|| {
            Complaint::usage("There is no folder to keep the sign-in in: set HOME, or leave --remember out.")
        })?;
        api.remember(remembered)?;
    }
    Ok(api)
}

/// Goes on with a kept sign-in, where there is one of this server and address.
async fn take_up(
    api: &mut Api,
    arguments: &SignInArguments,
    remembered: Option<&Remembered>,
) -> Result<bool, Complaint> {
    let Some(remembered) = remembered else { return Ok(false) };
    let Some(kept) = remembered.of(api.server()) else { return Ok(false) };
    if arguments.email.as_ref().is_some_and(|email| !email.eq_ignore_ascii_case(&kept.email)) {
        return Ok(false);
    }
    match api.take_up(&kept.refresh_token).await {
        Ok(()) => {
            api.remember(remembered.clone())?;
            Ok(true)
        }
        // It has ended: it is forgotten, and the person signs in again.
        Err(ApiError::Refused(problem)) if problem.status == 401 => {
            remembered.forget(api.server())?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn email(arguments: &SignInArguments) -> Result<String, Complaint> {
    if let Some(email) = &arguments.email {
        return Ok(email.clone());
    }
    let asked = if is_interactive() { password::ask("E-mail address: ")? } else { None };
    asked.map(|email| email.trim().to_owned()).filter(|email| !email.is_empty()).ok_or_else(|| {
        Complaint::usage("Say who you are: --email ADDRESS, with the password in SYMPHAINY_PASSWORD, or an API key in SYMPHAINY_API_KEY. `chat` works with --anonymous too.")
    })
}

async fn login_or_register(api: &mut Api, email: &str) -> Result<(), Complaint> {
    let password = password::existing()?;
    match api.login(email, password.clone()).await {
        Ok(()) => Ok(()),
        Err(error) if error.code() == Some(WRONG_PASSWORD) && is_interactive() => {
            eprintln!("{error}");
            offer_to_register(api, email, password, error).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn offer_to_register(api: &mut Api, email: &str, password: Secret, error: ApiError) -> Result<(), Complaint> {
    let answer = password::ask(&format!("Or is it new here? Register {email} with this password? [y/N] "))?;
    if !answer.is_some_and(|answer| answer.trim().eq_ignore_ascii_case("y")) {
        return Err(error.into());
    }
    password::repeated(&password)?;
    let name = password::ask("Your name: ")?.unwrap_or_default();
    Ok(api.register(name.trim(), email, password).await?)
}
