import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { type StandIn, type StandInCall, startStandIn } from "../support/stand-in.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { dispatch } from "../support/webhooks.ts";

const overlapSeconds = 3600;

let api: Api;
let tenant: Tenant;
let receiver: StandIn;
/** What the receiver knows: one secret for each scheme, as a service with one environment variable does. */
const knows = { standard: "", hex: "" };
const verified = { standard: 0, hex: 0, refused: 0 };
const transcript: string[] = [];

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  api = await startApi();
  tenant = await foundTenant(api);
  receiver = await startStandIn((call, response) => {
    const good = { standard: standardHolds(call, knows.standard), hex: hexHolds(call, knows.hex) };
    if (good.standard) verified.standard++;
    if (good.hex) verified.hex++;
    if (!good.standard || !good.hex) verified.refused++;
    response.writeHead(good.standard && good.hex ? 204 : 401).end();
  });
  await api.database.setClock(new Date().toISOString());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
  await api.close();
});

function standardHolds({ body, headers }: StandInCall, secret: string): boolean {
  try {
    return Boolean(new Webhook(secret).verify(body, headers));
  } catch {
    return false;
  }
}

function hexHolds({ body, headers }: StandInCall, secret: string): boolean {
  return headers["x-mailpipe-signature"] === createHmac("sha256", secret).update(body).digest("hex");
}

const mail = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };
const send = () => ask(sendMail, "send-mail", { token: tenant.test, body: mail });

/** Events one after the other with two workers beside them, and in the middle of it something happens. */
async function underLoad(what: string, happens: () => Promise<unknown> | void = () => {}): Promise<void> {
  const before = { ...verified };
  for (let count = 0; count < 30; count++) {
    const [sent] = await Promise.all([send(), dispatch(api), count === 15 ? happens() : undefined]);
    expect(sent.status, sent.text).toBe(202);
  }
  await dispatch(api);
  const [standard, hex, refused] = (["standard", "hex", "refused"] as const).map((each) =>
    verified[each] - before[each]
  );
  transcript.push(
    `${what.padEnd(66)} ${standard} verified by webhook-signature, ${hex} by hex, ${refused} refused`,
  );
  expect([standard, hex, refused]).toEqual([30, 30, 0]);
}

test("a secret is rotated under load, and no verification fails", async () => {
  const made = await ask(webhooks, "webhooks", {
    token: tenant.test,
    body: { url: receiver.url, events: ["email.queued"] },
  });
  const before = String(made.body.secret);
  Object.assign(knows, { standard: before, hex: before });
  await underLoad("before");

  let after = "";
  await underLoad("POST webhooks/<id>/rotate-secret, overlap an hour", async () => {
    const rotated = await ask(webhooks, `webhooks/${String(made.body.id)}/rotate-secret`, {
      token: tenant.test,
      body: { overlap_seconds: overlapSeconds },
    });
    expect(rotated.status, rotated.text).toBe(201);
    after = String(rotated.body.secret);
  });
  await underLoad("the receiver learns the new secret for webhook-signature", () => {
    knows.standard = after;
  });
  expect(hexHolds(receiver.calls.at(-1) as StandInCall, after)).toBe(false);
  await api.database.advanceClock(`${overlapSeconds - 1} seconds`);
  await underLoad("a second before the overlap is over");
  await api.database.advanceClock("1 second");
  knows.hex = after;
  await underLoad("at the end of the overlap, and the new one for the hex header");

  const last = receiver.calls.at(-1) as StandInCall;
  expect([standardHolds(last, before), hexHolds(last, before)]).toEqual([false, false]);
  expect(last.headers["webhook-signature"]?.split(" ")).toHaveLength(1);
  process.stdout.write(`\nA secret rotated under load\n${transcript.map((line) => `  ${line}\n`).join("")}`);
});
