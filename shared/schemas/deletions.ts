import { z } from "zod";
import { AddressField } from "../addresses.ts";
import { Environment, id, ShownTime, text } from "./fields.ts";

const confirm = text(100).optional();

/**
 * Body of POST delete-data. Without `confirm` nothing is deleted: the answer says how much there is and gives the token
 * to say it again with.
 */
export const DeleteData = z.discriminatedUnion("what", [
  z.strictObject({ what: z.literal("message"), id: id("msg"), confirm }),
  z.strictObject({ what: z.literal("mailbox"), id: id("mbx"), confirm }),
  z.strictObject({
    what: z.literal("person"),
    id: AddressField.transform((address) => address.email.toLowerCase()),
    confirm,
  }),
  z.strictObject({ what: z.literal("organization"), id: id("org"), confirm }),
]);

const Counts = z.record(z.string(), z.number());

/** Answer to a first call: what there is, and the token that confirms it for an hour. */
export const AskedDeletion = z.object({
  id: z.string(),
  confirm: z.string(),
  confirm_until: ShownTime,
  counts: Counts,
});

/** What stays of a deletion: numbers and times, nobody's data. */
export const Receipt = z.object({
  id: z.string(),
  what: z.enum(["message", "mailbox", "person", "organization"]),
  /** Null where it spans both. */
  environment: Environment.nullable(),
  state: z.enum(["waiting", "running", "done", "undone"]),
  /** What there was when it was asked for. */
  counts: Counts,
  /** What went so far, by table, and `objects` of the storage. */
  removed: Counts,
  /** Until then it can be undone. */
  undo_until: ShownTime.nullable(),
  created_at: ShownTime,
  finished_at: ShownTime.nullable(),
  /** What backups still hold. */
  backups: z.string(),
});

/** Answer of POST delete-data: to the first call, or to one that confirms. */
export const DeletionAnswer = z.union([AskedDeletion, z.object({ receipt: Receipt })]);

/** Body of POST delete-data/receipt. */
export const ReceiptRequest = z.strictObject({ confirm: text(100) });
