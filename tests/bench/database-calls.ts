import { mintKey } from "../../shared/keys.ts";
import { answered, asked } from "./asking.ts";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";

const turns = 1_000;

/** The key with one character changed, with two swapped or cut by one: what happens to a key that is typed or copied. */
function mistyped(key: string, turn: number): string {
  const at = 8 + turn % 37;
  const [head, char, next, rest] = [key.slice(0, at), key.charAt(at), key.charAt(at + 1), key.slice(at + 2)];
  if (turn % 3 === 0) return key.slice(0, -1);
  if (turn % 3 === 1 && char !== next) return head + next + char + rest;
  return head + (char === "a" ? "b" : "a") + next + rest;
}

/** What a thousand mistyped keys cost the database, and what a verified request does, in calls over HTTP. */
export async function measureDatabaseCalls({ edge, keys }: Project): Promise<Figure[]> {
  const callsOf = async (status: 200 | 401, keyOf: (turn: number) => string) => {
    edge.arrived.length = 0;
    for (let turn = 0; turn < turns; turn++) await answered(asked(keyOf(turn)), status);
    return edge.arrived.length;
  };
  const verified = await callsOf(200, () => keys.live[0] ?? "");
  const garbage = await callsOf(401, (turn) => mistyped(mintKey("live").plain, turn));
  return [
    {
      name: "database calls per verified request, through whoami",
      value: verified / turns,
      atLeast: 1,
      atMost: 1,
      measured: `${verified} HTTP requests of any kind that arrived for ${turns}`,
    },
    {
      name: `database calls for ${turns} mistyped keys`,
      value: garbage,
      atMost: 0,
      measured: "HTTP requests of any kind that arrived",
    },
  ];
}
