import { median } from "./quantiles.ts";

/** One call on its way; `turn` counts up, and no two calls of a measurement have the same. */
export type Call = (turn: number) => Promise<unknown>;

/** What is measured against each other: how many calls a round, and the call. */
export type Contenders<Name extends string> = Record<Name, { calls: number; call: Call }>;

/** Connections of a pool that measures, each with one call under way. */
export const inFlight = 8;

/** Makes `calls` calls, `lanes` at a time, and resolves to how many a second that was. */
export async function perSecond(
  calls: number,
  call: Call,
  { from = 0, lanes = inFlight }: { from?: number; lanes?: number } = {},
): Promise<number> {
  const started = performance.now();
  let turn = 0;
  const lane = async () => {
    while (turn < calls) await call(from + turn++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return calls / (performance.now() - started) * 1000;
}

/** Runs a round of each contender that is not counted: connections open, statements are prepared, code compiles. */
export async function warm<Name extends string>(contenders: Contenders<Name>): Promise<void> {
  for (const { calls, call } of Object.values<Contenders<Name>[Name]>(contenders)) {
    await perSecond(calls, call);
  }
}

/**
 * Calls a second of each contender, round by round. One after the other within a round, each round with another one
 * first, so that a machine that slows down or another program's burst does not favour any.
 */
export async function interleave<Name extends string>(
  rounds: number,
  contenders: Contenders<Name>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contenders) as Name[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const { calls, call } = contenders[name];
      rates[name].push(await perSecond(calls, call, { from: round * calls }));
    }
  }
  return rates;
}

/** The ratio of two contenders: the median over the rounds, and every round's for the reader. */
export function compare(one: number[], other: number[]): { value: number; measured: string } {
  const ratios = one.map((rate, round) => rate / (other[round] ?? NaN));
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
  const rates = `${median(one).toFixed(0)} against ${median(other).toFixed(0)} a second`;
  return { value: median(ratios), measured: `${rates}; ${ratios.length} rounds from ${low} to ${high}` };
}
