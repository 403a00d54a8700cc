import { Buffer } from "node:buffer";
import { ApiError } from "./errors.ts";
import { sendBounds, type SendMail } from "./schemas/send-mail.ts";
import { sha256Hex, storeBytes, type Tenant } from "./storage.ts";

/** An attachment as the database keeps it. */
export interface AttachmentFacts {
  filename: string;
  content_type: string;
  content_id: string | null;
  size_bytes: number;
  sha256: string;
}

/** An attachment decoded, its facts beside its bytes. */
export interface DecodedAttachment {
  facts: AttachmentFacts;
  bytes: Uint8Array;
}

/** Decodes what the schema has found to be base64. Throws `payload_too_large` above 25 MiB in all. */
export function decodeAttachments(given: SendMail["attachments"]): DecodedAttachment[] {
  const decodedSize = given.reduce((sum, { content }) => sum + Math.floor(content.length / 4) * 3, 0);
  // Up to two bytes of padding each are not content.
  if (decodedSize - 2 * given.length > sendBounds.attachmentBytes) throw tooLarge();
  const decoded = given.map(({ content, ...facts }) => {
    const bytes = Buffer.from(content, "base64") as unknown as Uint8Array;
    return { facts: { ...facts, size_bytes: bytes.byteLength, sha256: sha256Hex(bytes) }, bytes };
  });
  const size = decoded.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (size > sendBounds.attachmentBytes) throw tooLarge();
  return decoded;
}

function tooLarge(): ApiError {
  return new ApiError("payload_too_large", "attachments together take at most 25 MiB, decoded");
}

/** Stores the bytes under their hashes, one after another: memory holds one copy. Throws `storage_unavailable`. */
export async function storeAttachments(tenant: Tenant, decoded: DecodedAttachment[]): Promise<void> {
  for (const { bytes } of decoded) await storeBytes(tenant, bytes);
}
