// A server of tools written with the official TypeScript SDK. It speaks streamable HTTP, and prints its address when it listens.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const MAX_BODY_BYTES = 1 << 20;
const board = [];
const sessions = new Map();

function server() {
  const notes = new McpServer({ name: "notes", version: "1.0.0" });
  notes.registerTool(
    "pin",
    {
      title: "Pin a note to the board",
      description: "Pins a note to the board.",
      inputSchema: { text: z.string().describe("What the note says.") },
    },
    async ({ text }) => {
      board.push(text);
      return { content: [{ type: "text", text: `Note ${board.length} is on the board: ${text}` }] };
    },
  );
  return notes;
}

async function transportOf(request, body) {
  const known = sessions.get(request.headers["mcp-session-id"]);
  if (known || !isInitializeRequest(body)) return known;
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  await server().connect(transport);
  return transport;
}

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new Error("too long");
  }
  return text === "" ? undefined : JSON.parse(text);
}

const listener = createServer(async (request, response) => {
  try {
    const body = await bodyOf(request);
    const transport = await transportOf(request, body);
    if (transport) await transport.handleRequest(request, response, body);
    else response.writeHead(404).end();
  } catch {
    if (!response.headersSent) response.writeHead(400);
    response.end();
  }
});
listener.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${listener.address().port}/mcp`));
