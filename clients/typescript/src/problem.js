// What went wrong, as the server tells it (RFC 9457), or as the network does.

/** An answer that is no success. `message` is one sentence that can be shown to a person. */
export class Problem extends Error {
  /**
   * @param {Partial<import('../types/api.js').Problem> & {status: number}} body
   * @param {{cause?: unknown}} [options]
   */
  constructor(body, options) {
    super(body.detail || body.title || `The server answered ${body.status}.`, options);
    this.name = 'Problem';
    /** The HTTP status; 0 where there was no answer. */
    this.status = body.status;
    /** The stable code, such as `authentication_failed`. `unreachable` where there was no answer. */
    this.code = body.error ?? 'unknown';
    /** What is wrong with which field. @type {import('../types/api.js').FieldError[]} */
    this.errors = body.errors ?? [];
    /** Finds the request in the server's log. @type {string | undefined} */
    this.requestId = body.request_id;
    /** Seconds to wait before another try. @type {number | undefined} */
    this.retryAfter = body.retry_after ?? undefined;
  }

  /** What is wrong with this field, where anything is. @param {string} field */
  field(field) {
    return this.errors.find((error) => error.field === field)?.message;
  }

  /** There was no answer: no network, or no server. @param {unknown} cause */
  static unreachable(cause) {
    const detail = 'The server cannot be reached. Check the connection; it is tried again.';
    return new Problem({ status: 0, error: 'unreachable', detail }, { cause });
  }

  /** @param {Response} response */
  static async of(response) {
    const body = await response.json().catch(() => ({}));
    return new Problem({ ...body, status: response.status });
  }
}
