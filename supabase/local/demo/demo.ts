import type { StackFile } from "../stack-file.ts";
import type { Receiver } from "./receiver.ts";
import type { Tell } from "./step.ts";

/** What every part of the demo works with. */
export interface Demo {
  stack: StackFile;
  receiver: Receiver;
  /** Somebody the stack has never written to, so that a run finds its own mail alone. */
  friend: string;
  tell: Tell;
}
