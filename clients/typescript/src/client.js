// The client of a Symphainy server: the API's nouns, each with its verbs. What comes back is the API's own JSON.

import { watchExecution } from './events.js';
import { Http } from './http.js';
import { ConversationSocket } from './socket.js';

/** @param {string} id */
const part = (id) => encodeURIComponent(id);

export class Client {
  /** @param {import('./http.js').ClientOptions} [options] */
  constructor(options = {}) {
    const http = new Http(options);
    /** For whatever has no verb of its own here. */
    this.http = http;
    this.WebSocket = options.WebSocket;
    this.auth = auth(http);
    this.sessions = sessions(http);
    this.intents = intents(http);
    this.executions = executions(http);
    this.approvals = approvals(http);
    this.conversations = conversations(http);
    this.artifacts = artifacts(http);
    this.agents = agents(http);
    this.keys = keys(http);
    this.tenants = tenants(http);
    this.tenant = tenant(http);
  }

  /** Who is signed in. @returns {Promise<import('../types/api.js').Me>} */
  me() {
    return this.http.ask('GET', '/api/auth/me');
  }

  /**
   * Opens a conversation. It reconnects by itself until it is closed.
   * @param {string} conversationId
   * @param {import('./socket.js').ConversationOptions} [options]
   */
  converse(conversationId, options = {}) {
    return new ConversationSocket(this.http, conversationId, options, this.WebSocket);
  }
}

/** @param {Http} http */
function auth(http) {
  /** @param {string} path @param {unknown} json @returns {Promise<import('../types/api.js').AuthResponse>} */
  const signIn = async (path, json) => {
    const answer = await http.ask('POST', path, { query: http.signInQuery, json, anonymous: true });
    http.signedIn(answer);
    return answer;
  };
  return {
    /**
     * Where addresses are confirmed first, the answer is the promise of a letter and nobody is signed in.
     * @param {{name: string, email: string, password: string, session_id?: string, invitation?: string}} body
     */
    register: (body) => signIn('/api/auth/register', body),
    /** @param {{email: string, password: string, session_id?: string, code?: string}} body */
    login: (body) => signIn('/api/auth/login', body),
    /** A letter with a link; the answer is the same whether there is such an account. @param {string} email @returns {Promise<import('../types/api.js').LetterPromised>} */
    forgotPassword: (email) => http.ask('POST', '/api/auth/password/forgot', { json: { email }, anonymous: true }),
    /** With the token of that letter. @param {{token: string, new_password: string}} body */
    resetPassword: (body) => http.ask('POST', '/api/auth/password/reset', { json: body, anonymous: true }),
    /** With the token of the letter that asks for it. @param {{token: string}} body */
    confirmEmail: (body) => http.ask('POST', '/api/auth/email/confirm', { json: body, anonymous: true }),
    /** Gets a new access token; it happens by itself where one has run out. */
    refresh: () => http.refresh(),
    /** Where one is signed in, newest first. @returns {Promise<import('../types/api.js').OwnSignIn[]>} */
    signIns: async () => (await http.ask('GET', '/api/auth/sign-ins')).sign_ins,
    /** @param {string} id */
    endSignIn: (id) => http.ask('DELETE', `/api/auth/sign-ins/${part(id)}`),
    /** All but the one that this call uses. */
    endOtherSignIns: () => http.ask('DELETE', '/api/auth/sign-ins'),
    /** All other sign-ins end with it. @param {{current_password: string, new_password: string}} body */
    changePassword: (body) => http.ask('POST', '/api/auth/password', { json: body }),
    /** Whether there is a second factor. @returns {Promise<import('../types/api.js').FactorStanding>} */
    secondFactor: () => http.ask('GET', '/api/auth/second-factor'),
    /** Offers one; it is on when a code of it was confirmed. @param {{password: string}} body @returns {Promise<import('../types/api.js').FactorOffer>} */
    offerSecondFactor: (body) => http.ask('POST', '/api/auth/second-factor', { json: body }),
    /** @param {{code: string}} body @returns {Promise<import('../types/api.js').RecoveryCodes>} */
    confirmSecondFactor: (body) => http.ask('POST', '/api/auth/second-factor/confirm', { json: body }),
    /** @param {{password: string, code: string}} body */
    removeSecondFactor: (body) => http.ask('POST', '/api/auth/second-factor/remove', { json: body }),
    /** @param {{all?: boolean}} [query] */
    async logout(query = {}) {
      await http.ask('POST', '/api/auth/logout', { query });
      http.tokens = null;
      http.onTokens(null);
    },
  };
}

/** @param {Http} http */
function sessions(http) {
  return {
    /** @param {Record<string, unknown>} [metadata] @returns {Promise<import('../types/api.js').Session>} */
    create: (metadata) => http.ask('POST', '/api/session/create', { json: { metadata } }),
    /** @param {Record<string, unknown>} [metadata] @returns {Promise<import('../types/api.js').Session>} */
    createAnonymous: (metadata) =>
      http.ask('POST', '/api/session/create-anonymous', { json: { metadata }, anonymous: true }),
    /** @param {string} id @returns {Promise<import('../types/api.js').Session>} */
    get: (id) => http.ask('GET', `/api/session/${part(id)}`),
    /** Claims an anonymous session. @param {string} id @returns {Promise<import('../types/api.js').Session>} */
    upgrade: (id) => http.ask('PATCH', `/api/session/${part(id)}/upgrade`, { json: {} }),
    /** @param {string} id */
    delete: (id) => http.ask('DELETE', `/api/session/${part(id)}`),
  };
}

/** @param {Http} http */
function intents(http) {
  return {
    /** @returns {Promise<import('../types/api.js').IntentDescriptor[]>} */
    list: async () => (await http.ask('GET', '/api/intents')).intents,
    /**
     * Submits an intent. It is durable once this answers; with a key, a second time is the first.
     * @param {Partial<import('../types/api.js').SubmitIntent> & {intent_type: string, session_id: string}} body
     * @param {{key?: string}} [options]
     * @returns {Promise<import('../types/api.js').Submitted>}
     */
    submit: (body, { key } = {}) =>
      http.ask('POST', '/api/intent/submit', { json: body, headers: key ? { 'idempotency-key': key } : {} }),
  };
}

/** @param {Http} http */
function executions(http) {
  return {
    /** @param {string} id @returns {Promise<import('../types/api.js').Execution>} */
    get: (id) => http.ask('GET', `/api/execution/${part(id)}/status`),
    /**
     * @param {{status?: string, intent_type?: string, session_id?: string, conversation_id?: string, parent?: string,
     *   dead_letters?: boolean, limit?: number, cursor?: string}} [query]
     * @returns {Promise<import('../types/api.js').ExecutionPage>}
     */
    list: (query) => http.ask('GET', '/api/executions', { query }),
    /** Another round of attempts for one that failed for good. @param {string} id @returns {Promise<import('../types/api.js').Execution>} */
    redrive: (id) => http.ask('POST', `/api/execution/${part(id)}/redrive`),
    /** @param {string} id @param {string} [reason] @returns {Promise<import('../types/api.js').Execution>} */
    cancel: (id, reason) => http.ask('POST', `/api/execution/${part(id)}/cancel`, { json: { reason } }),
    /** Its events, from any number on, to its end. @param {string} id @param {{after?: number, signal?: AbortSignal}} [options] */
    watch: (id, options) => watchExecution(http, id, options),
    /**
     * Waits for its end.
     * @param {string} id
     * @param {{signal?: AbortSignal}} [options]
     * @returns {Promise<import('../types/api.js').Execution>}
     */
    async ended(id, options) {
      const events = watchExecution(http, id, options);
      for (let next = await events.next(); !next.done; next = await events.next());
      return http.ask('GET', `/api/execution/${part(id)}/status`);
    },
  };
}

/** @param {Http} http */
function approvals(http) {
  return {
    /** @param {{status?: string, limit?: number, cursor?: string}} [query] @returns {Promise<import('../types/api.js').ApprovalPage>} */
    list: (query) => http.ask('GET', '/api/approvals', { query }),
    /** @param {string} hookId @param {import('../types/api.js').Decision} decision @returns {Promise<import('../types/api.js').Approval>} */
    decide: (hookId, decision) => http.ask('POST', `/api/approvals/${part(hookId)}`, { json: decision }),
  };
}

/** @param {Http} http */
function conversations(http) {
  return {
    /** @param {{search?: string, limit?: number, cursor?: string}} [query] @returns {Promise<import('../types/api.js').ConversationPage>} */
    list: (query) => http.ask('GET', '/api/conversations', { query }),
    /** @param {string} id @param {{limit?: number, before?: string}} [query] @returns {Promise<import('../types/api.js').Conversation>} */
    get: (id, query) => http.ask('GET', `/api/conversations/${part(id)}`, { query }),
    /** @param {string} id @param {string} title @returns {Promise<import('../types/api.js').ConversationSummary>} */
    rename: (id, title) => http.ask('PATCH', `/api/conversations/${part(id)}`, { json: { title } }),
    /**
     * A new conversation with what was said up to an event.
     * @param {string} id
     * @param {number} at
     * @returns {Promise<import('../types/api.js').Forked>}
     */
    fork: (id, at) => http.ask('POST', `/api/conversations/${part(id)}/fork`, { json: { at } }),
    /** Its messages go for good; what was done in it stays. @param {string} id */
    delete: (id) => http.ask('DELETE', `/api/conversations/${part(id)}`),
  };
}

/** @param {Http} http */
function artifacts(http) {
  return {
    /** @param {Partial<import('../types/api.js').ListArtifacts>} [json] @returns {Promise<import('../types/api.js').ArtifactPage>} */
    list: (json = {}) => http.ask('POST', '/api/artifact/list', { json }),
    /** @param {string} id @returns {Promise<import('../types/api.js').Artifact>} */
    get: (id) => http.ask('GET', `/api/artifacts/${part(id)}`),
    /** Its bytes, where it has any. @param {string} id */
    content: (id) => http.send('GET', `/api/artifacts/${part(id)}/content`),
    /** Where a browser downloads it. @param {string} id */
    contentUrl: (id) => `${http.baseUrl}/api/artifacts/${part(id)}/content`,
    /**
     * Uploads a file, and answers once it is taken in.
     * @param {Blob} file
     * @param {{name?: string, sessionId?: string, signal?: AbortSignal}} [options]
     * @returns {Promise<import('../types/api.js').Artifact>}
     */
    upload(file, { name, sessionId, signal } = {}) {
      const form = new FormData();
      if (sessionId) form.append('session_id', sessionId);
      form.append('file', file, name ?? /** @type {File} */ (file).name ?? 'upload');
      return http.ask('POST', '/api/files', { form, signal });
    },
  };
}

/** @param {Http} http */
function agents(http) {
  return {
    /** @returns {Promise<import('../types/api.js').AgentSummary[]>} */
    list: async () => (await http.ask('GET', '/api/agents')).agents,
    /** Who would answer, and with what; nothing is executed. @param {{message: string, surface?: string}} json */
    analyze: (json) => http.ask('POST', '/api/v1/guide-agent/analyze-intent', { json }),
  };
}

/** @param {Http} http */
function keys(http) {
  return {
    /** @returns {Promise<import('../types/api.js').ApiKey[]>} */
    list: async () => (await http.ask('GET', '/api/auth/keys')).keys,
    /**
     * The key is in the answer and nowhere else.
     * @param {{name: string, expires_at?: string, scopes?: string[], intents?: string[], user_id?: string}} body
     * @returns {Promise<import('../types/api.js').CreatedApiKey>}
     */
    create: (body) => http.ask('POST', '/api/auth/keys', { json: body }),
    /** @param {string} id */
    revoke: (id) => http.ask('DELETE', `/api/auth/keys/${part(id)}`),
  };
}

/** @param {Http} http */
function tenants(http) {
  return {
    /** Those that one works in. @returns {Promise<import('../types/api.js').Membership[]>} */
    list: async () => (await http.ask('GET', '/api/tenants')).tenants,
    /** Goes over to another one; the sign-in stays the same. @param {string} to */
    async switch(to) {
      const answer = await http.ask('POST', '/api/tenants/switch', { json: { to } });
      if (http.tokens && answer.access_token) http.signedIn({ ...answer, refresh_token: http.tokens.refresh_token });
      return answer;
    },
    /** Accepts an invitation. @param {string} token @returns {Promise<import('../types/api.js').Membership>} */
    join: (token) => http.ask('POST', '/api/tenants/join', { json: { token } }),
  };
}

/** The present tenant. @param {Http} http */
function tenant(http) {
  return {
    /** @returns {Promise<import('../types/api.js').Member[]>} */
    members: async () => (await http.ask('GET', '/api/tenant/members')).members,
    /** @param {string} userId @param {string} role */
    change: (userId, role) => http.ask('PATCH', `/api/tenant/members/${part(userId)}`, { json: { role } }),
    /** Removes a member, or leaves. @param {string} userId */
    remove: (userId) => http.ask('DELETE', `/api/tenant/members/${part(userId)}`),
    /** @param {string} userId */
    transfer: (userId) => http.ask('POST', '/api/tenant/transfer', { json: { new_owner: userId } }),
    /** @returns {Promise<import('../types/api.js').Invitation[]>} */
    invitations: async () => (await http.ask('GET', '/api/tenant/invitations')).invitations,
    /** The word in the answer is for the invited person. @param {{email: string, role: string}} body @returns {Promise<import('../types/api.js').CreatedInvitation>} */
    invite: (body) => http.ask('POST', '/api/tenant/invitations', { json: body }),
    /** @param {string} id */
    withdraw: (id) => http.ask('DELETE', `/api/tenant/invitations/${part(id)}`),
  };
}
