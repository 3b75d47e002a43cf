// How long to wait before the next try.

const FIRST_MS = 400;
const MOST_MS = 15_000;

/** Doubles with each try, and takes a random part of it, so that clients do not come back all at once. */
export class Backoff {
  constructor() {
    this.tries = 0;
  }

  reset() {
    this.tries = 0;
  }

  /** Milliseconds. */
  next() {
    const most = Math.min(MOST_MS, FIRST_MS * 2 ** this.tries++);
    return most / 2 + (Math.random() * most) / 2;
  }
}

/**
 * Waits, or less where the signal says so.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });
}
