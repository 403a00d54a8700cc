import { z } from "zod";
import { ShownTime } from "./fields.ts";

export const Export = z.object({
  id: z.string(),
  state: z.enum(["running", "ready", "failed"]),
  progress: z.object({
    /** The table being read, then `mail`, `attachments as files`, `manifest` and `done`. */
    stage: z.string(),
    rows: z.number(),
    messages: z.number(),
    attachments: z.number(),
    parts: z.number(),
    size_bytes: z.number(),
  }),
  /** When it is removed; null while it runs. */
  expires_at: ShownTime.nullable(),
  created_at: ShownTime,
});

export const ExportPart = z.object({
  number: z.number(),
  kind: z.enum(["rows", "mail", "attachment", "manifest"]),
  name: z.string(),
  entries: z.number(),
  size_bytes: z.number(),
  sha256: z.string(),
  /** Opens without a credential until `expires_at`; null where the file is gone. */
  url: z.string().nullable(),
  expires_at: ShownTime,
});

/** An export with its parts, once it is ready. */
export const ExportWithParts = Export.extend({
  parts: z.array(ExportPart),
  has_more: z.boolean(),
  next: z.string().nullable(),
});
