import { AsyncLocalStorage } from "node:async_hooks";
import { call } from "../../shared/database.ts";
import { deliverInRounds } from "../../shared/delivery-rounds.ts";
import type { egressFetch } from "../../shared/egress.ts";
import { worker } from "./webhook-trial.ts";

/** How an await goes wrong: the process is gone, or the call fails; before it was made, or after it was done. */
export const fates = ["dead before", "dead after", "failed before", "failed after"] as const;
export type Fate = (typeof fates)[number];

/** Says whether something goes wrong at the `n`-th await, which is of `what`. */
export type Doom = (n: number, what: string) => Fate | null;

/** A wake-up of a worker that something happened to, or nothing. */
export interface Life {
  /** What it awaited, in order. */
  steps: string[];
  /** What happened to it, and where. */
  struck: string | null;
  /** The last rejection, or how many tries were handed in. */
  ended: unknown;
  died: boolean;
}

type Step = <T>(what: string, run: () => Promise<T>) => Promise<T>;

const current = new AsyncLocalStorage<Step>();
const never = new Promise<never>(() => undefined);

/** For vi.mocked(egressFetch): every call of a mortal worker is one of its awaits. */
export function mortally(real: typeof egressFetch): typeof egressFetch {
  return (url, request) => current.getStore()?.("egress", () => real(url, request)) ?? real(url, request);
}

/**
 * One wake-up of a worker. A dead one gets no answer any more and makes no call; what it had begun reaches the other side
 * all the same. Comes back when all of that is over.
 */
export async function live(doom: Doom = () => null): Promise<Life> {
  const life: Life = { steps: [], struck: null, ended: undefined, died: false };
  const begun: Promise<unknown>[] = [];
  let bury = (): void => undefined;
  const death = new Promise<void>((resolve) => (bury = resolve));
  const die = (): Promise<never> => {
    life.died = true;
    bury();
    return never;
  };
  const step: Step = async (what, run) => {
    if (life.died) return never;
    const n = life.steps.push(what);
    const fate = doom(n, what);
    if (fate !== null) life.struck = `${fate} ${what} (${n})`;
    if (fate === "dead before") return die();
    if (fate === "failed before") throw new Error(life.struck ?? "");
    const made = run();
    begun.push(made.catch(() => undefined));
    const answer = await made;
    if (life.died || fate === "dead after") return die();
    if (fate === "failed after") throw new Error(life.struck ?? "");
    return answer;
  };
  const mortalCall: typeof call = (name, args) => step(name, () => call(name, args));
  const lived = current.run(step, () => deliverInRounds(worker, mortalCall))
    .then(({ done }) => (life.ended = done), (fault: unknown) => (life.ended = fault));
  await Promise.race([lived, death]);
  for (let seen = -1; seen !== begun.length;) {
    seen = begun.length;
    await Promise.all(begun);
  }
  return life;
}
