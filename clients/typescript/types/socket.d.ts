// What travels on the agent socket. The frames are those of the API's document; an event carries its type in front.

import type { ClientFrame, Event, ServerFrame } from './api.js';

/** An event of a conversation, as it is told on the socket. */
export type SocketEvent = Event & { type: 'runtime_event' };

/** What the server says. */
export type Incoming = SocketEvent | ServerFrame;

/** What a client says. */
export type Outgoing = ClientFrame;
