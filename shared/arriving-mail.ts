import { bareId } from "./headers.ts";
import type { ReceivedMail } from "./inbound/contract.ts";
import { type ParsedAttachment, type ParsedMessage, parseMessage } from "./mime-parse.ts";
import { storeBytes, type Tenant } from "./storage.ts";

async function storedAttachment(tenant: Tenant, file: ParsedAttachment, index: number) {
  const { sha256, size_bytes } = await storeBytes(tenant, file.bytes);
  return {
    filename: file.filename ?? `attachment-${index + 1}`,
    content_type: file.content_type,
    content_id: file.content_id,
    size_bytes,
    sha256,
  };
}

/** What a reply cites, in every spelling a provider may have given it. */
function cited({ in_reply_to, references }: ParsedMessage): string[] {
  const ids = [in_reply_to, ...references].filter((id) => id !== null).map(bareId);
  return [...new Set(ids.flatMap((id) => [id, id.split("@")[0] ?? id]))];
}

/** Stores a mail's bytes and its attachments', and returns its facts as finish_inbound takes them. */
export async function storeArrivedMail(tenant: Tenant, mail: ReceivedMail): Promise<Record<string, unknown>> {
  const raw = await storeBytes(tenant, mail.raw);
  const parsed = await parseMessage(mail.raw);
  const attachments: unknown[] = [];
  for (const [index, file] of parsed.attachments.entries()) {
    attachments.push(await storedAttachment(tenant, file, index));
  }
  const named = [...parsed.to, ...parsed.cc].map(({ email }) => email);
  return {
    ...parsed,
    attachments,
    bcc: [],
    cited: cited(parsed),
    message_id: parsed.message_id === null ? null : bareId(parsed.message_id),
    in_reply_to: parsed.in_reply_to === null ? null : bareId(parsed.in_reply_to),
    raw_key: raw.key,
    size_bytes: raw.size_bytes,
    envelope_from: mail.envelope_from,
    // The envelope says where a mail was delivered; To and Cc are only what its author wrote.
    delivered_to: mail.envelope_to.length > 0 ? mail.envelope_to : named,
  };
}
