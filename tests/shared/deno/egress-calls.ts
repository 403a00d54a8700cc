/**
 * Run by Deno 2.1.4, the hosted runtime's version: takes the egress guard to each server of egress-calls.test.ts once and
 * prints what became of it as JSON. Ports of the servers come as the first argument.
 */
import dns from "node:dns";
import process from "node:process";
import { EgressFailed, egressFetch, EgressRefused } from "../../../shared/egress.ts";
import { loopbackSpellings, specialAddresses } from "../../support/blocked-hosts.ts";

const given = process.argv[2] ?? "{}";
const ports = JSON.parse(given) as Record<string, number>;

/** What a name resolves to, in the order it is asked; the last answer stays. */
const names: Record<string, string[][]> = {
  "hooks.test": [["127.0.0.1"]],
  "other.test": [["127.0.0.1"]],
  "rebinding.test": [["127.0.0.1"], ["127.0.0.2"]],
  "mixed.test": [["127.0.0.1", "127.0.0.2"]],
  "mixed6.test": [["127.0.0.1", "::1"]],
  "localhost.": [["127.0.0.2"]],
  "abcdefghijklmnopqrst.supabase.co": [["93.184.215.14"]],
};
const asked: Record<string, number> = {};

Object.assign(dns.promises, {
  lookup(name: string) {
    const answers = names[name] ?? [];
    const time = asked[name] = (asked[name] ?? 0) + 1;
    const answer = answers[Math.min(time, answers.length) - 1] ?? [];
    return Promise.resolve(answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
  },
});

async function call(url: string, deadlineMs = 5_000): Promise<Record<string, unknown>> {
  const started = performance.now();
  const late = (): boolean => performance.now() - started > deadlineMs + 1_500;
  try {
    const answer = await egressFetch(url, { method: "POST", body: "hi", deadlineMs, maxBytes: 65_536 });
    return { status: answer.status, bytes: answer.body.length, truncated: answer.truncated };
  } catch (error) {
    if (error instanceof EgressRefused) return { refused: error.code };
    if (!(error instanceof EgressFailed)) return { unexpected: String(error) };
    return {
      failed: error.failure,
      sent: error.sent,
      status: error.status,
      ...(late() ? { late: true } : {}),
    };
  }
}

async function refusals(hosts: string[]): Promise<Record<string, unknown>> {
  const calls = hosts.map(async (
    host,
  ) => [host, (await call(`https://${host}:${ports.witness}/`, 500)).refused]);
  return Object.fromEntries(await Promise.all(calls)) as Record<string, unknown>;
}

const results: Record<string, unknown> = {
  loopback: await refusals(loopbackSpellings),
  special: await refusals(specialAddresses),
  byName: await call(`https://hooks.test:${ports.web}/`),
  rebinding: await call(`https://rebinding.test:${ports.web}/`),
  asked: asked["rebinding.test"],
  mixed: await call(`https://mixed.test:${ports.web}/`),
  mixed6: await call(`https://mixed6.test:${ports.web}/`),
  localhost: await call(`https://localhost.:${ports.witness}/`),
  ownHost: await call("https://abcdefghijklmnopqrst.supabase.co/"),
  userinfo: await call(`https://a:b@127.0.0.1:${ports.web}/`),
  port: await call("https://93.184.215.14:25/", 500),
  redirect: await call(`https://127.0.0.1:${ports.web}/moved`),
  otherName: await call(`https://other.test:${ports.web}/`),
  expired: await call(`https://127.0.0.1:${ports.expired}/`),
  stranger: await call(`https://127.0.0.1:${ports.stranger}/`),
  old: await call(`https://127.0.0.1:${ports.old}/`),
  handshake: await call(`https://127.0.0.1:${ports.silent}/`, 500),
  bomb: await call(`https://127.0.0.1:${ports.web}/bomb`),
};
for (const name of ["never", "slowHeader", "slowBody"]) {
  results[name] = await call(`http://127.0.0.1:${ports[name]}/`, 500);
}
for (
  const name of [
    "huge",
    "chunks",
    "header",
    "reason",
    "informational",
    "extension",
    "trailers",
    "cut",
    "reset",
  ]
) {
  results[name] = await call(`http://127.0.0.1:${ports[name]}/`);
}

console.log(JSON.stringify(results));
// Deno 2.1.4 keeps a connection whose handshake hangs, though it was destroyed, and would wait for it.
process.exit();
