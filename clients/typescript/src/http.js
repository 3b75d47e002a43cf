// Requests: where they go, what credential travels along, and the refresh of one that has run out.

import { Problem } from './problem.js';

/**
 * @typedef {import('../types/api.js').AuthResponse} AuthResponse
 * @typedef {{access_token: string, refresh_token: string}} Tokens
 * @typedef {{
 *   baseUrl?: string,
 *   mode?: 'cookie' | 'token',
 *   apiKey?: string,
 *   tokens?: Tokens,
 *   onTokens?: (tokens: Tokens | null) => void,
 *   onSignedOut?: () => void,
 *   fetch?: typeof fetch,
 *   WebSocket?: typeof WebSocket,
 * }} ClientOptions
 * @typedef {{query?: Record<string, unknown>, json?: unknown, form?: FormData, headers?: Record<string, string>,
 *   signal?: AbortSignal, plain?: boolean, anonymous?: boolean}} Request
 */

/** A refresh is asked for by one tab at a time; the others find the new cookie. */
const REFRESH_LOCK = 'symphainy-refresh';

/** How long a refresh by another tab counts as one's own, in milliseconds. */
const FRESH_MS = 5_000;

export class Http {
  /** @param {ClientOptions} options */
  constructor(options) {
    const here = globalThis.location?.origin;
    this.baseUrl = (options.baseUrl ?? here ?? 'http://127.0.0.1:8000').replace(/\/+$/, '');
    /** With `cookie`, the browser keeps the tokens where no script reads them. */
    this.mode = options.mode ?? 'token';
    this.apiKey = options.apiKey;
    this.tokens = options.tokens ?? null;
    this.onTokens = options.onTokens ?? (() => {});
    this.onSignedOut = options.onSignedOut ?? (() => {});
    const send = options.fetch ?? globalThis.fetch;
    this.fetch = /** @type {typeof fetch} */ ((input, init) => send(input, init));
    /** @type {Promise<void> | null} The one refresh that is under way. */
    this.refreshing = null;
    this.refreshedAt = 0;
  }

  /** Adds `?mode=cookie` to a sign-in in cookie mode. */
  get signInQuery() {
    return this.mode === 'cookie' ? { mode: 'cookie' } : {};
  }

  /**
   * Asks and answers the body. A credential that has run out is refreshed, once, and the request is sent again.
   * @param {string} method
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<any>}
   */
  async ask(method, path, request = {}) {
    const response = await this.send(method, path, request);
    if (response.status === 204) return null;
    return response.json();
  }

  /**
   * The same, answering the response.
   * @param {string} method
   * @param {string} path
   * @param {Request} [request]
   */
  async send(method, path, request = {}) {
    const begun = Date.now();
    let response = await this.once(method, path, request);
    if (response.status === 401 && !request.anonymous && !this.apiKey) {
      const problem = await Problem.of(response);
      await this.refresh(begun, problem);
      response = await this.once(method, path, request);
    }
    if (!response.ok) throw await Problem.of(response);
    return response;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Request} request
   */
  async once(method, path, { query, json, form, headers, signal, anonymous }) {
    const url = new URL(this.baseUrl + path);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
    }
    /** @type {Record<string, string>} */
    const sent = { accept: 'application/json', ...headers };
    const bearer = anonymous ? undefined : (this.apiKey ?? this.tokens?.access_token);
    if (bearer) sent.authorization = `Bearer ${bearer}`;
    const csrf = this.mode === 'cookie' && method !== 'GET' && !anonymous ? csrfToken() : undefined;
    if (csrf) sent['x-csrf-token'] = csrf;
    if (json !== undefined) sent['content-type'] = 'application/json';
    try {
      const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
      return await this.fetch(url.href, { method, headers: sent, body, signal, credentials: 'same-origin' });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw Problem.unreachable(error);
    }
  }

  /**
   * Gets a new access token. Whoever comes while a refresh is under way waits for that one.
   * @param {number} [failedAt] when the request began that was refused
   * @param {Problem} [reason] why it was refused
   */
  refresh(failedAt = Date.now(), reason) {
    if (this.mode === 'token' && !this.tokens) return Promise.reject(this.ended(reason));
    if (this.refreshedAt > failedAt) return Promise.resolve();
    this.refreshing ??= this.locked(failedAt).finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  /** Other tabs of the browser share the cookie, so that one refresh serves them all. @param {number} failedAt */
  async locked(failedAt) {
    const locks = this.mode === 'cookie' ? globalThis.navigator?.locks : undefined;
    if (!locks) return this.refreshNow();
    await locks.request(REFRESH_LOCK, async () => {
      const other = Number(globalThis.localStorage?.getItem(REFRESH_LOCK) ?? 0);
      if (other > failedAt && Date.now() - other < FRESH_MS) {
        this.refreshedAt = other;
        return;
      }
      await this.refreshNow();
      globalThis.localStorage?.setItem(REFRESH_LOCK, String(this.refreshedAt));
    });
  }

  async refreshNow() {
    const json = this.mode === 'cookie' ? undefined : { refresh_token: this.tokens?.refresh_token };
    const response = await this.once('POST', '/api/auth/refresh', { query: this.signInQuery, json, anonymous: true });
    if (response.status === 401 || response.status === 403) throw this.ended(await Problem.of(response));
    if (!response.ok) throw await Problem.of(response);
    this.signedIn(await response.json());
  }

  /** Keeps the tokens of a sign-in. @param {AuthResponse} answer */
  signedIn(answer) {
    this.refreshedAt = Date.now();
    if (this.mode === 'cookie' || !answer.access_token || !answer.refresh_token) return;
    this.tokens = { access_token: answer.access_token, refresh_token: answer.refresh_token };
    this.onTokens(this.tokens);
  }

  /** Forgets the tokens, and tells whoever wants to know. @param {Problem} [reason] */
  ended(reason) {
    this.tokens = null;
    this.onTokens(null);
    this.onSignedOut();
    return reason ?? new Problem({ status: 401, error: 'authentication_required', detail: 'Sign in first.' });
  }
}

/** The token that a sign-in with cookies left for the scripts of its own pages. */
function csrfToken() {
  const cookies = globalThis.document?.cookie.split('; ') ?? [];
  const found = cookies.find((cookie) => /^(__Host-)?symphainy-csrf=/.test(cookie));
  return found?.slice(found.indexOf('=') + 1);
}
