import { randomBytes } from "node:crypto";
import { hashKey } from "./keys.ts";

/** A token as it is made: `plain` leaves in one response, `hash` (SHA-256, hex) is what the database keeps. */
export interface MintedToken {
  plain: string;
  hash: string;
}

/** Makes a token for one act: `mpi_` invites, `mpd_` confirms a deletion; then 32 random bytes in base64url. */
export function mintToken(prefix: "mpi" | "mpd"): MintedToken {
  const plain = `${prefix}_${randomBytes(32).toString("base64url")}`;
  return { plain, hash: hashKey(plain) };
}
