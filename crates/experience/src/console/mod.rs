//! The web console: its pages and files as they go to browsers. They are part of the binary, need no build step, and are
//! packed the first time that somebody asks for them. What the pages do stands in `console/`; they use the same API as
//! everybody else.

mod files;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    sync::{Arc, LazyLock, OnceLock},
};

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{Plane, Refusal};
use files::FILES;

/// The addresses of the console's pages. All of them are the same document; which page it shows is decided in the browser.
const PAGES: [&str; 13] = [
    "/",
    "/sign-in",
    "/mail/{purpose}",
    "/conversations",
    "/conversations/{id}",
    "/files",
    "/files/{id}",
    "/executions",
    "/executions/{id}",
    "/approvals",
    "/agents",
    "/settings",
    "/overview",
];

/// What a page of the console may do: run and show its own files, and talk to its own server. No script or style stands in a page
/// itself, and no text becomes markup (Trusted Types).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; connect-src 'self'; \
     manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'",
);

/// What stands in the document where the build's name belongs.
const BUILD_MARK: &str = "{build}";

/// A file's name changes with its content, so that whoever has it need not ask again.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The document's name stays; a browser asks each time whether it is still the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// The pages, and the files below `/console/{build}/`.
pub(crate) fn routes() -> Router<Arc<Plane>> {
    let pages = PAGES.iter().fold(Router::new(), |router, path| router.route(path, get(page)));
    pages.route("/console/{build}/{*file}", get(file))
}

/// One name for all files together: it changes when any of them does.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    FILES.iter().for_each(|file| (file.path, file.bytes).hash(&mut hasher));
    format!("{:016x}", hasher.finish())
});

/// The document, with the build's name in the addresses of its files.
static DOCUMENT: LazyLock<Packed> = LazyLock::new(|| {
    let html = include_str!("../../../../console/index.html");
    Packed::of(html.replace(BUILD_MARK, &BUILD).into())
});

/// The packed files, in the order of [`FILES`], each from the first time that it is asked for.
static PACKED: [OnceLock<Packed>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];

/// A file of the console.
struct ConsoleFile {
    path: &'static str,
    bytes: &'static [u8],
}

/// A body in both of its forms.
struct Packed {
    plain: Bytes,
    gzip: Bytes,
}

impl Packed {
    fn of(plain: Bytes) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(&plain).and_then(|()| encoder.finish());
        let gzip = packed.expect("writing to memory cannot fail").into();
        Self { plain, gzip }
    }

    /// The form that the client takes. What does not become smaller, such as a font, is sent as it is.
    fn body(&self, headers: &HeaderMap) -> (HeaderMap, Bytes) {
        let mut answer = HeaderMap::new();
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if self.gzip.len() < self.plain.len() && takes_gzip(headers) {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            return (answer, self.gzip.clone());
        }
        (answer, self.plain.clone())
    }
}

/// Whether `Accept-Encoding` names gzip and does not forbid it (RFC 9110 section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let words = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    words.flat_map(|value| value.split(',')).any(|word| {
        let (coding, weight) = word.split_once(';').unwrap_or((word, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight| weight > 0.0)
    })
}

async fn page(headers: HeaderMap) -> Response {
    let tag = HeaderValue::try_from(format!("\"{}\"", *BUILD)).expect("digits are a header value");
    let kept =
        [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, ASK_AGAIN), (header::CONTENT_SECURITY_POLICY, POLICY)];
    if is_known(&headers, &tag) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    let (encoding, body) = DOCUMENT.body(&headers);
    (kept, [(header::CONTENT_TYPE, HTML)], encoding, body).into_response()
}

/// Whether the client has the document already (RFC 9110 section 13.1.2).
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let ours = tag.to_str().unwrap_or_default();
    tags.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == ours)
}

async fn file(Path((build, path)): Path<(String, String)>, headers: HeaderMap) -> Result<Response, Refusal> {
    let index = FILES.iter().position(|file| file.path == path).filter(|_| build == *BUILD);
    let Some(index) = index else { return Err(Refusal::not_found("file of the console")) };
    let packed = PACKED[index].get_or_init(|| Packed::of(Bytes::from_static(FILES[index].bytes)));
    let (encoding, body) = packed.body(&headers);
    let kept = [(header::CONTENT_TYPE, content_type(&path)), (header::CACHE_CONTROL, FOR_EVER)];
    Ok((kept, encoding, body).into_response())
}

fn content_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some(_) | None => "text/plain; charset=utf-8",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepts, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("br", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accepts))]);
            assert_eq!(takes_gzip(&headers), expected, "{accepts:?}");
        }
    }
}
