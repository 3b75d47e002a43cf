// An identity provider on loopback: `oidc-provider`, with one person who is always there and always agrees. It says on its standard
// output where it listens. REDIRECT in the environment is where it sends people back to.
import http from "node:http";
import Provider from "oidc-provider";

// Whoever started this reads one line and no more.
console.info = console.warn;

const server = http.createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
    clients: [{
        client_id: "symphainy",
        client_secret: "a secret between us",
        redirect_uris: [process.env.REDIRECT],
        response_types: ["code"],
        grant_types: ["authorization_code"],
    }],
    claims: { openid: ["sub"], email: ["email"], profile: ["name"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["for this test alone"] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, email: "ada@example.org", name: "Ada Lovelace" }),
    }),
    interactions: { url: (_, interaction) => `/agree/${interaction.uid}` },
});

const answer = provider.callback();
server.on("request", async (request, response) => {
    if (!request.url.startsWith("/agree/")) {
        answer(request, response);
        return;
    }
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
        await provider.interactionFinished(request, response, { login: { accountId: "ada" } });
        return;
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
});

console.log(issuer);
