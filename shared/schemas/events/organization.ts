import { z } from "zod";
import { id, ShownTime } from "../fields.ts";
import { ProviderKind } from "../providers.ts";
import { eventKind } from "./event-kind.ts";

/** Events of what an organization has beside mail and keys. Its audit log and exports are told of in live. */
export const organizationEvents = {
  "audit.sealed": eventKind({
    when: "The audit log was sealed; once a day, keep it outside of the database to prove the log by.",
    data: z.strictObject({
      sequence: z.int().describe("the newest sealed range"),
      head: z.string().regex(/^[0-9a-f]{64}$/).describe("its hash, in hex, which `GET audit/verify` takes"),
      lines: z.int().describe("sealed since the event before"),
      sealed_at: ShownTime,
    }),
    example: {
      sequence: 12,
      head: "9f2c4e6a8b0d1f3e5c7a9b1d3f5e7c9a0b2d4f6e8c1a3b5d7f9e1c3a5b7d9f0e",
      lines: 41,
      sealed_at: "2026-11-24T10:00:00.000Z",
    },
  }),
  "provider.paused": eventKind({
    when: "A connected sending account was paused, and its mail waits.",
    data: z.strictObject({
      provider_id: id("prv"),
      kind: ProviderKind,
      name: z.string(),
      reason: z.string().describe("a sentence"),
    }),
    example: {
      provider_id: "prv_01KXYQ1S3V5X7Z9B2D4F6H8K1M",
      kind: "resend",
      name: "Main account",
      reason: "The provider refused the credentials.",
    },
  }),
  "export.ready": eventKind({
    when: "An export is ready to be downloaded.",
    data: z.strictObject({
      export_id: id("exp"),
      parts: z.int(),
      size_bytes: z.int(),
      expires_at: ShownTime.describe("when it is removed"),
    }),
    example: {
      export_id: "exp_01KXYV9M1P3R5T7V9X1Z3B5D7F",
      parts: 31,
      size_bytes: 182044,
      expires_at: "2026-12-01T10:00:00.000Z",
    },
  }),
};
