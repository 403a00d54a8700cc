import { z } from "zod";
import { text } from "./fields.ts";

/** Body of POST take-out-master-key. The passphrase is kept nowhere: without it the answer opens nothing. */
export const TakeOutMasterKey = z.strictObject({ passphrase: text(200).min(16) });

/** Answer of POST take-out-master-key: ASCII armour that `gpg --decrypt` opens with the passphrase. */
export const TakenOutMasterKey = z.object({ version: z.number(), wrapped: z.string() });
