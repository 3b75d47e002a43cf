// Server-Sent Events over fetch: an execution's events, taken up again by their number after any interruption.

import { Problem } from './problem.js';
import { pause, Backoff } from './backoff.js';

/** What ends an execution, and with it the stream. */
const LAST = new Set(['execution.completed', 'execution.failed', 'execution.cancelled']);

/**
 * Every event of an execution after `after`, once and in order, until its last one. A lost connection is made again; what
 * cannot be mended (it is not there, or not yours) is thrown.
 * @param {import('./http.js').Http} http
 * @param {string} executionId
 * @param {{after?: number, signal?: AbortSignal}} [options]
 * @returns {AsyncGenerator<import('../types/api.js').Event>}
 */
export async function* watchExecution(http, executionId, { after = 0, signal } = {}) {
  const backoff = new Backoff();
  const path = `/api/execution/${encodeURIComponent(executionId)}/events`;
  for (;;) {
    try {
      const headers = { accept: 'text/event-stream' };
      const response = await http.send('GET', path, { query: { after }, headers, signal });
      for await (const { data } of readEvents(response.body)) {
        const event = JSON.parse(data);
        if (event.seq <= after) continue;
        after = event.seq;
        backoff.reset();
        yield event;
        if (event.execution_id === executionId && LAST.has(event.event_type)) return;
      }
    } catch (error) {
      if (signal?.aborted) return;
      const passes = !(error instanceof Problem) || error.status === 0 || error.status === 429 || error.status >= 500;
      if (!passes) throw error;
    }
    await pause(backoff.next(), signal);
    if (signal?.aborted) return;
  }
}

/**
 * The events of a stream, as the standard reads them (HTML, "Server-sent events").
 * @param {ReadableStream<Uint8Array> | null} body
 * @returns {AsyncGenerator<{id: string, data: string}>}
 */
export async function* readEvents(body) {
  if (!body) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let [id, data] = ['', /** @type {string[]} */ ([])];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield { id, data: data.join('\n') };
          data = [];
          continue;
        }
        const colon = line.indexOf(':');
        const field = colon < 0 ? line : line.slice(0, colon);
        const text = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (field === 'data') data.push(text);
        if (field === 'id') id = text;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
