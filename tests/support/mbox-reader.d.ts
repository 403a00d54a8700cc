declare module "mbox-reader" {
  import type { Readable } from "node:stream";

  /** Messages of an mbox file, one by one, as RFC 5322 bytes. */
  export function mboxReader(file: Readable): AsyncGenerator<{ content: Buffer }>;
}
