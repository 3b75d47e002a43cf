// What all pages share: the client, who is signed in, and what other tabs of the browser are told.

import { Client, Problem } from '../../clients/typescript/src/index.js';
import { useEffect, useState } from './html.js';

/** A value that views look at. @template T */
export class Cell {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<(value: T) => void>} */
    this.listeners = new Set();
  }

  /** @param {T} value */
  set(value) {
    this.value = value;
    this.listeners.forEach((listener) => listener(value));
  }

  /** @param {(value: T) => void} listener */
  listen(listener) {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

/** The value of a cell, kept up to date. @template T @param {Cell<T>} cell @returns {T} */
export function useCell(cell) {
  const [value, set] = useState(cell.value);
  useEffect(() => {
    set(cell.value);
    return cell.listen(set);
  }, [cell]);
  return value;
}

/** Who is signed in: `undefined` until that is known, `null` where it is nobody. */
export const me = new Cell(/** @type {any} */ (undefined));

export const client = new Client({ mode: 'cookie', onSignedOut: () => me.value && me.set(null) });

/** How many approvals wait. */
export const waiting = new Cell(0);

/** The newest conversations, for the list beside every page. */
export const recent = new Cell(/** @type {any[] | null} */ (null));

/** Short messages about what was done, for a few seconds. */
export const notices = new Cell(/** @type {{id: number, text: string, tone: string}[]} */ ([]));

const NOTICE_MS = 6_000;
const MAX_RECENT = 30;
let noticeId = 0;

/** @param {string} text @param {'plain' | 'bad'} [tone] */
export function notify(text, tone = 'plain') {
  const id = ++noticeId;
  notices.set([...notices.value.slice(-2), { id, text, tone }]);
  setTimeout(() => notices.set(notices.value.filter((one) => one.id !== id)), NOTICE_MS);
}

/** Says in a notice what went wrong. @param {unknown} error */
export function notifyProblem(error) {
  notify(error instanceof Error ? error.message : 'It did not work. Try again.', 'bad');
}

/** @param {unknown} error @returns {Problem} */
export function asProblem(error) {
  return error instanceof Problem ? error : new Problem({ status: 0, error: 'console', detail: String(error) });
}

export async function loadRecent() {
  const page = await client.conversations.list({ limit: MAX_RECENT });
  recent.set(page.conversations);
}

export async function loadWaiting() {
  const page = await client.approvals.list({ limit: 100 });
  waiting.set(page.approvals.length);
}

/** Something changed that other tabs and other parts of the page show too. @typedef {'account' | 'conversations' | 'approvals' | 'files'} Topic */

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('symphainy') : null;
// Where pages are tested without a browser, the process need not wait for it.
/** @type {any} */ (channel)?.unref?.();
/** @type {Set<(topic: Topic) => void>} */
const topicListeners = new Set();

/** @param {Topic} topic */
export function changed(topic) {
  topicListeners.forEach((listener) => listener(topic));
  channel?.postMessage(topic);
}

if (channel) channel.onmessage = ({ data }) => topicListeners.forEach((listener) => listener(data));

/** @param {Topic} topic @param {() => void} listener */
export function onChanged(topic, listener) {
  /** @param {Topic} told */
  const heard = (told) => told === topic && listener();
  topicListeners.add(heard);
  return () => void topicListeners.delete(heard);
}

/**
 * Loads what a page shows, and again when a topic changes.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} inputs
 * @param {{topic?: Topic}} [options]
 * @returns {{value?: T, problem?: Problem, isLoading: boolean, again: () => void, set: (value: T) => void}}
 */
export function useLoaded(load, inputs, { topic } = {}) {
  const [state, setState] = useState(/** @type {any} */ ({ isLoading: true }));
  const [round, setRound] = useState(0);
  const again = () => setRound((round) => round + 1);
  useEffect(() => {
    const stop = new AbortController();
    setState((/** @type {any} */ before) => ({ ...before, isLoading: true }));
    load(stop.signal).then(
      (value) => !stop.signal.aborted && setState({ value, isLoading: false }),
      (error) => !stop.signal.aborted && setState({ problem: asProblem(error), isLoading: false }),
    );
    return () => stop.abort();
  }, [...inputs, round]);
  useEffect(() => (topic ? onChanged(topic, again) : undefined), [topic]);
  return { ...state, again, set: (value) => setState({ value, isLoading: false }) };
}
