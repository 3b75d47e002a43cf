#!/usr/bin/env bash
# Two servers of tools written with the official SDKs, as realms of a house: one in Python on standard input and output, one in
# JavaScript at an address. Each is used in a conversation, with the built-in model. What the SDKs need is installed below target/,
# from PyPI and npm. Where Python or Node is missing, that half is skipped, and said so.
#
#   examples/mcp/try.sh [BINARY]        default: $SYMPHAINY_BIN, then target/release/symphainy, then target/debug/symphainy
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
kept=$root/target/mcp-try

binary=${1:-${SYMPHAINY_BIN:-}}
for candidate in "$root/target/release/symphainy" "$root/target/debug/symphainy"; do
    if [[ -z $binary && -x $candidate ]]; then binary=$candidate; fi
done
[[ -x $binary ]] || { echo "There is no binary: build it with \`cargo build --release\`, or name it." >&2; exit 64; }
binary=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")

folder=$(mktemp -d)
running=()
cleanup() {
    for process in "${running[@]}"; do kill "$process" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap cleanup EXIT

fail() {
    printf '\nIt went wrong: %s\n' "$*" >&2
    if [[ -f $folder/log ]]; then tail -n 20 "$folder/log" >&2; fi
    exit 1
}

step() { printf '\n== %s\n' "$*"; }

# wait_for FILE TEXT: until the file has the text, at most 60 seconds.
wait_for() {
    for _ in $(seq 600); do
        if grep -q "$2" "$1" 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    fail "there is no \"$2\" within 60 seconds"
}

# expect WHAT TEXT: the last answer contains the text.
expect() {
    [[ $answer == *"$2"* ]] || fail "$1: there is no \"$2\" in: $answer"
    printf '   ok: %s\n' "$1"
}

skip() { printf '   SKIPPED: %s\n' "$*"; }

mkdir -p "$kept"
python= notes=

step "The Python SDK"
if python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    python=$kept/python/bin/python
    [[ -x $python ]] || python3 -m venv "$kept/python"
    "$python" -c 'import mcp.server.mcpserver' 2>/dev/null || "$python" -m pip install --quiet --disable-pip-version-check 'mcp>=2,<3'
    "$python" -c 'import importlib.metadata as m; print("   mcp", m.version("mcp"))'
else
    skip "there is no python3 from 3.10 on with venv"
fi

step "The TypeScript SDK"
if command -v npm >/dev/null && node -e 'process.exit(+(process.versions.node.split(".")[0] < 18))' 2>/dev/null; then
    mkdir -p "$kept/node"
    cp "$here/notes.mjs" "$kept/node/"
    [[ -d $kept/node/node_modules/@modelcontextprotocol/sdk ]] ||
        npm install --silent --no-audit --no-fund --prefix "$kept/node" '@modelcontextprotocol/sdk@1' 'zod@3'
    sed -n 's/^ *"version": *"\([^"]*\)".*/   @modelcontextprotocol\/sdk \1/p' "$kept/node/node_modules/@modelcontextprotocol/sdk/package.json"
    node "$kept/node/notes.mjs" >"$folder/notes" 2>>"$folder/log" &
    running+=($!)
    wait_for "$folder/notes" 'http://'
    notes=$(head -n 1 "$folder/notes")
else
    skip "there is no node from 18 on with npm"
fi

[[ -n $python$notes ]] || { skip "neither is there, so nothing was tried"; exit 0; }

step "A house with these servers"
{
    if [[ -n $python ]]; then
        printf '[mcp.stock]\ncommand = "%s"\nargs = ["%s"]\nstart_timeout = "60s"\n\n' "$python" "$here/stock.py"
    fi
    if [[ -n $notes ]]; then printf '[mcp.notes]\nurl = "%s"\nstart_timeout = "60s"\n' "$notes"; fi
} >"$folder/symphainy.toml"
cat "$folder/symphainy.toml"
cd "$folder"
"$binary" serve --listen 127.0.0.1:0 >screen 2>>log &
running+=($!)
wait_for screen 'listens on'
wait_for screen 'Ctrl-C'
answer=$(<screen)
grep 'tools of' screen || true
url=$(sed -n 's/.*listens on *\(http[^ ]*\).*/\1/p' screen)
curl --silent --show-error --max-time 30 --fail-with-body "$url/api/auth/register" -H 'content-type: application/json' \
    -d '{"name":"Ada","email":"ada@example.com","password":"a long pass phrase"}' >registered || fail "$(<registered)"
export SYMPHAINY_SERVER=$url SYMPHAINY_PASSWORD='a long pass phrase'

if [[ -n $python ]]; then
    expect "the house has the tool of the Python server" 'stock (1 tool)'
    step "Ask what only the Python server knows"
    answer=$(printf 'how many pens are in stock?\n' | "$binary" chat --email ada@example.com) || fail "the chat: $answer"
    printf '%s\n' "$answer"
    expect "the guide hands over" 'handed over to liaison.stock'
    expect "the server answers" 'There are 12 pens in stock.'
    step "What the Python server refuses is told"
    answer=$("$binary" call stock_count --email ada@example.com --param question=spoons 2>&1) && fail "it was not refused: $answer"
    expect "in its words" "There is no such product."
fi
if [[ -n $notes ]]; then
    answer=$(<screen)
    expect "the house has the tool of the JavaScript server" 'notes (1 tool)'
    step "Have the JavaScript server do something: it is asked first"
    answer=$(printf 'pin a note to the board\nBuy more cups.\ny\n' | "$binary" chat --email ada@example.com) || fail "the chat: $answer"
    printf '%s\n' "$answer"
    expect "what changes something needs a yes" 'This needs your approval: notes_pin'
    expect "and is done with one" 'Note 1 is on the board: Buy more cups.'
fi
printf '\nAll of it went as it should.\n'
