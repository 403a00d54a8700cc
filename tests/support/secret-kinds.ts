/** Every kind of secret there is so far. A full run must have seeded each, or the search proves nothing of it. */
export const secretKinds = [
  "API key",
  "provider credential",
  "inbound token",
  "webhook secret",
  "workers' secret",
  "project's secret key",
  "project's signing secret",
  "session",
  "master key",
  "data key",
  "Vault's root key",
  "database password",
  "invitation token",
  "confirmation token",
  "passphrase",
  "webhook header",
] as const;

/** Kinds that come with functions still to be written; they move up once a test seeds one. */
export const laterKinds = [
  "DKIM private key",
] as const;

export type SecretKind = (typeof secretKinds)[number] | (typeof laterKinds)[number] | "Vault secret";

/** One secret and what it is. */
export interface Secret {
  kind: SecretKind;
  text: string;
}

/** What gives a secret away wherever it stands. A mistyped key is one too: most of it is right. */
export const shapes: readonly [SecretKind, RegExp][] = [
  ["API key", /mp_(?:live|test)_[0-9A-Za-z]{20,}/g],
  ["workers' secret", /mpw_[0-9a-f]{20,}/gi],
  ["webhook secret", /whsec_[0-9A-Za-z+/]{20,}={0,2}/g],
  ["project's secret key", /sb_secret_[\w-]{16,}/g],
  ["invitation token", /mpi_[\w-]{20,}/g],
  ["confirmation token", /mpd_[\w-]{20,}/g],
  ["session", /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/g],
  ["DKIM private key", /-----BEGIN (?:RSA )?PRIVATE KEY-----[^-]+-----END (?:RSA )?PRIVATE KEY-----/g],
];

// 32 random bytes in base64url, which is what a connection has.
const inboundPath = /receive-webhook\/\w+\/([\w-]{43})(?![\w-])/g;

const fields: Record<string, SecretKind> = {
  secret: "webhook secret",
  previous_secret: "webhook secret",
  inbound_secret: "webhook secret",
  webhook_secret: "webhook secret",
  passphrase: "passphrase",
  confirm: "confirmation token",
  private_key: "DKIM private key",
};

// Of a provider's credentials everything counts but this: a field a new kind brings is secret until it stands here.
const openCredentials =
  /^(host|port|secure|username|domain|region|topic_arn|access_key_id|webhook_public_key)$/;

/** Everything in a text that has the shape of a secret, and the token of every inbound URL. */
export function shapesIn(text: string): Secret[] {
  const shaped = shapes.flatMap(([kind, shape]) =>
    (text.match(shape) ?? []).map((each) => ({ kind, text: each }))
  );
  const tokens = [...text.matchAll(inboundPath)].map(([, token = ""]) => ({
    kind: "inbound token" as const,
    text: token,
  }));
  return [...shaped, ...tokens];
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

function secretsOfField(name: string, value: unknown, slug: string): Secret[] {
  const all = (kind: SecretKind, within: unknown) => texts(within).map((text) => ({ kind, text }));
  if (name === "headers" && slug === "webhooks") return all("webhook header", value);
  if (name === "credentials" && typeof value === "string") return all("provider credential", value);
  if (name === "credentials" && typeof value === "object" && value !== null) {
    const closed = Object.entries(value).filter(([field]) => !openCredentials.test(field));
    return closed.flatMap(([field, each]) => all(fields[field] ?? "provider credential", each));
  }
  const kind = fields[name];
  return kind !== undefined && typeof value === "string" ? [{ kind, text: value }] : secretsIn(value, slug);
}

/** The secrets in a body that a function is given or answers: by the names of its fields, else by their shape. */
export function secretsIn(value: unknown, slug: string): Secret[] {
  if (typeof value === "string") return shapesIn(value);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => secretsOfField(name, each, slug));
}
