import { z } from "zod";

const Party = z.object({ email: z.string(), name: z.string().nullable() });

/** What claim_data_jobs hands to a worker. */
export const DataJobs = z.array(z.object({
  job_id: z.string(),
  fence: z.number(),
  kind: z.enum(["delete_data", "export_data", "replay_deliveries", "rewrap_keys"]),
  organization_id: z.string().nullable(),
  /** Objects to remove before the next step of a deletion. */
  remove: z.array(z.string()),
  /** Raw requests to look for `address` in before it. */
  inspect: z.array(z.object({ id: z.string(), storage_key: z.string() })),
  address: z.string().nullable(),
}));
export type DataJob = z.infer<typeof DataJobs>[number];

/** A message as an export takes it: raw where we have it, else what it is composed of. */
export const ExportedMessage = z.object({
  id: z.string(),
  from: Party,
  to: z.array(Party),
  cc: z.array(Party),
  bcc: z.array(Party),
  reply_to: z.array(Party),
  subject: z.string(),
  text: z.string().nullable(),
  html: z.string().nullable(),
  headers: z.unknown(),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  message_id: z.string(),
  in_reply_to: z.string().nullable(),
  references: z.array(z.string()),
  created_at: z.string(),
  raw_key: z.string().nullable(),
  attachments: z.array(z.object({
    filename: z.string(),
    content_type: z.string(),
    content_id: z.string().nullable(),
    storage_key: z.string(),
  })),
});
export type ExportedMessage = z.infer<typeof ExportedMessage>;

/** What read_export_step hands to a worker. */
export const ExportStep = z.object({
  stage: z.string(),
  number: z.number().optional(),
  lines: z.array(z.string()).optional(),
  messages: z.array(ExportedMessage).optional(),
  manifest: z.unknown().optional(),
  after: z.unknown().optional(),
});
export type ExportStep = z.infer<typeof ExportStep>;

/** How far a step of a data job brought it. */
export const StepDone = z.object({ done: z.boolean() });
