//! Every file of the console, as it lies in `console/` and in `clients/typescript/src/`. A test holds the list against the folders.

use super::ConsoleFile;

macro_rules! console {
    ($path:literal) => {
        ConsoleFile { path: $path, bytes: include_bytes!(concat!("../../../../console/", $path)) }
    };
}

/// The client's files, which the console uses as they are.
macro_rules! client {
    ($name:literal) => {
        ConsoleFile {
            path: concat!("client/", $name),
            bytes: include_bytes!(concat!("../../../../clients/typescript/src/", $name)),
        }
    };
}

pub(super) const FILES: &[ConsoleFile] = &[
    console!("app/artifacts/view.js"),
    console!("app/chart.js"),
    console!("app/conversation/approval.js"),
    console!("app/conversation/composer.js"),
    console!("app/conversation/made.js"),
    console!("app/conversation/page.js"),
    console!("app/conversation/talk.js"),
    console!("app/conversation/timeline.js"),
    console!("app/conversation/turn.js"),
    console!("app/diagram.js"),
    console!("app/format.js"),
    console!("app/html.js"),
    console!("app/icons.js"),
    console!("app/intents.js"),
    console!("app/main.js"),
    console!("app/markdown.js"),
    console!("app/pages/agents.js"),
    console!("app/pages/approvals.js"),
    console!("app/pages/conversations.js"),
    console!("app/pages/execution.js"),
    console!("app/pages/executions.js"),
    console!("app/pages/file.js"),
    console!("app/pages/files.js"),
    console!("app/pages/overview.js"),
    console!("app/pages/settings.js"),
    console!("app/pages/sign-in.js"),
    console!("app/router.js"),
    console!("app/shell.js"),
    console!("app/state.js"),
    console!("app/ui.js"),
    console!("mark.svg"),
    console!("style/base.css"),
    console!("style/conversation.css"),
    console!("style/layout.css"),
    console!("style/pages.css"),
    console!("vendor/hooks.js"),
    console!("vendor/htm.js"),
    console!("vendor/instrument-sans.woff2"),
    console!("vendor/preact.js"),
    client!("backoff.js"),
    client!("client.js"),
    client!("events.js"),
    client!("http.js"),
    client!("index.js"),
    client!("problem.js"),
    client!("socket.js"),
    client!("transcript.js"),
];
