import type { Source } from "./evidence.ts";
import type { SecretKind } from "./secret-kinds.ts";

/** A place where a kind of secret may stand in plain all the same, and why. */
export interface AllowedPlace {
  source: Source;
  place: RegExp;
  kind: SecretKind;
  reason: string;
}

/** Every such place; one that nothing needs any more fails a full run. So far there is none. */
export const allowedPlaces: readonly AllowedPlace[] = [];
