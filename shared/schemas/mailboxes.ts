import { z } from "zod";
import { AddressField } from "../addresses.ts";
import { Environment, Name, ShownTime } from "./fields.ts";

/** Body of POST mailboxes. */
export const CreateMailbox = z.strictObject({
  address: AddressField.transform((address) => address.email),
  display_name: Name.nullish(),
  forward_to_webhook: z.boolean().optional(),
});

/** Body of PATCH mailboxes/<id>. */
export const ChangeMailbox = z.strictObject({
  display_name: Name.nullish(),
  forward_to_webhook: z.boolean().optional(),
}).refine((given) => Object.values(given).some((value) => value !== undefined), {
  error: "nothing to change",
});

export const Mailbox = z.object({
  id: z.string(),
  address: z.string(),
  display_name: z.string().nullable(),
  forward_to_webhook: z.boolean(),
  environment: Environment,
  created_at: ShownTime,
});
