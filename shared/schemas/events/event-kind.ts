import type { z } from "zod";

/** One type of event: when it is sent, what its `data` holds, and an example of that. */
export interface EventKind<Data extends z.ZodType = z.ZodType> {
  /** One sentence. */
  when: string;
  data: Data;
  example: z.output<Data>;
}

/** An event kind whose example the compiler holds against its schema. */
export function eventKind<Data extends z.ZodType>(kind: EventKind<Data>): EventKind<Data> {
  return kind;
}
