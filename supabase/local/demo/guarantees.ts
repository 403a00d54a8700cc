import { call, expectCall } from "./calls.ts";
import { type Connection, issueKey } from "./connect.ts";
import type { Demo } from "./demo.ts";
import { eventually, same } from "./expect.ts";
import { mailBody, mailsTo } from "./mail.ts";
import { message, type Sent } from "./send.ts";
import { step } from "./step.ts";

/** Repeats, test keys and revoked keys do what DESIGN §2 promises of them. The key is dead afterwards. */
export async function guarantees(demo: Demo, connection: Connection, sent: Sent): Promise<void> {
  const { tell } = demo;
  await step(tell, "Repeat the send with its idempotency key", async (note) => {
    await repeatsOnce(demo, sent);
    note("the same message, one mail");
  });
  await step(tell, "Send with a test key to the sandbox", async (note) => {
    await staysInSandbox(demo, connection);
    note("delivered, and no mail left");
  });
  await step(tell, "Revoke the key; the very next call is refused", async (note) => {
    await revokes(demo, connection);
    note("401 invalid_credential");
  });
}

/** Promise 2: one idempotency key means at most one message. */
async function repeatsOnce({ stack, friend }: Demo, { id, request }: Sent): Promise<void> {
  const repeat = await expectCall(stack, 202, request);
  same("the repeat's id", repeat.body["id"], id);
  same("Idempotent-Replayed", repeat.headers.get("idempotent-replayed"), "true");
  same("the number of mails at the SMTP server", (await mailsTo(stack.mail_url, friend)).length, 1);
  const other = { ...request, body: { ...request.body as object, subject: "Another" } };
  same("another body's code", (await expectCall(stack, 409, other)).body["code"], "idempotency_key_reused");
}

/** Promise 8: a test key cannot cause a real mail or a live webhook. */
async function staysInSandbox(demo: Demo, { owner }: Connection): Promise<void> {
  const { stack, receiver, friend } = demo;
  const key = await issueKey(demo, { ...owner, environment: "test" }, "test");
  const to = `sandbox-${friend}`;
  const body = mailBody(stack.from, to);
  const { body: { id } } = await expectCall(stack, 202, { method: "POST", path: "send-mail", as: key, body });
  await eventually("the sandbox to deliver", async () => {
    const { status } = await message(demo, key, String(id));
    return status === "delivered" ? status : undefined;
  });
  same("the mails that left", await mailsTo(stack.mail_url, to), []);
  const heard = receiver.arrived.filter(({ data }) => data["message_id"] === id);
  same("the live webhooks about it", heard.map(({ type }) => type), []);
  await revoke(demo, { ...owner, environment: "test" }, key.id);
}

/** Promise 5: a request that starts after a revocation returned is refused. */
async function revokes(demo: Demo, { owner, key }: Connection): Promise<void> {
  same(
    "the key's last call",
    (await call(demo.stack, { method: "GET", path: "whoami", as: key })).status,
    200,
  );
  await revoke(demo, owner, key.id);
  const next = await expectCall(demo.stack, 401, { method: "GET", path: "whoami", as: key });
  same("the code", next.body["code"], "invalid_credential");
}

async function revoke({ stack }: Demo, as: Connection["owner"], id: string): Promise<void> {
  await expectCall(stack, 200, { method: "POST", path: "revoke-key", as, body: { id } });
}
