// @symphainy/client: sign-in, sessions, intents, executions and conversations of a Symphainy server, for browsers and Node.

export { Client } from './client.js';
export { Problem } from './problem.js';
export { ConversationSocket, newId } from './socket.js';
export { Transcript, Turn, approval } from './transcript.js';
export { readEvents } from './events.js';
