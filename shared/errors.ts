import type { RateLimit } from "./rate-limit.ts";

/** One particular of a refusal: where in the body or query, and what is wrong there. */
export interface ErrorDetail {
  path: string;
  message: string;
}

interface Kind {
  status: number;
  sentence: string;
  hint?: string;
}

/** Every refusal there is, once. The code is the contract; the sentence is for people. */
export const errorKinds = {
  invalid_json: { status: 400, sentence: "The body is not a JSON object or array." },
  invalid_cursor: { status: 400, sentence: "The cursor is not one a list gave out." },
  key_misplaced: {
    status: 400,
    sentence: "An API key stands in the URL or in a header other than Authorization.",
    hint: "Send it as Authorization: Bearer, and rotate it: others may have read it.",
  },
  invalid_header: { status: 400, sentence: "A request header has a value that is not allowed." },
  organization_required: {
    status: 400,
    sentence: "This session belongs to no organization, or to several.",
    hint: "Name one in the x-organization-id header; GET organizations lists them.",
  },
  missing_credential: {
    status: 401,
    sentence: "No credential was sent.",
    hint: "Send Authorization: Bearer with an API key, or with a Supabase session token.",
  },
  invalid_credential: { status: 401, sentence: "The credential is not valid." },
  key_in_browser: {
    status: 401,
    sentence: "An API key was sent from a browser.",
    hint: "Keys belong on servers. Browsers send the Supabase session token instead.",
  },
  https_required: {
    status: 403,
    sentence: "Plain HTTP is refused.",
    hint: "Use https, and treat what was sent as read by others.",
  },
  scope_missing: { status: 403, sentence: "The credential lacks a scope this call needs." },
  fence_violated: { status: 403, sentence: "The key is fenced, and this lies outside." },
  role_missing: { status: 403, sentence: "The member's role does not allow this." },
  not_owner_of_all: {
    status: 403,
    sentence: "Only who owns every organization of this installation may have its master key.",
    hint: "Or the operator takes it out, as postgres: mailpipe.take_out_master_key.",
  },
  environment_mismatch: {
    status: 403,
    sentence: "The body names another environment than the caller's.",
    hint: "A key works in its own environment; a session picks one with x-mailpipe-environment.",
  },
  live_required: {
    status: 403,
    sentence: "What concerns the whole organization is not for test keys or the test environment.",
    hint: "Use a live key, or a session without x-mailpipe-environment: test.",
  },
  session_required: {
    status: 403,
    sentence: "Only a signed-in user can do this.",
    hint: "Send a Supabase session token instead of an API key.",
  },
  organization_creation_closed: {
    status: 403,
    sentence: "Organizations are founded by the operator of this project.",
    hint: "As postgres: select mailpipe.create_organization('Name', 'owner@example.com').",
  },
  invitation_for_another: {
    status: 403,
    sentence: "The invitation is for another address.",
    hint: "Sign in as the user who was invited, with the address confirmed.",
  },
  already_pinned: { status: 403, sentence: "The transaction belongs to another tenant." },
  not_found: { status: 404, sentence: "There is no such thing here." },
  method_not_allowed: { status: 405, sentence: "The method is not supported here." },
  idempotency_key_reused: {
    status: 409,
    sentence: "The idempotency key was used with another body.",
    hint: "Use a new key for a new message, the same body for a repeat.",
  },
  event_reused: { status: 409, sentence: "The event was received before with other bytes." },
  key_not_live: {
    status: 409,
    sentence: "The key was revoked, has expired, or is a honey key.",
    hint: "Issue a new key instead.",
  },
  key_rotated: {
    status: 409,
    sentence: "The key has a successor already.",
    hint: "Rotate the successor, or revoke it first and issue a new key.",
  },
  last_way_in: {
    status: 409,
    sentence: "Nobody could manage this organization's keys any more.",
    hint: "Send include_self: true if that is what you want.",
  },
  export_running: {
    status: 409,
    sentence: "An export of this organization is running.",
    hint: "GET export-data/<id> shows how far it is.",
  },
  confirmation_invalid: {
    status: 409,
    sentence: "The confirmation is not one for this deletion, or is over an hour old.",
    hint: "Call delete-data without confirm to see the counts and get a new one.",
  },
  deletion_pending: { status: 409, sentence: "The organization is about to be deleted already." },
  undo_over: { status: 409, sentence: "There is nothing left to undo." },
  invitation_over: {
    status: 409,
    sentence: "The invitation can no longer be accepted.",
    hint: "Ask an admin of the organization for a new one.",
  },
  already_member: { status: 409, sentence: "The user is a member already." },
  already_owner: { status: 409, sentence: "The member is an owner already." },
  last_owner: {
    status: 409,
    sentence: "The organization would be left without an owner.",
    hint: "Make another member owner first: POST members/<id>/transfer.",
  },
  master_key_taken_out: {
    status: 409,
    sentence: "This version of the master key was taken out before.",
    hint: "As postgres: select mailpipe.rotate_master_key(). The new version can be taken out once.",
  },
  rotation_running: {
    status: 409,
    sentence: "The master key is being rotated.",
    hint: "It takes seconds; as postgres, select * from mailpipe.master_key_rotation shows how far it is.",
  },
  too_many_webhooks: {
    status: 409,
    sentence: "There are a hundred endpoints in this environment already.",
    hint: "Remove one that is not needed: DELETE webhooks/<id>.",
  },
  webhook_disabled: {
    status: 409,
    sentence: "The endpoint is disabled.",
    hint: 'Enable it first: PATCH webhooks/<id> with { "enabled": true }.',
  },
  secret_rotating: {
    status: 409,
    sentence: "The secret before the last rotation is still valid.",
    hint:
      "Wait until its overlap is over, or send overlap_seconds: 0, which ends every secret before at once.",
  },
  delivery_under_way: {
    status: 409,
    sentence: "The delivery is being tried right now.",
    hint: "A try takes 15 seconds at most; GET deliveries/<id> shows how it ended.",
  },
  webhook_redacted: {
    status: 409,
    sentence: "A person's address was taken out of the endpoint's URL.",
    hint: "Send the url it is to have together with enabled: true.",
  },
  replay_running: {
    status: 409,
    sentence: "A replay of this endpoint is running.",
    hint: "It goes through 500 deliveries a step; GET deliveries shows them as pending.",
  },
  provider_in_use: { status: 409, sentence: "The provider still has mail to send." },
  mailbox_exists: { status: 409, sentence: "A mailbox with this address exists." },
  payload_too_large: { status: 413, sentence: "The request is larger than this call takes." },
  unsupported_media_type: { status: 415, sentence: "The body's content type is not supported here." },
  invalid_request: { status: 422, sentence: "The request has fields that are not valid." },
  no_provider: {
    status: 422,
    sentence: "No provider is connected to send through.",
    hint: "Connect one with POST providers, or use a test key, which sends to the sandbox.",
  },
  credentials_refused: { status: 422, sentence: "The provider did not accept these credentials." },
  rate_limited: { status: 429, sentence: "The limit of requests is reached." },
  too_many_failures: { status: 429, sentence: "Too many keys that are not valid came from this address." },
  internal: { status: 500, sentence: "Something failed on our side." },
  provider_refused: { status: 502, sentence: "The provider refused the message." },
  database_unavailable: { status: 503, sentence: "The database cannot be reached." },
  storage_unavailable: { status: 503, sentence: "The file storage cannot be reached." },
  auth_unavailable: { status: 503, sentence: "Sessions cannot be checked right now." },
  master_key_missing: { status: 503, sentence: "A master key is missing from the project's Vault." },
  data_key_missing: { status: 503, sentence: "The organization has no data key." },
  outcome_unknown: {
    status: 504,
    sentence: "Whether the provider took the message is not known.",
    hint: "Do not send it again blindly: GET messages/<id> shows what becomes of it.",
  },
} satisfies Record<string, Kind>;

export type ErrorCode = keyof typeof errorKinds;

/** True for a code of the registry; anything else must not reach a caller. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorKinds, code);
}

/** Something failed on our side. The message goes to the log, so it names nothing a caller sent. */
export class Fault extends Error {}

/** What the pipeline knows of a refusal beside what the caller is shown. */
export interface RefusalFacts {
  /** The database refused, so it knows who called. */
  byDatabase?: true;
  /** The key is one of ours and dead. Never shown: to the caller it is as unknown as any other. */
  aboutKey?: true;
  /** The window that refused. */
  rateLimit?: RateLimit;
  /** When to come back, where no window says it. */
  retryAfterSeconds?: number;
}

/** A refusal with its code. Rendered in one place, serve.ts. */
export class ApiError extends Error {
  constructor(
    readonly code: ErrorCode,
    /** One more sentence of particulars, or one entry per wrong field. */
    readonly particulars?: string | ErrorDetail[],
    /** Fields the body carries beside the error: `message_id` of a mail that was stored. */
    readonly extra: Record<string, unknown> = {},
    readonly facts: RefusalFacts = {},
  ) {
    super(code);
  }
}

/** The body of an error answer (DESIGN §14). */
export function renderError(error: ApiError, requestId: string): Record<string, unknown> {
  const kind: Kind = errorKinds[error.code];
  const detail = typeof error.particulars === "string" ? error.particulars : undefined;
  return {
    error: detail === undefined ? kind.sentence : `${kind.sentence.replace(/\.$/, "")}: ${detail}.`,
    code: error.code,
    request_id: requestId,
    ...(Array.isArray(error.particulars) ? { details: error.particulars } : {}),
    ...(kind.hint === undefined ? {} : { hint: kind.hint }),
    docs: "/functions/v1/openapi",
    ...error.extra,
  };
}
