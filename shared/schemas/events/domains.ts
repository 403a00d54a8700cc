import { z } from "zod";
import { id, ShownTime } from "../fields.ts";
import { eventKind } from "./event-kind.ts";

const Domain = z.strictObject({ domain_id: id("dom"), domain: z.string(), checked_at: ShownTime });

const FailedRecord = z.strictObject({
  type: z.string(),
  name: z.string(),
  found: z.string().nullable().describe("what DNS answers; null for nothing"),
  advice: z.string(),
});

const example = {
  domain_id: "dom_01KXYR4T6V8X0Z2B4D6F8H1K3M",
  domain: "example.com",
  checked_at: "2026-11-24T10:00:00.000Z",
};

/** Events of domains that mail is sent from. */
export const domainEvents = {
  "domain.verified": eventKind({
    when: "Every DNS record of a domain checks out.",
    data: Domain,
    example,
  }),
  "domain.failed": eventKind({
    when: "A DNS record of a domain is missing or wrong.",
    data: Domain.extend({ records: z.array(FailedRecord).describe("those that are missing or wrong") }),
    example: {
      ...example,
      records: [{ type: "TXT", name: "example.com", found: null, advice: "Add the SPF record." }],
    },
  }),
};
