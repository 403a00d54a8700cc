import { z } from "zod";
import { AddressField } from "../addresses.ts";
import { ShownTime, text } from "./fields.ts";

/** What a member may do (DESIGN §7); each role may what those after it may. */
export const Role = z.enum(["owner", "admin", "member", "viewer"]);

export const Member = z.object({
  id: z.string(),
  user_id: z.uuid(),
  /** Auth's address of the user, in lower case. */
  email: z.string().nullable(),
  role: Role,
  created_at: ShownTime,
});

/** Body of PATCH members/{id}. */
export const ChangeMember = z.strictObject({ role: Role });

/** Body of POST invitations. Auth keeps addresses in lower case. */
export const CreateInvitation = z.strictObject({
  email: AddressField.transform((address) => address.email.toLowerCase()),
  role: Role,
});

export const Invitation = z.object({
  id: z.string(),
  email: z.string(),
  role: Role,
  state: z.enum(["open", "accepted", "withdrawn", "expired"]),
  invited_by: z.uuid().nullable(),
  expires_at: ShownTime,
  created_at: ShownTime,
});

/** Answer of POST invitations: the token is in this answer and nowhere else. */
export const CreatedInvitation = Invitation.extend({ token: z.string() });

/** Body of POST invitations/accept. */
export const AcceptInvitation = z.strictObject({ token: text(100) });

/** Answer of POST invitations/accept: the organization joined. */
export const Joined = z.object({ id: z.string(), name: z.string(), role: Role });
