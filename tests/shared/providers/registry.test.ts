import { expect, test } from "vitest";
import { openAccount } from "../../../shared/providers/registry.ts";
import { outgoing } from "../../support/outgoing.ts";

test("the sandbox opens no socket and knows the end at once", async () => {
  const account = await openAccount("sandbox", null);
  expect(await account?.check()).toEqual({ ok: true });
  expect(await account?.send(outgoing())).toEqual({
    outcome: "sent",
    provider_message_id: "sandbox_msg_01JDPZ0000000000000000000",
    response: "accepted by the sandbox; no mail was sent",
    refused: [],
    delivered: true,
  });
});

test("each kind opens with its own credentials, stored or given", async () => {
  const smtp = { host: "MAIL.example.com", port: 465, secure: true, username: "a", password: "b" };
  expect(await openAccount("smtp", smtp)).toMatchObject({ kind: "smtp", idempotent: false });
  expect(await openAccount("resend", { api_key: "re_x", webhook_secret: null })).toMatchObject({
    kind: "resend",
    idempotent: true,
  });
});

test("other credentials are refused, and a kind there is not is null", async () => {
  await expect(openAccount("smtp", { api_key: "re_x" })).rejects.toThrow();
  for (const kind of ["postmark", "", "constructor", "__proto__"]) {
    expect(await openAccount(kind, {})).toBeNull();
  }
});
