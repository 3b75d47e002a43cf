// What can be asked for, read once: descriptions for approvals, executions and agents.

import { useEffect, useState } from './html.js';
import { client } from './state.js';

/** @type {Promise<any[]> | null} */
let reading = null;

/** The intents, or nothing until they are read. @returns {any[]} */
export function useIntents() {
  const [intents, set] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    let isGone = false;
    reading ??= client.intents.list();
    reading.then((found) => !isGone && set(found), () => (reading = null));
    return () => void (isGone = true);
  }, []);
  return intents;
}

/** @param {any[]} intents @param {string} name @returns {string | undefined} */
export function describeIntent(intents, name) {
  return intents.find((intent) => intent.intent_type === name)?.description;
}
