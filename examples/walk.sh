#!/usr/bin/env bash
# The walk of the README against the real binary: register, upload, talk, pull the plug in the middle of an answer, and find
# everything again. It needs bash and curl, takes a free port and a folder of its own, and ends with 0 only where every step does
# what the README says.
#
#   examples/walk.sh [BINARY]        default: $SYMPHAINY_BIN, then target/release/symphainy, then target/debug/symphainy
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
orders=$here/examples/data/orders.csv

binary=${1:-${SYMPHAINY_BIN:-}}
for candidate in "$here/target/release/symphainy" "$here/target/debug/symphainy"; do
    if [[ -z $binary && -x $candidate ]]; then binary=$candidate; fi
done
[[ -x $binary ]] || { echo "There is no binary: build it with \`cargo build --release\`, or name it." >&2; exit 64; }
binary=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")

folder=$(mktemp -d)
server=
cleanup() {
    if [[ -n $server ]]; then kill -KILL "$server" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

fail() {
    printf '\nThe walk went wrong: %s\n' "$*" >&2
    if [[ -f log ]]; then printf '\nThe last words of the server:\n' >&2; tail -n 20 log >&2; fi
    exit 1
}

step() { printf '\n== %s\n' "$*"; }

# wait_for WHAT COMMAND…: until the command succeeds, at most 30 seconds.
wait_for() {
    local what=$1
    shift
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    fail "$what did not happen within 30 seconds"
}

# expect WHAT TEXT: the last answer contains the text.
expect() {
    [[ $answer == *"$2"* ]] || fail "$1: there is no \"$2\" in: $answer"
    printf '   ok: %s\n' "$1"
}

# field NAME: the first text of that name in the last answer.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$answer" | head -n 1; }

# start LISTEN: starts the server and waits until it says where it listens.
start() {
    : >screen
    # A pause between the pieces of an answer, so that there is a middle to pull the plug in.
    SYMPHAINY__AGENTS__BUILTIN__PACE=20ms "$binary" serve --listen "$1" >screen 2>>log &
    server=$!
    wait_for "the start" grep -q 'listens on' screen
    url=$(sed -n 's/.*listens on *\(http[^ ]*\).*/\1/p' screen)
    wait_for "readiness" curl --silent --fail --max-time 5 "$url/health/ready"
}

get() { answer=$(curl --silent --show-error --max-time 30 --fail-with-body -H "authorization: Bearer $token" "$url$1") || fail "GET $1: $answer"; }

post() {
    answer=$(curl --silent --show-error --max-time 60 --fail-with-body "$url$1" -H "authorization: Bearer ${token:-none}" \
        -H 'content-type: application/json' -d "$2") || fail "POST $1: $answer"
}

step "Start the server"
start 127.0.0.1:0
cat screen
listen=${url#http://}

step "Register"
answer=$(curl --silent --show-error --max-time 30 "$url/api/auth/register" -H 'content-type: application/json' \
    -d '{"name":"Ada","email":"ada@example.com","password":"a long pass phrase"}')
expect "Ada is registered and signed in" '"success":true'
token=$(field access_token)
session=$(field session_id)
[[ -n $token && -n $session ]] || fail "there is no token in: $answer"

step "Upload a file"
answer=$(curl --silent --show-error --max-time 60 "$url/api/files" -H "authorization: Bearer $token" -F "file=@$orders")
expect "orders.csv is kept" '"lifecycle_state":"ready"'
file=$(field artifact_id)

step "Ask the guide with curl"
post /api/v1/guide-agent/chat "{\"session_id\":\"$session\",\"message\":\"what can I do here?\"}"
expect "the guide says what can be done" 'assess data quality'
post /api/v1/guide-agent/chat "{\"session_id\":\"$session\",\"message\":\"how good is this data?\"}"
rows=$(($(wc -l <"$orders") - 1))
expect "the liaison of insights answers" 'liaison.insights'
expect "the answer is computed from the file" "$rows rows"

step "Talk from a terminal"
export SYMPHAINY_SERVER=$url SYMPHAINY_PASSWORD='a long pass phrase'
answer=$(printf 'how good is this data?\ndelete orders.csv\nn\n' | "$binary" chat --email ada@example.com) || fail "the chat: $answer"
printf '%s\n' "$answer"
expect "the guide hands over" 'handed over to liaison.insights'
expect "the liaison has an intent executed" '✓ assess_data_quality'
expect "what cannot be undone is asked first" 'This needs your approval: delete_file'
expect "and is not done without a yes" '(not approved)'

step "Have one intent executed"
answer=$("$binary" call query_data --email ada@example.com --param file=orders.csv --param sql="SELECT count(*) AS returned FROM data WHERE status = 'returned'" --json) ||
    fail "the call: $answer"
expect "the question is answered" '"status":"completed"'
execution=$(sed -n 's/.*"execution_id":"\(exec_[0-9a-f]*\)".*/\1/p' <<<"$answer" | head -n 1)

step "Pull the plug in the middle of an answer, and start again"
"$binary" chat --email ada@example.com 'what can I do here?' >interrupted 2>&1 &
chat=$!
wait_for "the beginning of the answer" grep -q 'Content' interrupted
if grep -q 'synthesize outcome' interrupted; then fail "the answer was complete before the plug was pulled"; fi
kill -KILL "$server"
wait "$server" 2>/dev/null || true
wait_for "the chat noticing" grep -q 'the connection was lost' interrupted
start "$listen"
wait "$chat" || fail "the chat did not survive: $(cat interrupted)"
answer=$(cat interrupted)
expect "the chat comes back by itself" 'the answer begins again'
expect "and the answer is whole" 'synthesize outcome'

step "Everything is there"
get /api/conversations
expect "the conversations" 'how good is this data?'
get "/api/execution/$execution/status"
expect "the execution" '"status":"completed"'
get "/api/execution/$execution/events"
expect "its events" 'execution.completed'
curl --silent --max-time 30 --fail -H "authorization: Bearer $token" "$url/api/artifacts/$file/content" -o again.csv || fail "the file is gone"
cmp "$orders" again.csv || fail "the file is not the same"
printf '   ok: the file, byte for byte\n'

step "Stop"
kill -TERM "$server"
wait "$server" || fail "the server did not end well"
server=
answer=$("$binary" user list)
expect "the account is on the data folder" 'ada@example.com'

printf '\nThe walk is done: everything was as the README says.\n'
