// Restate with two handlers that do nothing: this program starts the server beside itself, serves the handlers to it, and makes
// them known. `PEER_SDK` and `PEER_SERVER` say where the npm packages have put the two, `PEER_DATA` where the data goes.
const { spawn } = require("node:child_process");
const net = require("node:net");

// The SDK is written for Node 22; this is all that it misses in Node 20.
Promise.withResolvers ??= () => {
    let resolve, reject;
    const promise = new Promise((...functions) => ([resolve, reject] = functions));
    return { promise, resolve, reject };
};

process.env.RESTATE_LOGGING ??= "WARN";
const restate = require(process.env.PEER_SDK);

const bench = restate.service({
    name: "Bench",
    handlers: {
        ready: async () => "ready",
        nothing: async () => null,
        twoSteps: async (context) => {
            await context.run("step 1", () => null);
            await context.run("step 2", () => null);
        },
    },
});

async function freePort() {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((ready) => server.once("listening", ready));
    const { port } = server.address();
    await new Promise((closed) => server.close(closed));
    return port;
}

async function main() {
    const [service, admin, fabric] = [await freePort(), await freePort(), await freePort()];
    await restate.serve({ services: [bench], port: service });
    const settings = {
        RESTATE_INGRESS__BIND_ADDRESS: process.env.PEER_LISTEN,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
        RESTATE_BIND_ADDRESS: `127.0.0.1:${fabric}`,
        RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${fabric}`,
        RESTATE_BASE_DIR: process.env.PEER_DATA,
        RESTATE_DISABLE_TELEMETRY: "true",
        RESTATE_LOG_FILTER: "warn",
        DO_NOT_TRACK: "1",
    };
    const server = spawn(process.env.PEER_SERVER, [], { env: { ...process.env, ...settings }, stdio: "inherit" });
    server.on("exit", (code) => process.exit(code ?? 1));
    const body = JSON.stringify({ uri: `http://127.0.0.1:${service}` });
    const headers = { "content-type": "application/json" };
    for (let tries = 0; tries < 600; tries++) {
        const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, { method: "POST", headers, body }).catch(() => null);
        if (answer?.ok) {
            return;
        }
        await new Promise((later) => setTimeout(later, 100));
    }
    throw new Error("the handlers could not be made known to the server");
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
