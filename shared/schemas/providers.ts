import { z } from "zod";
import { addressFamily } from "../address-ranges.ts";
import { normalHostname } from "../addresses.ts";
import { Environment, ShownTime } from "./fields.ts";

/** The kinds a customer can connect. The built-in sandbox is there without connecting. */
export const ProviderKind = z.enum(["smtp", "resend"]);
export type ProviderKind = z.infer<typeof ProviderKind>;

function secretText(longest: number) {
  return z.string().min(1).max(longest, { abort: true }).regex(
    /^[^\p{Cc}\p{Cs}]*$/u,
    "must not contain control characters",
  );
}

/** Where it may lead is decided at every connection by egress.ts, not by its spelling. */
const Host = z.string().max(255).transform((given, context) => {
  const literal = given.replace(/^\[(.*)\]$/, "$1");
  const host = addressFamily(literal) === null ? normalHostname(given) : literal;
  if (host !== null) return host;
  context.addIssue({ code: "custom", message: "must be a host name or an IP address" });
  return z.NEVER;
});

/** An SMTP account. `secure` is TLS from the first byte; without it STARTTLS is required. */
export const SmtpCredentials = z.strictObject({
  host: Host,
  port: z.int().min(1).max(65_535),
  secure: z.boolean(),
  username: secretText(512).nullable().default(null),
  password: secretText(1_024).nullable().default(null),
}).refine((given) => (given.username === null) === (given.password === null), {
  path: ["password"],
  error: "username and password belong together: give both or neither",
});
export type SmtpCredentials = z.infer<typeof SmtpCredentials>;

/** A Resend account. The webhook secret comes later: Resend shows it once our inbound_url is entered there. */
export const ResendCredentials = z.strictObject({
  // It becomes a header.
  api_key: z.string().regex(/^[!-~]{1,256}$/, "must be 1 to 256 visible ASCII characters"),
  webhook_secret: z.string().regex(
    /^whsec_[A-Za-z0-9+/]{16,200}={0,2}$/,
    "must start with whsec_ and go on in base64",
  )
    .nullable().default(null),
});
export type ResendCredentials = z.infer<typeof ResendCredentials>;

/** What each kind's `credentials` must be. */
export const credentialSchemas = { smtp: SmtpCredentials, resend: ResendCredentials };

const name = z.string().trim().min(1).max(100, { abort: true }).regex(
  /^[^\p{Cc}\p{Cs}]*$/u,
  "must not contain control characters",
);
const common = { name, environment: Environment.optional(), default: z.boolean().optional() };

/** Body of POST providers. */
export const ConnectProvider = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("smtp"), credentials: SmtpCredentials, ...common }),
  z.strictObject({ kind: z.literal("resend"), credentials: ResendCredentials, ...common }),
]);
export type ConnectProvider = z.infer<typeof ConnectProvider>;

/**
 * Body of PATCH providers/<id>. `credentials` replace the stored ones as a whole; which they must be depends on the
 * stored kind, so they are still to be parsed with credentialSchemas.
 */
export const ChangeProvider = z.strictObject({
  name: name.optional(),
  credentials: z.record(z.string(), z.unknown()).optional(),
  default: z.boolean().optional(),
}).refine((given) => Object.values(given).some((value) => value !== undefined), {
  error: "nothing to change",
});
export type ChangeProvider = z.infer<typeof ChangeProvider>;

export const Provider = z.object({
  id: z.string(),
  kind: ProviderKind,
  name: z.string(),
  environment: Environment,
  default: z.boolean(),
  created_at: ShownTime,
});

/** Answer of POST providers: the inbound URL and secret are shown here and nowhere else. */
export const ConnectedProvider = Provider.extend({
  inbound_url: z.url(),
  inbound_secret: z.string().optional(),
});
