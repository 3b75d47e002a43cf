// Made by `cargo xtask client-types` from crates/experience/openapi.json. Change the server's types, not these.

export type AgentId = string;

/** What an agent is for. */
export type AgentKind = "guide" | "liaison" | "specialist";

/** The answer of `GET /api/agents`. */
export interface AgentList {
  agents: AgentSummary[];
}

/** `agent.message`: a person's message to an agent. */
export interface AgentMessage {
  id?: MessageId | null;
  payload: MessagePayload;
}

/** An agent as clients and routing see it. */
export interface AgentSummary {
  agent_id: AgentId;
  description: string;
  /** The intents it may use. */
  intents: string[];
  kind: AgentKind;
  /** The realm it speaks for; the guide speaks for none. */
  realm?: string | null;
  surfaces: Surface[];
  /** What becomes of a message that comes while it still answers, where the message does not say. */
  turn_policy?: TurnPolicy;
}

export interface Analyze {
  message: string;
  session_id?: SessionId | null;
  surface?: string | null;
}

/** An API key, without the key. */
export interface ApiKey {
  created_at: Timestamp;
  expires_at: Timestamp;
  /** How the key begins, to find it again in a configuration. */
  hint: string;
  /** Absent: every intent that its user may submit. */
  intents?: string[] | null;
  key_id: ApiKeyId;
  last_used_at?: Timestamp | null;
  name: string;
  /** Absent: everything that its user may do. */
  scopes?: string[] | null;
  tenant_id: TenantId;
  user_id: UserId;
}

export type ApiKeyId = string;

/** The answer of `GET /api/auth/keys`: those that work, newest first. */
export interface ApiKeyList {
  keys: ApiKey[];
}

/** Something that waits, or waited, for a decision. */
export interface Approval {
  conversation_id?: ConversationId | null;
  created_at: Timestamp;
  decided_at?: Timestamp | null;
  decided_by?: UserId | null;
  execution_id: ExecutionId;
  expires_at: Timestamp;
  hook_id: HookId;
  kind: ApprovalKind;
  proposed: Proposal;
  /** Why it is asked. */
  reason: string;
  rejection_reason?: string | null;
  /** Whose word it takes: somebody of the tenant with this role. Absent: the owner. */
  role?: string | null;
  status: ApprovalStatus;
}

export type ApprovalKind = "review" | "approval";

/** The answer of `GET /api/approvals`. */
export interface ApprovalPage {
  approvals: Approval[];
  next_cursor?: string | null;
}

/** Whether somebody has to agree before the intent is executed. */
export type ApprovalRule = "none" | "owner" | {
  /** Somebody of the owner's tenant who has this role has to agree, such as `admin`; the owner only where they have it too. */
  role: string;
};

export type ApprovalStatus = "pending" | "approved" | "rejected" | "expired" | "withdrawn";

/** Something that an execution made or kept. */
export interface Artifact {
  artifact_id: ArtifactId;
  /** `file`, `parsed_file`, `data_quality`, `profile`, `workflow`, `sop`, `roadmap`, `synthesis`, … */
  artifact_type: string;
  created_at: Timestamp;
  lifecycle_state: LifecycleState;
  materializations: any[];
  parent_artifacts: ArtifactId[];
  produced_by: Provenance;
  /** The same for eyes, by format: `{"markdown": "…", "mermaid": "…", "bpmn": "…"}`. */
  renderings: Record<string, any>;
  /** What it is in words: `{title, media_type?, size_bytes?, …}`. */
  semantic_descriptor: Record<string, any>;
  /** What it says, as data. Empty once it is deleted. */
  semantic_payload: Record<string, any>;
  session_id: SessionId;
  tenant_id?: TenantId | null;
  updated_at: Timestamp;
}

export type ArtifactId = string;

/** The answer of `POST /api/artifact/list`. */
export interface ArtifactPage {
  artifacts: Artifact[];
  limit: number;
  next_cursor?: string | null;
  offset: number;
  total: number;
}

/** What was asked for. */
export type AuditAction = "register" | "sign_in" | "sign_in_by_provider" | "refresh" | "sign_out" | "sign_out_everywhere" | "end_sign_in" | "end_other_sign_ins" | "claim_session" | "change_password" | "offer_factor" | "confirm_factor" | "remove_factor" | "request_reset" | "recover_password" | "request_verification" | "verify_email" | "create_user" | "disable_user" | "enable_user" | "reset_password" | "rotate_keys";

/** One decision. */
export interface AuditEntry {
  action: AuditAction;
  /** The client's address; absent where an operator did it on the data folder. */
  address?: string | null;
  at: Timestamp;
  /** The code of the refusal. */
  code?: string | null;
  outcome: AuditOutcome;
  request_id?: string | null;
  /** What it was about: the id of a sign-in, a session, a key. */
  subject?: string | null;
  tenant_id?: TenantId | null;
  user_id?: UserId | null;
}

/** What came of it. */
export type AuditOutcome = "allowed" | "refused";

/** The answer of `GET /api/audit`: newest first. */
export interface AuditPage {
  next_cursor?: string | null;
  records: AuditRecord[];
}

/** An entry in its place in the chain. */
export type AuditRecord = AuditEntry & {
  /** SHA-256 in hexadecimal, over the hash of the record before, the number and the entry. */
  hash: string;
  /** Counted from 1 without holes, over all tenants. */
  number: number;
};

/** The answer of register, login and refresh. With `?mode=cookie` the tokens travel as cookies and are not in it. */
export interface AuthResponse {
  access_token?: Secret | null;
  csrf_token?: Secret | null;
  /** Seconds until the access token expires. */
  expires_in: number;
  message: string;
  permissions: string[];
  refresh_token?: Secret | null;
  roles: string[];
  session_id: SessionId;
  success: boolean;
  tenant_id: TenantId;
  token_type: string;
  user: User;
  user_id: UserId;
}

/** The body of `POST /api/execution/{id}/cancel`. */
export interface CancelExecution {
  /** Up to 500 characters. */
  reason?: string | null;
}

/** The body of `PATCH /api/tenant/members/{user_id}`. */
export interface ChangeMember {
  /** `admin`, `member` or `viewer`; a tenant gets another owner by a transfer. */
  role: string;
}

/** The body of `POST /api/auth/password`. */
export interface ChangePassword {
  current_password: Secret;
  new_password: Secret;
}

/** The body of `PATCH /api/schedules/{id}`. */
export interface ChangeSchedule {
  /** What passes while it is paused is not missed. */
  paused: boolean;
}

export interface Chat {
  /** 1 to 32,000 characters. */
  message: string;
  session_id: SessionId;
  /** The screen that it comes from. */
  surface?: string | null;
  turn_policy?: TurnPolicy | null;
}

/** What a client can say on the socket. The dialect is chosen for each message by its `type`. */
export type ClientFrame = AgentMessage & {
  type: "agent.message";
} | {
  execution_id: ExecutionId;
  type: "agent.cancel";
} | {
  after?: number;
  conversation_id: ConversationId;
  type: "agent.resume";
} | Decision & {
  hook_id: HookId;
} & {
  type: "approval.respond";
} | {
  access_token: string;
  type: "auth.refresh";
} | {
  type: "ping";
} | LegacyIntent & {
  type: "intent";
} | Decision & {
  hook_id: HookId;
} & {
  type: "safety_response";
};

/** The body of `POST /api/auth/email/confirm`. */
export interface ConfirmEmail {
  /** Out of the letter. */
  token: Secret;
}

/** The body of `POST /api/auth/second-factor/confirm`. */
export interface ConfirmFactor {
  code: Secret;
}

/** The answer of `GET /api/conversations/{id}`: the newest messages, oldest first. */
export type Conversation = ConversationSummary & {
  messages: Message[];
  /** For the messages before these, as `?before=`. */
  next_cursor?: string | null;
};

export type ConversationId = string;

/** The answer of `GET /api/conversations`. */
export interface ConversationPage {
  conversations: ConversationSummary[];
  next_cursor?: string | null;
}

/** A conversation in a list. */
export interface ConversationSummary {
  agent_id?: AgentId | null;
  conversation_id: ConversationId;
  created_at: Timestamp;
  /** The `seq` of its newest event. */
  cursor: number;
  /** The beginning of the first message, or what it was renamed to. */
  title: string;
  updated_at: Timestamp;
}

/** The body of `POST /api/session/create-anonymous`. */
export interface CreateAnonymousSession {
  metadata?: Record<string, any> | null;
}

/** The body of `POST /api/auth/keys`. */
export interface CreateApiKey {
  expires_at?: Timestamp | null;
  /** The intents that it may submit; absent: every one that its user may. */
  intents?: string[] | null;
  /** What it is for, 1 to 100 characters. */
  name: string;
  /** The permissions that it may use, out of those of its user; absent: all of them. */
  scopes?: string[] | null;
  user_id?: UserId | null;
}

/** The body of `POST /api/intent/pending/create`. */
export interface CreatePendingIntent {
  /** What will be wanted then; at most 16 KiB of JSON. It is kept as it is. */
  context?: Record<string, any>;
  intent_id?: IntentId | null;
  intent_type: string;
  session_id?: SessionId | null;
  target_artifact_id: ArtifactId;
  tenant_id?: TenantId | null;
  /** The old client sends it; the user is the credential's. */
  user_id?: string | null;
}

/** The body of `POST /api/schedules`. */
export interface CreateSchedule {
  /** Five fields: minute, hour, day of the month, month, day of the week; `0 9 * * MON-FRI`. */
  cron: string;
  intent_type: string;
  metadata?: Record<string, any>;
  missed_runs?: MissedRuns;
  parameters?: Record<string, any>;
  priority?: Priority;
  session_id: SessionId;
  /** A name of the IANA database, such as `Europe/Berlin`. A time that the clock leaves out is made up for right after; one that comes twice counts once, unless the pattern says every hour. */
  time_zone?: string;
}

/** The body of `POST /api/tenant/service-accounts`. */
export interface CreateServiceAccount {
  /** 1 to 100 characters. */
  name: string;
}

/** The body of `POST /api/session/create`. `tenant_id` and `user_id` are what the old client sends: `""` means anonymous, and anything else has to be the caller's own. */
export interface CreateSession {
  credentials?: SessionCredentials | null;
  execution_contract?: any;
  metadata?: Record<string, any> | null;
  session_id?: string | null;
  tenant_id?: string | null;
  user_id?: string | null;
}

/** The answer of `POST /api/auth/keys`: the only time that the key itself is shown. */
export interface CreatedApiKey {
  api_key: ApiKey;
  /** To be sent as `Authorization: Bearer …`. It is not kept and cannot be shown again. */
  key: Secret;
}

/** The answer of `POST /api/tenant/invitations`: the only time that the token is shown. */
export interface CreatedInvitation {
  invitation: Invitation;
  /** For the invited person; works once, for seven days. */
  token: Secret;
}

/** The body of `POST /api/approvals/{hook_id}`, and the decision in a socket frame. */
export interface Decision {
  approved: boolean;
  /** Merged into the proposed parameters, and validated again, when approved. */
  corrections?: Record<string, any>;
  rejection_reason?: string | null;
  /** `review`, `approval` or `retry`; kept for clients that send it. */
  response_type?: string | null;
}

/** The body of `POST /api/auth/delegate`. */
export interface Delegate {
  /** A service account of the tenant. */
  actor: UserId;
}

/** The answer of `POST /api/auth/delegate`. */
export interface Delegated {
  /** Names both (`sub` and `act`, RFC 8693); for the service account to send. */
  access_token: Secret;
  actor: UserId;
  /** Seconds until it expires. It is not renewed: the person delegates again. */
  expires_in: number;
  token_type: string;
}

/** One event of the journal as clients read it, over REST, SSE and sockets alike. */
export interface Event {
  data: any;
  event_type: EventType;
  execution_id: ExecutionId;
  /** Position in the stream: begins at 1, strictly increasing, no holes. */
  seq: number;
  timestamp: Timestamp;
}

/** The answer of `GET /api/conversations/{id}/events`: events after the cursor, oldest first. An empty page is the end. */
export interface EventPage {
  events: Event[];
}

/** Every kind of event. The words are a promise to clients. */
export type EventType = "execution.accepted" | "execution.merged" | "execution.started" | "execution.step_started" | "execution.step_completed" | "execution.retrying" | "execution.awaiting_approval" | "execution.completed" | "execution.failed" | "execution.cancelled" | "execution.redriven" | "agent.started" | "agent.token" | "agent.tool" | "agent.completed" | "agent.failed" | "agent.cancelled" | "approval.pending" | "approval.decided" | "approval.expired" | "history.removed" | "conversation.forked" | "conversation.message" | "unknown";

/** The answer of `GET /api/execution/{id}/status`. */
export interface Execution {
  /** By key (`file`, `parsed_file`, …): the artifact with its `semantic_payload`, and the payload's fields beside it. */
  artifacts: Record<string, any>;
  /** How often it was begun; 0 while it waits for its first attempt. */
  attempt: number;
  completed_at?: Timestamp | null;
  conversation_id?: ConversationId | null;
  created_at: Timestamp;
  /** One sentence, or null. */
  error?: string | null;
  /** The execution's own events, the newest 1,000. */
  events: Event[];
  execution_id: ExecutionId;
  intent_id: IntentId;
  intent_type: string;
  parent_execution_id?: ExecutionId | null;
  problem?: ExecutionProblem | null;
  /** How often it was driven again after it had failed for good. */
  redrives?: number;
  /** What the handler answered; null until it completed. */
  result: any;
  session_id: SessionId;
  started_at?: Timestamp | null;
  status: ExecutionStatus;
}

export type ExecutionId = string;

/** The answer of `GET /api/executions`. */
export interface ExecutionPage {
  executions: ExecutionSummary[];
  next_cursor?: string | null;
}

/** Why an execution failed or was cancelled. */
export interface ExecutionProblem {
  code: string;
  /** Where in a file, for example `{line, column}`; whatever helps a program. */
  details?: Record<string, any>;
  /** One sentence for a person. */
  message: string;
}

/** Where an execution stands. */
export type ExecutionStatus = "pending" | "running" | "awaiting_approval" | "completed" | "failed" | "cancelled";

/** An execution as `GET /api/executions` lists it: without its events, artifacts and result. */
export interface ExecutionSummary {
  /** How often it was begun; 0 while it waits for its first attempt. */
  attempt: number;
  completed_at?: Timestamp | null;
  conversation_id?: ConversationId | null;
  created_at: Timestamp;
  execution_id: ExecutionId;
  intent_id: IntentId;
  intent_type: string;
  parent_execution_id?: ExecutionId | null;
  problem?: ExecutionProblem | null;
  /** How often it was driven again after it had failed for good. */
  redrives: number;
  session_id: SessionId;
  started_at?: Timestamp | null;
  status: ExecutionStatus;
}

/** What an authenticator is given. */
export interface FactorOffer {
  /** In base32, for typing. */
  secret: Secret;
  /** `otpauth://…`, for a QR code. */
  uri: Secret;
}

/** The answer of `GET /api/auth/second-factor`. */
export interface FactorStanding {
  enrolled: boolean;
  recovery_codes_left: number;
}

/** What is wrong with one field of a body. */
export interface FieldError {
  /** Where it is, as a path: `parameters.limit`. */
  field: string;
  message: string;
}

/** The body of `POST /api/conversations/{id}/fork`. */
export interface ForkConversation {
  /** The `seq` of the last event that counts. */
  at: number;
}

/** The answer of `POST /api/conversations/{id}/fork`. */
export interface Forked {
  at: number;
  /** The new conversation. */
  conversation_id: ConversationId;
  /** The `seq` of its newest event. */
  cursor: number;
  forked_from: ConversationId;
  /** How many messages it begins with: the newest ones before the cursor, at most 1,000. */
  messages: number;
}

/** What the guide says, in the shape that both calls share. */
export interface GuideAnswer {
  /** The approval that the turn waits for; decide it under `/api/approvals/{hook_id}`. */
  approval?: any;
  /** One sentence, or null. */
  error?: string | null;
  /** `{agent_id, intent_type, parameters, confidence, needs_clarification, alternatives}` */
  intent_analysis: any;
  /** What was said; null where nothing was to be said. */
  response?: string | null;
  /** `{agent_id, rule, reason}`: who answered, and why. */
  routing_info: any;
  session_id: SessionId;
  success: boolean;
}

/** What was said with the guide in a session, oldest first. */
export interface GuideHistory {
  conversation_id: ConversationId;
  error?: string | null;
  messages: Message[];
  next_cursor?: string | null;
  session_id: SessionId;
  success: boolean;
}

/** How the server is. */
export interface Health {
  service: string;
  /** Always `healthy`; a server that is not answers with a problem. */
  status: string;
  version: string;
}

export type HookId = string;

/** What can be asked for, as `GET /api/intents` lists it. */
export interface IntentDescriptor {
  approval: ApprovalRule;
  /** One or two sentences; a language model reads them as the tool's description. */
  description: string;
  /** What a person might say who wants this. */
  examples: string[];
  intent_type: string;
  /** JSON Schema (2020-12) of the parameters; of the house's own intents, `additionalProperties` is false. */
  parameters: any;
  realm: string;
}

export type IntentId = string;

/** The answer of `GET /api/intents`. */
export interface IntentList {
  intents: IntentDescriptor[];
}

/** An invitation that nobody has accepted yet. */
export interface Invitation {
  created_at: Timestamp;
  email: string;
  expires_at: Timestamp;
  invitation_id: InvitationId;
  invited_by: UserId;
  role: string;
  tenant_id: TenantId;
}

export type InvitationId = string;

/** The answer of `GET /api/tenant/invitations`, newest first. */
export interface InvitationList {
  invitations: Invitation[];
}

/** The body of `POST /api/tenant/invitations`. */
export interface Invite {
  /** Whose account may accept it. */
  email: string;
  /** `admin`, `member` or `viewer`. */
  role: string;
}

/** The body of `POST /api/tenants/join`. */
export interface JoinTenant {
  /** Of the invitation. */
  token: Secret;
}

/** `intent` of today's front end. Its `session_id` is a conversation's id. */
export interface LegacyIntent {
  agent_type?: string | null;
  intent: string;
  metadata?: Record<string, any>;
  session_id?: ConversationId | null;
}

/** The answer of `POST /api/auth/register` where the address has to be confirmed first, and of whatever sends a letter. It is the same whether there is such an account or not. */
export interface LetterPromised {
  message: string;
  success: boolean;
}

/** Where an artifact is in its life. */
export type LifecycleState = "draft" | "ready" | "archived" | "deleted";

/** The body of `POST /api/artifact/list`. */
export interface ListArtifacts {
  artifact_type?: string | null;
  cursor?: string | null;
  eligible_for?: string | null;
  /** A lifecycle state in any case; `active` means `ready`. */
  lifecycle_state?: string | null;
  /** 1 to 200; 50 when not given. */
  limit?: number | null;
  offset?: number | null;
  session_id?: SessionId | null;
  tenant_id?: TenantId | null;
}

/** The body of `POST /api/intent/pending/list`. */
export interface ListPendingIntents {
  cursor?: string | null;
  /** Also those that were submitted meanwhile. */
  include_submitted?: boolean;
  intent_type?: string | null;
  /** 1 to 200; 50 when not given. */
  limit?: number | null;
  session_id?: SessionId | null;
  target_artifact_id?: ArtifactId | null;
  tenant_id?: TenantId | null;
}

/** The body of `POST /api/auth/login`. */
export interface Login {
  code?: Secret | null;
  email: string;
  password: Secret;
  session_id?: SessionId | null;
}

/** The answer of `GET /api/auth/me`. */
export interface Me {
  actor?: UserId | null;
  api_key?: ApiKey | null;
  permissions: string[];
  roles: string[];
  session: SignInSummary;
  tenant: Tenant;
  user: User;
}

/** Somebody in a tenant. */
export interface Member {
  disabled: boolean;
  /** Empty for a service account. */
  email: string;
  kind: MemberKind;
  name: string;
  role: string;
  user_id: UserId;
}

/** Whether somebody is a person or a program. */
export type MemberKind = "person" | "service_account";

/** The answer of `GET /api/tenant/members`, in the order of joining. */
export interface MemberList {
  members: Member[];
}

/** A tenant that the caller is a member of. */
export interface Membership {
  /** Whether the caller's sign-in is in it now. */
  current: boolean;
  name: string;
  role: string;
  tenant_id: TenantId;
}

/** The answer of `GET /api/tenants`, in the order of joining. */
export interface MembershipList {
  tenants: Membership[];
}

/** One message of a conversation. */
export interface Message {
  agent_id?: AgentId | null;
  content: string;
  created_at: Timestamp;
  execution_id?: ExecutionId | null;
  id: MessageId;
  role: Role;
  /** The event with which it entered the conversation. */
  seq: number;
}

export interface MessageContext {
  conversation_id?: ConversationId | null;
  project_id?: string | null;
  surface?: string | null;
}

export type MessageId = string;

export interface MessagePayload {
  agent_id?: AgentId | null;
  context?: MessageContext;
  /** 1 to 32,000 characters. */
  text: string;
  turn_policy?: TurnPolicy | null;
}

/** What becomes of times that passed while nobody could act on them: the server was down, or its clock jumped. A time that is less than a minute ago is not missed. */
export type MissedRuns = "skip" | "run_once" | "run_all";

/** One of a user's own sign-ins. */
export interface OwnSignIn {
  /** From where it did that. */
  address?: string | null;
  /** What the client called itself (`User-Agent`), the last time that it signed in or refreshed. */
  agent?: string | null;
  created_at: Timestamp;
  /** Whether this very request uses it. */
  current: boolean;
  expires_at: Timestamp;
  session_id: SessionId;
  sign_in_id: SignInId;
  /** When it signed in or refreshed last. */
  used_at: Timestamp;
}

/** The answer of `GET /api/auth/sign-ins`: newest first. */
export interface OwnSignIns {
  sign_ins: OwnSignIn[];
}

/** An intent that waits to be submitted, or what became of it. */
export interface PendingIntent {
  context: Record<string, any>;
  created_at: Timestamp;
  execution_id?: ExecutionId | null;
  intent_id: IntentId;
  intent_type: string;
  /** `pending` until it is submitted, and then how its execution stands. */
  status: ExecutionStatus;
  target_artifact_id: ArtifactId;
  updated_at: Timestamp;
}

/** The answer of `POST /api/intent/pending/list`, newest first. */
export interface PendingIntentList {
  intents: PendingIntent[];
  next_cursor?: string | null;
  total: number;
}

/** How urgent an execution is beside others that wait for the same places. Of seven places that become free, `high` gets four, `normal` two and `low` one; what one of them does not need goes to the others. */
export type Priority = "high" | "normal" | "low";

/** The body of every answer that is not a success (`application/problem+json`). */
export interface Problem {
  /** One sentence for a person that says what to do. */
  detail: string;
  /** The stable code. */
  error: string;
  errors?: FieldError[];
  /** The same as `detail`; older clients read it. */
  message: string;
  request_id: string;
  /** Seconds to wait, with 429 and 503. */
  retry_after?: number | null;
  status: number;
  title: string;
  /** A page about this code: `/docs/errors#<code>`. */
  type: string;
}

/** What would be done. */
export interface Proposal {
  intent_type: string;
  parameters: Record<string, any>;
}

/** Where an artifact came from. */
export interface Provenance {
  execution_id: ExecutionId;
  intent: IntentId;
  intent_type: string;
}

/** For when the authenticator is lost. They are shown once, and each is good once. */
export interface RecoveryCodes {
  recovery_codes: Secret[];
}

/** The body of `POST /api/auth/refresh`. */
export interface Refresh {
  refresh_token?: Secret | null;
}

/** The body of `POST /api/auth/register`. */
export interface Register {
  /** Up to 254 characters (RFC 5321). */
  email: string;
  invitation?: Secret | null;
  /** 1 to 100 characters. */
  name: string;
  password: Secret;
  session_id?: SessionId | null;
}

/** The body of `POST /api/auth/second-factor/remove`. */
export interface RemoveFactor {
  /** Of the authenticator, or a recovery code. */
  code: Secret;
  password: Secret;
}

/** The body of `PATCH /api/conversations/{id}`. */
export interface RenameConversation {
  /** 1 to 200 characters in one line. */
  title: string;
}

/** The body of `POST /api/auth/password/forgot` and `POST /api/auth/email/verify`. */
export interface RequestLetter {
  email: string;
}

/** The body of `POST /api/auth/ticket`. */
export interface RequestTicket {
  session_id?: SessionId | null;
}

/** The body of `POST /api/auth/password/reset`. */
export interface ResetPassword {
  new_password: Secret;
  /** Out of the letter. */
  token: Secret;
}

/** The body of `POST /api/artifact/resolve`. */
export interface ResolveArtifact {
  artifact_id: ArtifactId;
  artifact_type?: string | null;
  session_id?: SessionId | null;
  tenant_id?: TenantId | null;
}

export type Role = "user" | "assistant";

/** A schedule as clients read it. */
export interface Schedule {
  created_at: Timestamp;
  cron: string;
  intent_type: string;
  last_at?: Timestamp | null;
  last_execution_id?: ExecutionId | null;
  /** Why nothing could be submitted the last time; null where it could. */
  last_problem?: string | null;
  metadata: Record<string, any>;
  missed_runs: MissedRuns;
  next_at?: Timestamp | null;
  parameters: Record<string, any>;
  paused: boolean;
  priority: Priority;
  schedule_id: ScheduleId;
  session_id: SessionId;
  time_zone: string;
}

export type ScheduleId = string;

/** The answer of `GET /api/schedules`. */
export interface SchedulePage {
  next_cursor?: string | null;
  schedules: Schedule[];
}

/** A text that is never shown in logs. */
export type Secret = string;

/** A frame of ours that is no event of the journal. */
export type ServerFrame = {
  type: "pong";
} | {
  code: string;
  error: string;
  reply_to?: MessageId | null;
  timestamp: Timestamp;
  type: "error";
};

/** A session: anonymous, or a user's. */
export interface Session {
  created_at: Timestamp;
  expires_at: Timestamp;
  is_anonymous: boolean;
  metadata: Record<string, any>;
  session_id: SessionId;
  /** `{realm_state: {content, insights, journey, outcomes}}` in the answer of `GET /api/session/{id}`. */
  state: Record<string, any>;
  tenant_id?: TenantId | null;
  updated_at: Timestamp;
  user_id?: UserId | null;
}

export interface SessionCredentials {
  email: string;
  password: string;
}

export type SessionId = string;

/** The body of `POST /api/auth/second-factor`. */
export interface ShowPassword {
  password: Secret;
}

export type SignInId = string;

/** The sign-in that the credential belongs to, and the session of work that came with it. */
export interface SignInSummary {
  created_at: Timestamp;
  expires_at: Timestamp;
  session_id: SessionId;
  sign_in_id?: SignInId | null;
}

/** The body of `POST /api/intent/submit`. */
export interface SubmitIntent {
  /** 1 to 128 visible characters. Of the caller's executions with the same key one runs at a time, in the order of their acceptance. */
  concurrency_key?: string | null;
  conversation_id?: ConversationId | null;
  deadline?: Timestamp | null;
  intent_id?: IntentId | null;
  intent_type: string;
  metadata?: Record<string, any>;
  parameters?: Record<string, any>;
  priority?: Priority;
  run_at?: Timestamp | null;
  session_id: SessionId;
  solution_id?: string | null;
  tenant_id?: TenantId | null;
}

/** The answer of `POST /api/intent/submit`: the intent is durable. */
export interface Submitted {
  created_at: Timestamp;
  execution_id: ExecutionId;
  intent_id: IntentId;
  /** Always `accepted`. */
  status: string;
}

/** Which screen a message came from. */
export type Surface = "content_pillar" | "insights_pillar" | "journey_pillar" | "outcomes_pillar" | "general";

/** The body of `POST /api/tenants/switch`. */
export interface SwitchTenant {
  to: TenantId;
}

export interface Tenant {
  created_at: Timestamp;
  id: TenantId;
  name: string;
}

export type TenantId = string;

/** The answer of `POST /api/auth/ticket`. */
export interface Ticket {
  /** Seconds. */
  expires_in: number;
  ticket: Secret;
}

export type Timestamp = string;

/** The body of `POST /api/tenant/transfer`. */
export interface TransferTenant {
  /** A member, who becomes the owner; the caller becomes an admin. */
  new_owner: UserId;
}

/** What becomes of a message that comes while an earlier turn of its conversation has not ended. */
export type TurnPolicy = "queue" | "interrupt" | "merge" | "reject";

/** The body of `PATCH /api/session/{id}/upgrade`; the old client sends ids and metadata along. */
export interface UpgradeSession {
  access_token?: string | null;
  metadata?: Record<string, any> | null;
  tenant_id?: string | null;
  user_id?: string | null;
}

/** The form of an upload, as the OpenAPI document describes it. */
export interface UploadForm {
  /** One file, or several fields of this name. */
  file: number[];
  session_id?: SessionId | null;
}

/** What was taken in: the artifact of one file, or those of several. The fields of its payload stand beside an artifact's own. */
export type Uploaded = Artifact | {
  artifacts: Artifact[];
};

/** A person as they see themselves. */
export interface User {
  avatar_url?: string | null;
  email: string;
  id: UserId;
  name: string;
  permissions: string[];
  roles: string[];
  tenant_id: TenantId;
}

export type UserId = string;
