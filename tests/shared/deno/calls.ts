/**
 * Run by Deno 2.1.4, the hosted runtime's version: makes each call once and prints what became of it as JSON.
 * Ports of the servers the test started come as the first argument.
 */
import process from "node:process";
import { parseAddress } from "../../../shared/addresses.ts";
import { EgressFailed, egressFetch, EgressRefused } from "../../../shared/egress.ts";
import { parseMessage } from "../../../shared/mime-parse.ts";
import { resend } from "../../../shared/providers/resend.ts";
import { smtp } from "../../../shared/providers/smtp.ts";
import { newWebhookSecret, signWebhook, verifyStandardWebhook } from "../../../shared/signature.ts";
import { outgoing } from "../../support/outgoing.ts";

type Ports = Record<
  | "web"
  | "strangerWeb"
  | "strangerMail"
  | "alarmed"
  | "hanging"
  | "closing"
  | "witness"
  | "vacant"
  | "smtps"
  | "starttls"
  | "dropping",
  number
>;

const given = process.argv[2] ?? "{}";
const ports = JSON.parse(given) as Ports;
const results: Record<string, unknown> = {};

async function egress(url: string, deadlineMs = 5_000): Promise<unknown> {
  try {
    const { status, body, truncated } = await egressFetch(url, {
      method: "POST",
      body: "hi",
      deadlineMs,
      maxBytes: 8,
    });
    return { status, body: new TextDecoder().decode(body), truncated };
  } catch (error) {
    if (error instanceof EgressRefused) return { refused: error.code };
    if (error instanceof EgressFailed) return { failed: error.failure, sent: error.sent };
    return { unexpected: String(error) };
  }
}

function account(port: number, changes = {}) {
  return { host: "localhost", port, secure: true, username: "ada", password: "pass word", ...changes };
}

results.byAddress = await egress(`https://127.0.0.1:${ports.web}/`);
results.byName = await egress(`https://localhost:${ports.web}/`);
results.stranger = await egress(`https://127.0.0.1:${ports.strangerWeb}/`);
results.vacant = await egress(`https://127.0.0.1:${ports.vacant}/`);
results.alarmed = await egress(`https://127.0.0.1:${ports.alarmed}/`);
results.hanging = await egress(`https://127.0.0.1:${ports.hanging}/`, 500);
results.closing = await egress(`https://127.0.0.1:${ports.closing}/`);
results.private = await Promise.all(
  ["127.0.0.2", "2130706434", "[::ffff:127.0.0.2]", "0x7f.2"].map((host) =>
    egress(`https://${host}:${ports.witness}/`)
  ),
);

results.smtps = await smtp.send(outgoing({ subject: "smtps" }), account(ports.smtps));
results.starttls = await smtp.send(
  outgoing({ subject: "starttls" }),
  account(ports.starttls, { secure: false }),
);
results.password = await smtp.send(outgoing(), account(ports.smtps, { password: "wrong" }));
results.checked = await smtp.check(account(ports.smtps));
results.strangerMail = await smtp.check(account(ports.strangerMail));
results.dropping = await smtp.send(outgoing(), account(ports.dropping));
results.smtpVacant = await smtp.send(outgoing(), account(ports.vacant));

process.env.MAILPIPE_PROVIDER_URL_RESEND = `http://127.0.0.1:${ports.vacant}`;
results.resendVacant = await resend.send(outgoing(), { api_key: "re_1", webhook_secret: null });
process.env.MAILPIPE_PROVIDER_URL_RESEND = `https://127.0.0.1:${ports.closing}`;
results.resendClosing = await resend.send(outgoing(), { api_key: "re_1", webhook_secret: null });

const secret = newWebhookSecret();
const signed = signWebhook({
  id: "evt_1",
  timestampSeconds: 1_000,
  body: "{}",
  secret,
  previousSecret: null,
});
const body = new TextEncoder().encode("{}");
results.signature = verifyStandardWebhook({ headers: { ...signed }, body, secret, now: new Date(1_000_000) });

const head =
  "From: a@b.test\r\nContent-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable";
results.text = (await parseMessage(new TextEncoder().encode(`${head}\r\n\r\n=93Hi=94 =80`))).text?.trim();
results.address = parseAddress("x@BÜCHER.example").email;

console.log(JSON.stringify(results));
