// Addresses and pages. Links are plain links; a click on one of ours changes the page without loading it anew.

import { useEffect, useState } from './html.js';

/** The pages by the shape of their address. */
const ROUTES = [
  ['start', /^\/$/],
  ['sign-in', /^\/sign-in$/],
  ['letter', /^\/mail\/(reset|verify|invitation)$/],
  ['conversations', /^\/conversations$/],
  ['conversation', /^\/conversations\/([^/]+)$/],
  ['files', /^\/files$/],
  ['file', /^\/files\/([^/]+)$/],
  ['executions', /^\/executions$/],
  ['execution', /^\/executions\/([^/]+)$/],
  ['approvals', /^\/approvals$/],
  ['agents', /^\/agents$/],
  ['settings', /^\/settings$/],
  ['overview', /^\/overview$/],
];

/** @param {{pathname: string, search: string}} [location] @returns {{page: string, id?: string, query: URLSearchParams}} */
export function route({ pathname, search } = globalThis.location) {
  const query = new URLSearchParams(search);
  for (const [page, shape] of ROUTES) {
    const found = /** @type {RegExp} */ (shape).exec(pathname);
    if (found) return { page: String(page), id: found[1] && decodeURIComponent(found[1]), query };
  }
  return { page: 'nowhere', query };
}

const listeners = new Set();
const tell = () => listeners.forEach((listener) => listener());

/** Whether this is another page than the one that was opened. */
export const hasMoved = () => moves > 0;
let moves = 0;

/** Goes to another page. @param {string} path @param {{replace?: boolean}} [options] */
export function go(path, { replace = false } = {}) {
  if (path === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  moves++;
  tell();
}

/** The present route. */
export function useRoute() {
  const [present, set] = useState(() => route());
  useEffect(() => {
    const changed = () => set(route());
    listeners.add(changed);
    addEventListener('popstate', changed);
    return () => {
      listeners.delete(changed);
      removeEventListener('popstate', changed);
    };
  }, []);
  return present;
}

/** Clicks on our own links change the page in place; everything else is the browser's. */
export function takeLinks() {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = /** @type {Element} */ (event.target).closest?.('a[href]');
    if (!link || link.hasAttribute('target') || link.hasAttribute('download')) return;
    const url = new URL(link.getAttribute('href') ?? '', location.href);
    if (url.origin !== location.origin || route(url).page === 'nowhere') return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
