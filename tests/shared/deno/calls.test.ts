import https from "node:https";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate, type TestCertificate } from "../../support/certificates.ts";
import { runDeno } from "../../support/deno.ts";

const open: { close: () => unknown }[] = [];
const received: { subject: string; secure: boolean }[] = [];
let results: Record<string, unknown>;
let witnessed = 0;

async function port(server: net.Server, host = "127.0.0.1"): Promise<number> {
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  open.push(server);
  return (server.address() as AddressInfo).port;
}

async function mailPort(secure: boolean, { cert, key }: TestCertificate): Promise<number> {
  const server = new SMTPServer({
    secure,
    cert,
    key,
    onAuth: ({ password }, _, done) =>
      password === "pass word"
        ? done(null, { user: "ada" })
        : done(Object.assign(new Error("no"), { responseCode: 535 })),
    onData(stream, session, done) {
      let text = "";
      stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
      stream.on("end", () => {
        received.push({ subject: /^Subject: (.*)\r$/m.exec(text)?.[1] ?? "", secure: session.secure });
        done(null, "queued as Q1");
      });
    },
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => server.close() });
  return (server.server.address() as AddressInfo).port;
}

/** Takes the whole message and hangs up instead of answering. */
function dropping({ cert, key }: TestCertificate): net.Server {
  return tls.createServer({ cert, key }, (socket) => {
    let seen = "";
    socket.write("220 x\r\n");
    socket.on("error", () => undefined).on("data", (chunk) => {
      seen += chunk.toString("latin1");
      if (/\r\nDATA\r\n[^]*\r\n\.\r\n$/.test(seen)) return void socket.destroy();
      const line = seen.split("\r\n").at(-2) ?? "";
      if (/^EHLO/.test(line)) return void socket.write("250-x\r\n250 AUTH PLAIN\r\n");
      if (/^AUTH/.test(line)) return void socket.write("235 ok\r\n");
      if (/^(?:MAIL|RCPT)/.test(line)) return void socket.write("250 ok\r\n");
      if (line === "DATA") socket.write("354 go\r\n");
    });
  });
}

async function start(certificate: TestCertificate): Promise<Record<string, number>> {
  const stranger = await makeCertificate(["127.0.0.1"]);
  const vacant = net.createServer();
  const ports = {
    web: await port(https.createServer(certificate, (_, response) => response.end("a long answer"))),
    strangerWeb: await port(https.createServer(stranger)),
    alarmed: await port(
      tls.createServer({
        ...certificate,
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      }),
    ),
    hanging: await port(https.createServer(certificate, () => undefined)),
    closing: await port(https.createServer(certificate, (request) => request.socket.destroy())),
    witness: await port(net.createServer(() => witnessed++), "127.0.0.2"),
    vacant: await port(vacant),
    smtps: await mailPort(true, certificate),
    starttls: await mailPort(false, certificate),
    strangerMail: await mailPort(true, stranger),
    dropping: await port(dropping(certificate)),
  };
  await new Promise((resolve) => vacant.close(resolve));
  return ports;
}

beforeAll(async () => {
  const certificate = await makeCertificate(["localhost", "127.0.0.1"]);
  results = await runDeno(
    "tests/shared/deno/calls.ts",
    await start(certificate),
    [certificate.authority],
    {
      SUPABASE_URL: "https://abcdefghijklmnopqrst.supabase.co",
      MAILPIPE_EGRESS_ALLOW: "127.0.0.1/32,::1/128",
    },
  );
}, 90_000);
afterAll(() => open.forEach((each) => each.close()));

describe("under Deno 2.1.4, as hosted", () => {
  test("a URL is called over TLS by address and by name, and a part of the answer read", () => {
    expect(results.byAddress).toEqual({ status: 200, body: "a long a", truncated: true });
    expect(results.byName).toEqual({ status: 200, body: "a long a", truncated: true });
  });

  test("failures are told apart", () => {
    expect(results.stranger).toEqual({ failed: "tls", sent: false });
    expect(results.vacant).toEqual({ failed: "connect_refused", sent: false });
    expect(results.alarmed).toMatchObject({ failed: "tls" });
    expect(results.hanging).toEqual({ failed: "timeout", sent: true });
    expect(results.closing).toEqual({ failed: "reset", sent: true });
  });

  test("no packet leaves to an address that is not public or allowed, however it is written", () => {
    expect(results.private).toEqual(Array.from({ length: 4 }, () => ({ refused: "private_address" })));
    expect(witnessed).toBe(0);
  });

  test("mail goes out over TLS from the start and over STARTTLS", () => {
    expect(results.smtps).toMatchObject({ outcome: "sent", provider_message_id: "Q1" });
    expect(results.starttls).toMatchObject({ outcome: "sent" });
    expect(received).toEqual([{ subject: "smtps", secure: true }, { subject: "starttls", secure: true }]);
  });

  test("SMTP verdicts are the same as on Node", () => {
    expect(results.password).toMatchObject({ outcome: "refused", credential_rejected: true });
    expect(results.checked).toEqual({ ok: true });
    expect(results.strangerMail).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^A secure connection to localhost/),
    });
    expect(results.dropping).toMatchObject({ outcome: "unknown" });
    expect(results.smtpVacant).toMatchObject({ outcome: "retry" });
  });

  test("Resend verdicts are the same as on Node", () => {
    expect(results.resendVacant).toMatchObject({ outcome: "retry" });
    expect(results.resendClosing).toMatchObject({ outcome: "unknown" });
  });

  test("signatures, charsets and names in other scripts work", () => {
    expect(results.signature).toEqual({ id: "evt_1" });
    expect(results.text).toBe("“Hi” €");
    expect(results.address).toBe("x@xn--bcher-kva.example");
  });
});
