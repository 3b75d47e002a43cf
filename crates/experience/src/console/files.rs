//! Every file of the console: those of `console/`, and those of `clients/typescript/src/`, which it uses as they are. Their paths
//! are those of the repository, so that one file finds another in a browser as it does on the disk. A test holds the list
//! against the folders.

use super::ConsoleFile;

macro_rules! file {
    ($path:literal) => {
        ConsoleFile { path: $path, bytes: include_bytes!(concat!("../../../../", $path)) }
    };
}

pub(super) const FILES: &[ConsoleFile] = &[
    file!("clients/typescript/src/backoff.js"),
    file!("clients/typescript/src/client.js"),
    file!("clients/typescript/src/events.js"),
    file!("clients/typescript/src/http.js"),
    file!("clients/typescript/src/index.js"),
    file!("clients/typescript/src/problem.js"),
    file!("clients/typescript/src/socket.js"),
    file!("clients/typescript/src/transcript.js"),
    file!("console/app/artifacts/view.js"),
    file!("console/app/chart.js"),
    file!("console/app/conversation/approval.js"),
    file!("console/app/conversation/composer.js"),
    file!("console/app/conversation/made.js"),
    file!("console/app/conversation/page.js"),
    file!("console/app/conversation/talk.js"),
    file!("console/app/conversation/timeline.js"),
    file!("console/app/conversation/turn.js"),
    file!("console/app/diagram.js"),
    file!("console/app/format.js"),
    file!("console/app/html.js"),
    file!("console/app/icons.js"),
    file!("console/app/intents.js"),
    file!("console/app/main.js"),
    file!("console/app/markdown.js"),
    file!("console/app/pages/agents.js"),
    file!("console/app/pages/approvals.js"),
    file!("console/app/pages/conversations.js"),
    file!("console/app/pages/execution.js"),
    file!("console/app/pages/executions.js"),
    file!("console/app/pages/file.js"),
    file!("console/app/pages/files.js"),
    file!("console/app/pages/letter.js"),
    file!("console/app/pages/overview.js"),
    file!("console/app/pages/settings.js"),
    file!("console/app/pages/settings/keys.js"),
    file!("console/app/pages/settings/members.js"),
    file!("console/app/pages/settings/password.js"),
    file!("console/app/pages/settings/second-factor.js"),
    file!("console/app/pages/settings/sign-ins.js"),
    file!("console/app/pages/settings/tenants.js"),
    file!("console/app/pages/sign-in.js"),
    file!("console/app/router.js"),
    file!("console/app/shell.js"),
    file!("console/app/state.js"),
    file!("console/app/ui.js"),
    file!("console/mark.svg"),
    file!("console/style/base.css"),
    file!("console/style/conversation.css"),
    file!("console/style/layout.css"),
    file!("console/style/pages.css"),
    file!("console/vendor/hooks.js"),
    file!("console/vendor/htm.js"),
    file!("console/vendor/instrument-sans.woff2"),
    file!("console/vendor/preact.js"),
];
