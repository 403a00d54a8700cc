import type { Source } from "./evidence.ts";
import type { SecretKind } from "./secret-kinds.ts";

/** A place where a kind of secret may stand in plain all the same, and why. */
export interface AllowedPlace {
  source: Source;
  place: RegExp;
  kind: SecretKind;
  reason: string;
}

/** Every such place; one that nothing needs any more fails a full run. */
export const allowedPlaces: readonly AllowedPlace[] = [
  {
    source: "dump",
    place: /^net\.http_request_queue,/,
    kind: "workers' secret",
    reason: "pg_net takes a request's headers as a row of its queue, and removes the row once it is sent",
  },
];
