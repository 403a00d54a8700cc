/** Every scope an API key can hold (DESIGN §7), in the order the documentation lists them. */
export const scopes = [
  "mail:send",
  "mail:read",
  "mail:write",
  "mailboxes:read",
  "mailboxes:write",
  "domains:read",
  "domains:write",
  "providers:read",
  "providers:write",
  "webhooks:read",
  "webhooks:write",
  "keys:read",
  "keys:write",
  "usage:read",
  "data:export",
  "data:delete",
] as const;

export type Scope = (typeof scopes)[number];

/**
 * Who may call a route: data, and the only place that says so. A scope admits a key that holds it and a session
 * whose role grants it; `role` a session of that role or a higher one; `caller` any key or session; `connection` a
 * provider by its token and signature.
 */
export type Access =
  | { scope: Scope }
  | { session: true }
  | { role: "owner" | "admin" | "viewer" }
  | { caller: true }
  | { worker: true }
  | { connection: true }
  | { public: true };
