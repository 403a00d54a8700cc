import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import PostalMime from "postal-mime";
import { writePrivateFile } from "./private-file.ts";

/** One mail as the SMTP server took it: its envelope, and enough to find it. Sizes are bytes of the raw mail. */
export interface KeptMail {
  id: string;
  from: string;
  to: string[];
  subject: string | null;
  received_at: string;
  size: number;
}

/** Mail the local SMTP server accepted, newest first, kept raw on disk until someone clears it. */
export interface MailStore {
  list(): KeptMail[];
  /** The mail exactly as it came over the wire, or undefined where the id is not one of ours. */
  raw(id: string): Promise<Buffer | undefined>;
  keep(envelope: { from: string; to: string[] }, raw: Buffer, now: Date): Promise<KeptMail>;
  clear(): Promise<void>;
}

/** Opens the mail kept in `folder`. Each mail is `<id>.eml` and, written after it, `<id>.json`. */
export async function openMailStore(folder: string): Promise<MailStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = new Map((await readKept(folder)).map((mail) => [mail.id, mail]));
  const rawFile = (id: string) => join(folder, `${id}.eml`);
  return {
    list: () => [...kept.values()].reverse(),
    raw: async (id) => kept.has(id) ? await readFile(rawFile(id)) : undefined,
    async keep(envelope, raw, now) {
      const mail = await describe(envelope, raw, now);
      await writePrivateFile(rawFile(mail.id), raw);
      await writePrivateFile(join(folder, `${mail.id}.json`), JSON.stringify(mail));
      kept.set(mail.id, mail);
      return mail;
    },
    async clear() {
      kept.clear();
      for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
    },
  };
}

async function readKept(folder: string): Promise<KeptMail[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return texts.map((text) => JSON.parse(text) as KeptMail);
}

async function describe(envelope: { from: string; to: string[] }, raw: Buffer, now: Date): Promise<KeptMail> {
  const received_at = now.toISOString();
  // The time first, so that names sort by arrival.
  const id = `${received_at.replace(/[-:.]/g, "")}-${randomBytes(4).toString("hex")}`;
  const { subject } = await PostalMime.parse(headersOf(raw));
  return { id, ...envelope, subject: subject ?? null, received_at, size: raw.length };
}

function headersOf(raw: Buffer): Buffer {
  const end = raw.indexOf("\r\n\r\n");
  return end < 0 ? raw : raw.subarray(0, end + 4);
}
