import { parseAddress } from "../addresses.ts";
import { verifyStandardWebhook } from "../signature.ts";
import { storableLine } from "../storable-text.ts";
import type { ConnectionSecrets, InboundItem, InboundKind, ProviderEvent, RawRequest } from "./contract.ts";
import { fetchReceivedMail } from "./resend-mail.ts";

type Fields = Record<string, unknown>;

/** Resend's names for what we record. `email.scheduled` is our own doing; contacts and domains are not mail. */
const types = new Map<string, ProviderEvent["type"]>([
  ["email.sent", "sent"],
  ["email.delivered", "delivered"],
  ["email.delivery_delayed", "deferred"],
  ["email.bounced", "bounced"],
  ["email.complained", "complained"],
  ["email.opened", "opened"],
  ["email.clicked", "clicked"],
  ["email.failed", "failed"],
  ["email.suppressed", "suppressed"],
]);

/** Ids come from outside and go into a URL (DESIGN §9). */
const id = /^[A-Za-z0-9_-]{1,128}$/;

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Fields : {};
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === "string");
}

function line(value: unknown): string | undefined {
  const text = typeof value === "string" ? storableLine(value, 1_000) : "";
  return text === "" ? undefined : text;
}

function addresses(value: unknown): string[] {
  return texts(value).slice(0, 100).flatMap((text) => {
    try {
      return [parseAddress(text).email];
    } catch {
      return [];
    }
  });
}

function diagnostics(value: unknown): string[] | undefined {
  const lines = texts(value).slice(0, 10).map((text) => storableLine(text, 1_000));
  return lines.length === 0 ? undefined : lines;
}

/** `message_id` is the Message-ID Resend gave the mail, which is what a reply will cite. */
function detailOf(data: Fields): Fields {
  const [bounce, click, failed] = [fields(data.bounce), fields(data.click), fields(data.failed)];
  const suppressed = fields(data.suppressed);
  const detail = {
    message_id: line(data.message_id),
    bounce_type: line(bounce.type)?.toLowerCase(),
    bounce_reason: line(bounce.subType),
    reason: line(bounce.message) ?? line(failed.reason) ?? line(suppressed.reason),
    diagnostics: diagnostics(bounce.diagnosticCode) ?? diagnostics(suppressed.diagnosticCode),
    link: line(click.link),
    ip: line(click.ipAddress),
    user_agent: line(click.userAgent),
  };
  return Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== undefined));
}

/** The event's own time, else when Resend signed it. */
function timeOf(data: Fields, event: Fields, headers: Record<string, string>): string {
  const signed = Number(headers["svix-timestamp"] ?? headers["webhook-timestamp"]) * 1000;
  for (const value of [fields(data.click).timestamp, event.created_at, signed]) {
    const time = new Date(value as string | number);
    if (value !== undefined && time.getTime() >= 0 && time.getUTCFullYear() <= 9999) {
      return time.toISOString();
    }
  }
  return new Date(0).toISOString();
}

function decode(body: Uint8Array): Fields {
  try {
    return fields(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return {};
  }
}

async function received(
  data: Fields,
  mailId: string,
  { credentials }: ConnectionSecrets,
): Promise<InboundItem[]> {
  const { raw, received_for } = await fetchReceivedMail(mailId, String(credentials.api_key ?? ""));
  const named = [...texts(data.to), ...texts(data.cc), ...texts(data.bcc)];
  const envelope_to = [...new Set(addresses(received_for.length === 0 ? named : received_for))];
  return [{ item: "mail", raw, envelope_from: null, envelope_to }];
}

async function interpret({ headers, body }: RawRequest, secrets: ConnectionSecrets): Promise<InboundItem[]> {
  const event = decode(body);
  const data = fields(event.data);
  const provider_message_id = typeof data.email_id === "string" && id.test(data.email_id)
    ? data.email_id
    : null;
  if (provider_message_id === null) return [];
  if (event.type === "email.received") return await received(data, provider_message_id, secrets);
  const type = types.get(String(event.type));
  if (type === undefined) return [];
  // `to` names everybody; which of them the event concerns is only clear when there is one (resend-python#68).
  const to = texts(data.to);
  const [recipient = null] = to.length === 1 ? addresses(to) : [];
  const occurred_at = timeOf(data, event, headers);
  return [{ item: "event", type, provider_message_id, recipient, occurred_at, detail: detailOf(data) }];
}

/** Resend's webhooks, signed through Svix with the secret Resend shows for the endpoint; `svix-id` names the event. */
export const resend: InboundKind = {
  kind: "resend",
  verify({ headers, body }, { credentials }, now) {
    const secret = credentials.webhook_secret;
    if (typeof secret !== "string" || secret === "") return null;
    const verified = verifyStandardWebhook({ headers, body, secret, now });
    return verified === null ? null : { event_key: verified.id };
  },
  interpret,
};
