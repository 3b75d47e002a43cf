//! Calls over HTTP, as somebody. An access token that has run out is made new and the call repeated, once.

use std::{path::Path, time::Duration};

use contract::{
    SessionId,
    artifact::Artifact,
    auth::{AuthResponse, Login, Me, Register, RequestTicket, Secret, Ticket},
    problem::Problem,
    session::Session,
};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    multipart::{Form, Part},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::remembered::Remembered;
use crate::exit::{Complaint, Exit};

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How long a server may be silent in an answer. Streams of events have comments more often than that.
const READ_PATIENCE: Duration = Duration::from_secs(60);

/// The longest piece of an answer that is no problem document and is shown all the same, in characters.
const MAX_SHOWN: usize = 200;

/// Who calls.
enum Identity {
    Nobody,
    /// The id of the session is the credential.
    Anonymous(SessionId),
    User(SignedIn),
    /// An API key, which is sent like an access token and never renewed.
    Program {
        key: Secret,
        session_id: SessionId,
        email: String,
    },
}

struct SignedIn {
    session_id: SessionId,
    email: String,
    access_token: Secret,
    refresh_token: Secret,
}

/// A server, and who calls it.
pub(crate) struct Api {
    http: Client,
    /// Without a slash at its end.
    server: String,
    identity: Identity,
    /// Where each new refresh token is kept, if it is.
    remembered: Option<Remembered>,
}

/// Why a call has no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The server said no, and why.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    #[error("{0}")]
    NoAnswer(String),
}

impl ApiError {
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.error),
            Self::NoAnswer(_) => None,
        }
    }

    /// Whether asking again gets the same answer: the server said that it will not.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused(problem) if (400..500).contains(&problem.status) && problem.status != 429)
    }
}

impl From<ApiError> for Complaint {
    fn from(error: ApiError) -> Self {
        match &error {
            ApiError::NoAnswer(sentence) => Self::unavailable(sentence.clone()),
            ApiError::Refused(problem) => {
                let exit = match problem.status {
                    401 | 403 => Exit::NotAllowed,
                    429 | 500.. => Exit::Unavailable,
                    _ => Exit::Data,
                };
                let fields = problem.errors.iter().map(|error| format!("\n  {}: {}", error.field, error.message));
                Self::new(exit, problem.detail.clone() + &fields.collect::<String>())
            }
        }
    }
}

impl Api {
    pub(crate) fn new(server: &str) -> Result<Self, Complaint> {
        let server = server.trim_end_matches('/').to_owned();
        if !server.starts_with("http://") {
            let sentence = format!(
                "{server} is no server that can be called: write http:// and a host, such as http://127.0.0.1:8000. For a server \
                 behind TLS, tunnel to it (ssh -L 8000:127.0.0.1:8000 HOST)."
            );
            return Err(Complaint::usage(sentence));
        }
        let http = Client::builder().connect_timeout(CONNECT_PATIENCE).read_timeout(READ_PATIENCE).no_proxy().build();
        let http = http.map_err(|error| Complaint::internal(format!("No HTTP client can be made ({error}).")))?;
        Ok(Self { http, server, identity: Identity::Nobody, remembered: None })
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// The session of work; there is one from the sign-in on.
    pub(crate) fn session_id(&self) -> Option<&SessionId> {
        match &self.identity {
            Identity::Nobody => None,
            Identity::Anonymous(session_id) => Some(session_id),
            Identity::User(user) => Some(&user.session_id),
            Identity::Program { session_id, .. } => Some(session_id),
        }
    }

    pub(crate) fn email(&self) -> Option<&str> {
        match &self.identity {
            Identity::Nobody | Identity::Anonymous(_) => None,
            Identity::User(user) => Some(&user.email),
            Identity::Program { email, .. } => Some(email),
        }
    }

    pub(crate) async fn begin_anonymous(&mut self) -> Result<(), ApiError> {
        let session: Session = self.call(Method::POST, "/api/session/create-anonymous", Some(&json!({}))).await?;
        self.identity = Identity::Anonymous(session.session_id);
        Ok(())
    }

    pub(crate) async fn login(&mut self, email: &str, password: Secret) -> Result<(), ApiError> {
        let body = Login { email: email.to_owned(), password, session_id: None, code: None };
        let answer = self.call(Method::POST, "/api/auth/login", Some(&body)).await?;
        self.is_now(answer)
    }

    pub(crate) async fn register(&mut self, name: &str, email: &str, password: Secret) -> Result<(), ApiError> {
        let body =
            Register { name: name.to_owned(), email: email.to_owned(), password, session_id: None, invitation: None };
        let answer = self.call(Method::POST, "/api/auth/register", Some(&body)).await?;
        self.is_now(answer)
    }

    /// Works with an API key, in the session that came with it.
    pub(crate) async fn use_key(&mut self, key: Secret) -> Result<(), ApiError> {
        let request = self.http.get(format!("{}/api/auth/me", self.server)).bearer_auth(&key.0);
        let me: Me = read(request.send().await.map_err(|error| self.no_answer(&error))?).await?;
        self.identity = Identity::Program { key, session_id: me.session.session_id, email: me.user.email };
        Ok(())
    }

    /// Goes on with a sign-in of an earlier time.
    pub(crate) async fn take_up(&mut self, refresh_token: &Secret) -> Result<(), ApiError> {
        let body = json!({ "refresh_token": refresh_token });
        let answer = self.call(Method::POST, "/api/auth/refresh", Some(&body)).await?;
        self.is_now(answer)
    }

    /// Keeps the sign-in, now and whenever its token changes.
    pub(crate) fn remember(&mut self, remembered: Remembered) -> Result<(), Complaint> {
        self.remembered = Some(remembered);
        self.keep()
    }

    /// A new access token, and what it is.
    pub(crate) async fn refresh(&mut self) -> Result<Secret, ApiError> {
        let Identity::User(user) = &self.identity else {
            return Err(ApiError::NoAnswer("There is no token to renew.".to_owned()));
        };
        let refresh_token = user.refresh_token.clone();
        Box::pin(self.take_up(&refresh_token)).await?;
        match &self.identity {
            Identity::User(user) => Ok(user.access_token.clone()),
            Identity::Nobody | Identity::Anonymous(_) | Identity::Program { .. } => {
                unreachable!("a refresh signs a user in")
            }
        }
    }

    fn is_now(&mut self, answer: AuthResponse) -> Result<(), ApiError> {
        let (Some(access_token), Some(refresh_token)) = (answer.access_token, answer.refresh_token) else {
            return Err(ApiError::NoAnswer("The server answered without tokens. Is it Symphainy?".to_owned()));
        };
        let user = SignedIn { session_id: answer.session_id, email: answer.user.email, access_token, refresh_token };
        self.identity = Identity::User(user);
        self.keep().map_err(|complaint| ApiError::NoAnswer(complaint.sentence))
    }

    fn keep(&self) -> Result<(), Complaint> {
        match (&self.remembered, &self.identity) {
            (Some(remembered), Identity::User(user)) => remembered.keep(&self.server, &user.email, &user.refresh_token),
            (Some(_), Identity::Nobody | Identity::Anonymous(_) | Identity::Program { .. }) | (None, _) => Ok(()),
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ApiError> {
        self.call(Method::GET, path, None::<&Value>).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&mut self, path: &str, body: &impl Serialize) -> Result<T, ApiError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// A one-time ticket for a socket.
    pub(crate) async fn ticket(&mut self) -> Result<Secret, ApiError> {
        let session_id = match &self.identity {
            Identity::Anonymous(session_id) => Some(session_id.clone()),
            Identity::Nobody | Identity::User(_) | Identity::Program { .. } => None,
        };
        let ticket: Ticket = self.post("/api/auth/ticket", &RequestTicket { session_id }).await?;
        Ok(ticket.ticket)
    }

    /// Uploads one file into the session.
    pub(crate) async fn upload(&mut self, path: &Path) -> Result<Artifact, Complaint> {
        let unreadable = |error| Complaint::new(Exit::Data, format!("{} cannot be read ({error}).", path.display()));
        let bytes = tokio::fs::read(path).await.map_err(unreadable)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let session_id = self.session_id().map(ToString::to_string).unwrap_or_default();
        let form = |request: RequestBuilder| {
            let part = Part::bytes(bytes.clone()).file_name(name.clone());
            request.multipart(Form::new().text("session_id", session_id.clone()).part("file", part))
        };
        let response = self.send(Method::POST, "/api/files", form).await?;
        Ok(read(response).await?)
    }

    /// The events of an execution, as they come.
    pub(crate) async fn events(&mut self, path: &str) -> Result<Response, ApiError> {
        let response = self.send(Method::GET, path, |request| request).await?;
        accepted(response).await
    }

    async fn call<T, B>(&mut self, method: Method, path: &str, body: Option<&B>) -> Result<T, ApiError>
    where
        T: DeserializeOwned,
        B: Serialize,
    {
        let with_body = |request: RequestBuilder| match body {
            Some(body) => request.json(body),
            None => request,
        };
        read(self.send(method, path, with_body).await?).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, ApiError> {
        let url = format!("{}{path}", self.server);
        let response = fill(self.authorized(self.http.request(method.clone(), &url))).send().await;
        let response = response.map_err(|error| self.no_answer(&error))?;
        let is_user = matches!(self.identity, Identity::User(_));
        if response.status() != StatusCode::UNAUTHORIZED || !is_user || path.starts_with("/api/auth/refresh") {
            return Ok(response);
        }
        self.refresh().await?;
        let response = fill(self.authorized(self.http.request(method, &url))).send().await;
        response.map_err(|error| self.no_answer(&error))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.identity {
            Identity::User(user) => request.bearer_auth(&user.access_token.0),
            Identity::Program { key, .. } => request.bearer_auth(&key.0),
            Identity::Nobody | Identity::Anonymous(_) => request,
        }
    }

    fn no_answer(&self, error: &reqwest::Error) -> ApiError {
        let server = &self.server;
        ApiError::NoAnswer(if error.is_connect() {
            format!("Nothing answers at {server}. Start `symphainy serve`, or name another server with --server.")
        } else if error.is_timeout() {
            format!("The server at {server} does not answer in time. Try again.")
        } else {
            format!("The answer of {server} broke off. Try again.")
        })
    }
}

/// The answer, if it is a success.
async fn accepted(response: Response) -> Result<Response, ApiError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    Err(match serde_json::from_str::<Problem>(&text) {
        Ok(problem) => ApiError::Refused(Box::new(problem)),
        Err(_) => {
            let shown: String = text.chars().take(MAX_SHOWN).collect();
            ApiError::NoAnswer(format!("The server answered {status} and not as Symphainy does: {shown}"))
        }
    })
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    let text = accepted(response).await?.text().await;
    let text = text.map_err(|_| ApiError::NoAnswer("The answer broke off. Try again.".to_owned()))?;
    serde_json::from_str(&text).map_err(|error| {
        ApiError::NoAnswer(format!("The server answers in another form than this program knows ({error})."))
    })
}
