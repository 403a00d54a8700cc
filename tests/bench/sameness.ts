import { setImmediate as breath } from "node:timers/promises";
import { mintKey } from "../../shared/keys.ts";
import { answered, asked } from "./asking.ts";
import { type Background, watchBackground } from "./background.ts";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { interquartileRange, median } from "./quantiles.ts";
import type { MintedKeys } from "./seeded-keys.ts";

const kinds = ["unknown", "revoked", "expired"] as const;
type Kind = typeof kinds[number];
type Times = Record<Kind, number[]>;

const warmUps = 200;
const samples = 4_000;

/** Numbers from 0 to 1 that every run draws alike (mulberry32). */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick(keys: string[], drawn: number): string {
  return keys[Math.floor(drawn * keys.length)] ?? "";
}

/** Milliseconds from the request to its answer. What goes on behind the answer is over when this resolves. */
async function timed(key: string, background: Background): Promise<number> {
  const request = asked(key);
  const started = performance.now();
  await answered(request, 401);
  const took = performance.now() - started;
  await background.settled();
  await breath();
  return took;
}

async function sample({ revoked, expired }: MintedKeys, background: Background): Promise<Times> {
  const times: Times = { unknown: [], revoked: [], expired: [] };
  // Minted before, so that all that differs between the kinds is what the database knows of them.
  const unknown = Array.from({ length: samples }, () => mintKey("live").plain);
  const keys = { unknown, revoked, expired };
  const draw = draws(1);
  for (let turn = 0; turn < warmUps + samples; turn++) {
    const kind = kinds[Math.floor(draw() * kinds.length)] ?? "unknown";
    const took = await timed(pick(keys[kind], draw()), background);
    if (turn >= warmUps) times[kind].push(took);
  }
  return times;
}

function figureOf(times: Times): Figure {
  const middles = kinds.map((kind) => ({ kind, at: median(times[kind]) }));
  const range = interquartileRange(Object.values(times).flat());
  const pairs = middles.flatMap((one, index) =>
    middles.slice(index + 1).map((other) => ({
      name: `${one.kind}/${other.kind}`,
      apart: Math.abs(one.at - other.at),
    }))
  );
  const medians = middles.map(({ kind, at }) => `${kind} ${at.toFixed(3)}`).join(", ");
  const apart = pairs.map(({ name, apart }) => `${name} ${apart.toFixed(3)}`).join(", ");
  return {
    name: "dead keys: medians apart / interquartile range",
    value: Math.max(...pairs.map((pair) => pair.apart)) / range,
    atMost: 1,
    measured: `medians in ms: ${medians}; apart: ${apart}; range ${range.toFixed(3)}; ${samples} samples`,
  };
}

/** How far apart the times of the answers to unknown, revoked and expired keys are, by what they vary anyway. */
export async function measureSameness(project: Project): Promise<Figure> {
  const background = watchBackground();
  try {
    return figureOf(await sample(project.keys, background));
  } finally {
    background.restore();
  }
}
