import { Buffer } from "node:buffer";
import { bracketedId } from "./headers.ts";
import { mboxEntry } from "./mbox.ts";
import { composeMessage } from "./mime-compose.ts";
import type { OutgoingAttachment, OutgoingMessage } from "./providers/contract.ts";
import type { ExportedMessage, ExportStep } from "./schemas/data-jobs.ts";
import { readIfStored, storeBytes } from "./storage.ts";

/** A part as finish_export_step records it. */
export interface StoredPart {
  number: number;
  kind: "rows" | "mail" | "manifest";
  name: string;
  entries: number;
  size_bytes: number;
  sha256: string;
  storage_key: string;
}

/** The bytes of a part before they are stored. */
type Part = Pick<StoredPart, "kind" | "name" | "entries"> & { bytes: Uint8Array };

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function withBytes(message: ExportedMessage): Promise<OutgoingAttachment[]> {
  const files: OutgoingAttachment[] = [];
  for (const { storage_key, ...file } of message.attachments) {
    const bytes = await readIfStored(storage_key);
    if (bytes !== null) files.push({ ...file, bytes });
  }
  return files;
}

/** The mail composed again of what we keep of it. What cannot be a header field any more is left to the rows. */
async function recompose(message: ExportedMessage): Promise<Uint8Array> {
  const { raw_key: _raw, headers, ...fields } = message;
  const message_id = bracketedId(message.message_id) ?? `<${message.id}@export.invalid>`;
  const attachments = await withBytes(message);
  const outgoing: OutgoingMessage = { ...fields, message_id, headers: {}, attachments };
  try {
    return await composeMessage({ ...outgoing, headers: headers as Record<string, string> });
  } catch {
    // Headers as they arrived: composing refuses them.
    return await composeMessage(outgoing);
  }
}

async function mailPart(number: number, messages: ExportedMessage[]): Promise<Part> {
  const entries: string[] = [];
  for (const message of messages) {
    const raw = message.raw_key === null ? null : await readIfStored(message.raw_key);
    entries.push(
      mboxEntry(raw ?? await recompose(message), message.from.email, new Date(message.created_at)),
    );
  }
  // Buffer is a Uint8Array; Deno's check of it, with Node's types, does not know.
  const bytes = Buffer.from(entries.join(""), "latin1") as unknown as Uint8Array;
  const name = `mail/${String(number).padStart(6, "0")}.mbox`;
  return { kind: "mail", name, entries: messages.length, bytes };
}

async function partOf(step: ExportStep): Promise<Part | null> {
  const { stage, number = 0, lines = [], messages = [], manifest } = step;
  if (manifest !== undefined) {
    const bytes = utf8(`${JSON.stringify(manifest, null, 2)}\n`);
    return { kind: "manifest", name: "manifest.json", entries: 1, bytes };
  }
  if (messages.length > 0) return await mailPart(number, messages);
  if (lines.length === 0) return null;
  const name = `rows/${stage}/${String(number).padStart(6, "0")}.ndjson`;
  return { kind: "rows", name, entries: lines.length, bytes: utf8(`${lines.join("\n")}\n`) };
}

/**
 * Makes and stores the part a step is for: rows as NDJSON, mail as mbox, the manifest as JSON. Null where the step has
 * none. The same step gives the same bytes under the same name. Throws `storage_unavailable`.
 */
export async function storePart(organizationId: string, step: ExportStep): Promise<StoredPart | null> {
  const part = await partOf(step);
  if (part === null) return null;
  const { bytes, ...facts } = part;
  const stored = await storeBytes({ organization_id: organizationId, environment: "live" }, bytes);
  return {
    ...facts,
    number: step.number ?? 0,
    size_bytes: stored.size_bytes,
    sha256: stored.sha256,
    storage_key: stored.key,
  };
}
