//! The session cookies: set by a sign-in that asks for them, read by `call.rs`. Those with tokens are HttpOnly, so that no
//! script reads one, and on anything but TLS or the own machine there are none.

use contract::Code;
use http::{HeaderMap, HeaderValue, header};

use crate::{
    Refusal,
    call::{COOKIE, COOKIE_TLS, cookie},
    client::Client,
};

/// The refresh token travels below `/api/auth` only, where it is used.
const REFRESH: &str = "symphainy-refresh";
const REFRESH_TLS: &str = "__Secure-symphainy-refresh";
/// The CSRF token, for scripts of the server's own pages.
const CSRF: &str = "symphainy-csrf";
const CSRF_TLS: &str = "__Host-symphainy-csrf";
/// The seed of a sign-in at an identity provider.
const OIDC: &str = "symphainy-oidc";
const OIDC_TLS: &str = "__Host-symphainy-oidc";
const REFRESH_PATH: &str = "/api/auth";

/// How cookies are written for this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CookieKind {
    Tls,
    /// `http://localhost` and its like.
    Loopback,
}

/// What a sign-in puts into cookies.
pub(super) struct SignInCookies<'tokens> {
    pub(super) access_token: &'tokens str,
    pub(super) access_seconds: u64,
    pub(super) refresh_token: &'tokens str,
    pub(super) refresh_seconds: u64,
    pub(super) csrf_token: &'tokens str,
}

impl CookieKind {
    /// `None` where a cookie would travel in the open.
    pub(super) fn of(client: Client) -> Option<Self> {
        match (client.tls, client.loopback) {
            (true, _) => Some(Self::Tls),
            (false, true) => Some(Self::Loopback),
            (false, false) => None,
        }
    }

    pub(super) fn set(self, headers: &mut HeaderMap, cookies: &SignInCookies<'_>) -> Result<(), Refusal> {
        let SignInCookies { access_token, access_seconds, refresh_token, refresh_seconds, csrf_token } = cookies;
        self.set_access(headers, access_token, *access_seconds)?;
        let refresh_path = format!("{REFRESH_PATH}; HttpOnly; SameSite=Strict");
        self.write(headers, self.refresh(), refresh_token, &refresh_path, *refresh_seconds)?;
        // The one that scripts read, because it opens nothing by itself.
        self.write(headers, self.csrf(), csrf_token, "/; SameSite=Strict", *refresh_seconds)
    }

    /// The access token alone; the refresh token stays what it is.
    pub(super) fn set_access(self, headers: &mut HeaderMap, token: &str, seconds: u64) -> Result<(), Refusal> {
        self.write(headers, self.access(), token, "/; HttpOnly; SameSite=Lax", seconds)
    }

    pub(super) fn clear(self, headers: &mut HeaderMap) -> Result<(), Refusal> {
        let none = SignInCookies {
            access_token: "",
            access_seconds: 0,
            refresh_token: "",
            refresh_seconds: 0,
            csrf_token: "",
        };
        self.set(headers, &none)
    }

    /// What binds a sign-in at a provider to this browser. It comes back with a page of another site's, so that it is not strict.
    pub(super) fn set_oidc(self, headers: &mut HeaderMap, value: &str, seconds: u64) -> Result<(), Refusal> {
        self.write(headers, self.oidc_name(), value, "/; HttpOnly; SameSite=Lax", seconds)
    }

    pub(super) fn oidc(self, headers: &HeaderMap) -> Option<&str> {
        cookie(headers, self.oidc_name())
    }

    fn oidc_name(self) -> &'static str {
        match self {
            Self::Tls => OIDC_TLS,
            Self::Loopback => OIDC,
        }
    }

    /// The refresh token that came along.
    pub(super) fn refresh_token(self, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.refresh()).map(str::to_owned)
    }

    fn access(self) -> &'static str {
        match self {
            Self::Tls => COOKIE_TLS,
            Self::Loopback => COOKIE,
        }
    }

    fn refresh(self) -> &'static str {
        match self {
            Self::Tls => REFRESH_TLS,
            Self::Loopback => REFRESH,
        }
    }

    fn csrf(self) -> &'static str {
        match self {
            Self::Tls => CSRF_TLS,
            Self::Loopback => CSRF,
        }
    }

    fn write(self, headers: &mut HeaderMap, name: &str, value: &str, path: &str, seconds: u64) -> Result<(), Refusal> {
        let secure = match self {
            Self::Tls => "; Secure",
            Self::Loopback => "",
        };
        let text = format!("{name}={value}; Path={path}; Max-Age={seconds}{secure}");
        headers.append(header::SET_COOKIE, HeaderValue::try_from(text).map_err(Refusal::internal)?);
        Ok(())
    }
}

/// The refusal of a cookie that would travel in the open.
pub(super) fn needs_tls() -> Refusal {
    Refusal::new(
        Code::BadRequest,
        "Cookies are set on https or on this machine only. Sign in without `mode=cookie`, or put TLS in front.",
    )
}
