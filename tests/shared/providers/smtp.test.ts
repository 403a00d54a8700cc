import dns from "node:dns";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parseMessage } from "../../../shared/mime-parse.ts";
import { smtp } from "../../../shared/providers/smtp.ts";
import { SmtpCredentials } from "../../../shared/schemas/providers.ts";
import { makeCertificate, type TestCertificate, trust } from "../../support/certificates.ts";
import { outgoing } from "../../support/outgoing.ts";

const open: { close: () => void }[] = [];
let certificate: TestCertificate;
let untrust: () => void;

beforeAll(async () => {
  certificate = await makeCertificate(["mail.test", "127.0.0.1"]);
  untrust = trust(certificate.authority);
});
afterAll(() => untrust());
beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co");
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  vi.spyOn(dns.promises, "lookup").mockImplementation(
    (() => Promise.resolve([{ address: "127.0.0.1", family: 4 }])) as never,
  );
});
afterEach(() => {
  for (const server of open.splice(0)) server.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function credentials(port: number, changes: Record<string, unknown> = {}): SmtpCredentials {
  return SmtpCredentials.parse({
    host: "mail.test",
    port,
    secure: true,
    username: "ada",
    password: "pass word",
    ...changes,
  });
}

interface Received {
  from: string;
  to: string[];
  raw: Uint8Array;
  secure: boolean;
  servername: string;
  hello: string;
}

function fault(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** A whole SMTP server; keeps what it takes. */
async function server(changes: SMTPServerOptions = {}): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = [];
  const smtpServer = new SMTPServer({
    secure: true,
    cert: certificate.cert,
    key: certificate.key,
    onAuth({ username, password }, _, done) {
      if (username === "ada" && password === "pass word") return done(null, { user: "ada" });
      done(fault(535, `5.7.8 no: ${password}`));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: new Uint8Array(Buffer.concat(chunks)),
          secure: session.secure,
          servername: String(session.servername),
          hello: session.hostNameAppearsAs,
        });
        done(null, "2.0.0 Ok: queued as 4XyZ12");
      });
    },
    ...changes,
  });
  smtpServer.on("error", () => undefined);
  await new Promise<void>((resolve) => smtpServer.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => smtpServer.close() });
  return { port: (smtpServer.server.address() as AddressInfo).port, received };
}

type Line = (line: string, socket: net.Socket) => void;

/** A server that says exactly what the test wants; `line` sees each line the client writes. */
async function scripted(
  line: Line,
  { greeting = "220 mail.test ESMTP\r\n" } = {},
): Promise<{ port: number; lines: string[] }> {
  const lines: string[] = [];
  const server = tls.createServer({ cert: certificate.cert, key: certificate.key }, (socket) => {
    let rest = "";
    if (greeting !== "") socket.write(greeting);
    socket.on("error", () => undefined).on("data", (chunk) => {
      const all = (rest + chunk.toString("latin1")).split("\r\n");
      rest = all.pop() ?? "";
      for (const each of all) {
        lines.push(each);
        line(each, socket);
      }
    });
    open.push({ close: () => socket.destroy() });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => server.close() });
  return { port: (server.address() as AddressInfo).port, lines };
}

/** Says yes to everything up to a command, which `then` answers. */
function until(command: RegExp, then: (socket: net.Socket, line: string) => void): Line {
  let inData = false;
  return (line, socket) => {
    if (command.test(line)) return then(socket, line);
    if (inData && line !== ".") return;
    if (/^EHLO/.test(line)) return void socket.write("250-mail.test\r\n250 AUTH PLAIN\r\n");
    if (/^AUTH/.test(line)) return void socket.write("235 ok\r\n");
    if (line === "DATA") inData = true;
    socket.write(line === "DATA" ? "354 go\r\n" : "250 ok\r\n");
  };
}

const plain = { username: null, password: null };

describe("a message over a real server", () => {
  test("arrives whole over TLS, with the envelope of its own and the name of the host checked", async () => {
    const { port, received } = await server();
    const verdict = await smtp.send(
      outgoing({
        to: [{ email: "bob@example.net", name: "Bob" }],
        cc: [{ email: "cee@example.net", name: null }, { email: "bob@example.net", name: null }],
        bcc: [{ email: "hidden@example.net", name: null }],
        subject: "Grüße",
        text: "first\n.\n..\nlast",
        attachments: [{
          filename: "a.bin",
          content_type: "application/octet-stream",
          content_id: null,
          bytes: Uint8Array.of(0, 255, 10),
        }],
      }),
      credentials(port),
    );
    expect(verdict).toEqual({
      outcome: "sent",
      provider_message_id: "4XyZ12",
      response: "250 2.0.0 Ok: queued as 4XyZ12",
      refused: [],
    });
    expect(received).toMatchObject([{
      from: "ada@example.com",
      to: ["bob@example.net", "cee@example.net", "hidden@example.net"],
      secure: true,
      servername: "mail.test",
      hello: "abcdefghijklmnopqrst.supabase.co",
    }]);
    const mail = await parseMessage(received[0]?.raw ?? new Uint8Array());
    expect([mail.subject, mail.text?.trim(), mail.message_id]).toEqual([
      "Grüße",
      "first\n.\n..\nlast",
      "<msg_01@example.com>",
    ]);
    expect([...mail.attachments[0]?.bytes ?? []]).toEqual([0, 255, 10]);
    expect(Buffer.from(received[0]?.raw ?? []).toString()).not.toMatch(/hidden|bcc/i);
  });

  test("is the same on a second try, byte for byte", async () => {
    const { port, received } = await server();
    const message = outgoing({ html: "<p>x</p>" });
    await smtp.send(message, credentials(port));
    await smtp.send(message, credentials(port));
    expect(Buffer.from(received[0]?.raw ?? []).equals(Buffer.from(received[1]?.raw ?? []))).toBe(true);
  });

  test("is upgraded with STARTTLS where TLS is not from the start", async () => {
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.1/32");
    const { port, received } = await server({ secure: false });
    expect(await smtp.send(outgoing(), credentials(port, { secure: false }))).toMatchObject({
      outcome: "sent",
    });
    expect(received[0]).toMatchObject({ secure: true, servername: "mail.test" });
  });

  test("goes in plain text only to an address the operator opened", async () => {
    const { port, received } = await server({
      secure: false,
      hideSTARTTLS: true,
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
    });
    expect(await smtp.send(outgoing(), credentials(port, { secure: false }))).toMatchObject({
      outcome: "sent",
    });
    expect(received[0]?.secure).toBe(false);
  });

  test("needs no account where none is given", async () => {
    const { port, received } = await server({ authOptional: true });
    expect(await smtp.send(outgoing(), credentials(port, plain))).toMatchObject({ outcome: "sent" });
    expect(received).toHaveLength(1);
  });

  test("names the recipients the server refused while it took the others", async () => {
    const { port, received } = await server({
      onRcptTo: ({ address }, _, done) =>
        address === "nobody@example.net" ? done(fault(550, "5.1.1 no such user")) : done(),
    });
    const to = [{ email: "nobody@example.net", name: null }, { email: "bob@example.net", name: null }];
    expect(await smtp.send(outgoing({ to }), credentials(port))).toMatchObject({
      outcome: "sent",
      refused: [{ address: "nobody@example.net", reason: "550 5.1.1 no such user" }],
    });
    expect(received[0]?.to).toEqual(["bob@example.net"]);
  });
});

describe("a plain text connection to any other address", () => {
  test("is not used: without STARTTLS no word of the message or the account is written", async () => {
    // The check of the address is lifted, the rule about plain text is not.
    vi.resetModules();
    vi.doMock("../../../shared/egress.ts", async (original) => ({
      ...await original<typeof import("../../../shared/egress.ts")>(),
      resolveChecked: () => Promise.resolve({ address: "127.0.0.1", family: 4, allowListed: false }),
    }));
    const { smtp: strict } = await import("../../../shared/providers/smtp.ts");
    const lines: string[] = [];
    const plainServer = net.createServer((socket) => {
      socket.write("220 mail.test ESMTP\r\n");
      socket.on("error", () => undefined).on("data", (chunk) => {
        lines.push(...chunk.toString().trim().split("\r\n"));
        socket.write(
          lines.at(-1) === "STARTTLS" ? "502 5.5.1 no\r\n" : "250-mail.test\r\n250 AUTH PLAIN\r\n",
        );
      });
    });
    await new Promise<void>((resolve) => plainServer.listen(0, "127.0.0.1", resolve));
    open.push({ close: () => plainServer.close() });
    const { port } = plainServer.address() as AddressInfo;
    expect(await strict.send(outgoing(), credentials(port, { secure: false }))).toMatchObject({
      outcome: "refused",
      status: 502,
      credential_rejected: false,
    });
    expect(await strict.check(credentials(port, { secure: false }))).toEqual({
      ok: false,
      reason: expect.stringContaining("does not offer STARTTLS"),
    });
    expect(new Set(lines.map((line) => line.split(" ")[0]))).toEqual(new Set(["EHLO", "STARTTLS"]));
    vi.doUnmock("../../../shared/egress.ts");
    vi.resetModules();
  });
});

describe("what the server's reply means", () => {
  test.each([
    ["MAIL", "550 5.7.1 not you", "refused"],
    ["MAIL", "451 4.3.0 later", "retry"],
    ["RCPT", "550 5.1.1 nobody", "refused"],
    ["RCPT", "450 4.2.1 greylisted", "retry"],
    ["RCPT", "421 4.3.2 closing", "retry"],
    ["DATA", "554 5.5.1 no", "refused"],
    ["DATA", "452 4.3.1 full", "retry"],
    ["\\.$", "554 5.7.1 spam", "refused"],
    ["\\.$", "552 5.2.2 over quota", "refused"],
    ["\\.$", "451 4.7.1 try again", "retry"],
    ["\\.$", "421 4.3.2 closing", "retry"],
  ])("to %s: %s is %s", async (command, reply, outcome) => {
    const { port } = await scripted(
      until(new RegExp(`^${command}`), (socket) => socket.write(`${reply}\r\n`)),
    );
    const verdict = await smtp.send(outgoing(), credentials(port));
    expect(verdict).toMatchObject({
      outcome,
      status: Number(reply.slice(0, 3)),
      reason: expect.stringContaining(reply.slice(4)),
    });
    expect(verdict).not.toMatchObject({ credential_rejected: true });
  });

  test("one recipient greylisted among refused ones is tried again", async () => {
    let asked = 0;
    const { port } = await scripted(
      until(/^RCPT/, (socket) => socket.write(asked++ === 0 ? "451 later\r\n" : "550 nobody\r\n")),
    );
    const to = [{ email: "a@b.test", name: null }, { email: "c@d.test", name: null }];
    expect(await smtp.send(outgoing({ to }), credentials(port))).toMatchObject({
      outcome: "retry",
      status: 451,
    });
  });

  test("a refused login is the account's fault and repeats no password", async () => {
    const { port } = await server();
    const verdict = await smtp.send(outgoing(), credentials(port, { password: "hunter2 x" }));
    expect(verdict).toMatchObject({ outcome: "refused", status: 535, credential_rejected: true });
    expect(JSON.stringify(verdict)).not.toContain("hunter2");
    expect(JSON.stringify(verdict)).toContain("5.7.8 no: [password]");
  });

  test("a login that cannot be tried now is not", async () => {
    const { port } = await scripted(until(/^AUTH/, (socket) => socket.write("454 4.7.0 later\r\n")));
    expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({ outcome: "retry", status: 454 });
  });

  test("a login is tried even where the server does not announce it, never skipped", async () => {
    const { port, lines } = await scripted((line, socket) =>
      socket.write(/^EHLO/.test(line) ? "250 mail.test\r\n" : "503 no\r\n")
    );
    expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({
      outcome: "refused",
      credential_rejected: true,
    });
    expect(lines.some((line) => line.startsWith("MAIL"))).toBe(false);
  });

  test("a message larger than the server takes is refused", async () => {
    const { port } = await server({ size: 10_000 });
    expect(await smtp.send(outgoing({ text: "x".repeat(20_000) }), credentials(port))).toMatchObject({
      outcome: "refused",
    });
  });

  test("the id of a last reply is found in its common forms", async () => {
    for (
      const [reply, id] of [["250 OK id=1abc-DEF", "1abc-DEF"], [
        "250 2.0.0 OK  1735787045 d2e1a72fcca58-72aad8 - gsmtp",
        "d2e1a72fcca58-72aad8",
      ], ["250 thanks", null]]
    ) {
      const { port } = await scripted(until(/^\.$/, (socket) => socket.write(`${reply}\r\n`)));
      expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({
        outcome: "sent",
        provider_message_id: id,
      });
    }
  });
});

describe("a connection lost", () => {
  test.each(["EHLO", "AUTH", "MAIL", "RCPT", "DATA"])(
    "at %s was not accepted and is tried again",
    async (command) => {
      const { port } = await scripted(until(new RegExp(`^${command}`), (socket) => socket.destroy()));
      expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({
        outcome: "retry",
        status: null,
      });
    },
  );

  test("in the middle of the message, before the final dot, is tried again", async () => {
    const { port, lines } = await scripted(until(/^x{70}/, (socket) => socket.destroy()));
    const text = `${"x".repeat(70)}\n`.repeat(300_000);
    expect(await smtp.send(outgoing({ text }), credentials(port))).toMatchObject({ outcome: "retry" });
    expect(lines).not.toContain(".");
  });

  test("after the final dot is an outcome nobody can say", async () => {
    const { port, lines } = await scripted(until(/^\.$/, (socket) => socket.destroy()));
    expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({ outcome: "unknown" });
    expect(lines.at(-1)).toBe(".");
  });

  test("after the final dot with nonsense instead of a reply is an outcome nobody can say", async () => {
    const { port } = await scripted(until(/^\.$/, (socket) => socket.end("\x15\x03\x01 nonsense")));
    expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({ outcome: "unknown" });
  });

  test("by silence after the final dot is left at the deadline as unknown, before it as not accepted", async () => {
    for (const [command, outcome] of [[/^\.$/, "unknown"], [/^MAIL/, "retry"]] as const) {
      let arrived = (): void => undefined;
      const arrival = new Promise<void>((resolve) => (arrived = resolve));
      const { port } = await scripted(until(command, () => arrived()));
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const sending = smtp.send(outgoing(), credentials(port));
      await arrival;
      vi.advanceTimersByTime(60_000);
      expect(await sending).toMatchObject({ outcome });
      vi.useRealTimers();
    }
  });

  test("before it began (nobody there, unknown name) is tried again", async () => {
    const vacant = net.createServer();
    await new Promise<void>((resolve) => vacant.listen(0, "127.0.0.1", resolve));
    const { port } = vacant.address() as AddressInfo;
    await new Promise((resolve) => vacant.close(resolve));
    expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({ outcome: "retry" });
    vi.spyOn(dns.promises, "lookup").mockRejectedValue(new Error("ENOTFOUND"));
    expect(await smtp.send(outgoing(), credentials(port))).toMatchObject({
      outcome: "retry",
      reason: "mail.test does not resolve to an address.",
    });
  });
});

describe("what is not even tried", () => {
  test("an address that is not public: no packet leaves", async () => {
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    let connections = 0;
    const witness = net.createServer(() => connections++);
    await new Promise<void>((resolve) => witness.listen(0, "127.0.0.1", resolve));
    open.push({ close: () => witness.close() });
    const { port } = witness.address() as AddressInfo;
    for (const host of ["mail.test", "127.0.0.1"]) {
      expect(await smtp.send(outgoing(), credentials(port, { host }))).toMatchObject({
        outcome: "refused",
        credential_rejected: false,
      });
      expect(await smtp.check(credentials(port, { host }))).toEqual({
        ok: false,
        reason: `${host} does not lead to a public address.`,
      });
    }
    expect(connections).toBe(0);
  });

  test("a message that cannot be composed is refused, not thrown", async () => {
    expect(await smtp.send(outgoing({ headers: { Bcc: "x@y.test" } }), credentials(1))).toMatchObject({
      outcome: "refused",
    });
  });

  test("an address that would end the command, or is more than one", async () => {
    const { port, received } = await server();
    for (
      const email of ["a@b.test>\r\nRCPT TO:<evil@evil.test", "a@b.test, evil@evil.test", "<a@b.test>", ""]
    ) {
      const to = [{ email, name: null }];
      expect(await smtp.send(outgoing({ to }), credentials(port))).toMatchObject({
        outcome: "refused",
        status: null,
      });
    }
    expect(received).toEqual([]);
  });
});

describe("checking an account", () => {
  test("connects, secures, signs in and sends nothing", async () => {
    const { port, received } = await server();
    expect(await smtp.check(credentials(port))).toEqual({ ok: true });
    expect(await smtp.check(credentials(port, { host: "127.0.0.1" }))).toEqual({ ok: true });
    expect(received).toEqual([]);
  });

  test("says that the password is wrong, without repeating it", async () => {
    const { port } = await server();
    const check = await smtp.check(credentials(port, { password: "hunter2 x" }));
    expect(check).toEqual({
      ok: false,
      reason: "The server refused the user name or the password: 535 5.7.8 no: [password]",
    });
  });

  test("says that the certificate is for another name", async () => {
    const { port } = await server();
    expect(await smtp.check(credentials(port, { host: "other.test" }))).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^A secure connection to other.test could not be made/),
    });
  });

  test("says that the server greets with a refusal, or not at all", async () => {
    const refusing = await scripted(() => undefined, { greeting: "554 5.7.1 go away\r\n" });
    expect(await smtp.check(credentials(refusing.port))).toEqual({
      ok: false,
      reason: "The server answered: 554 5.7.1 go away",
    });
    const closing = await scripted(() => undefined, { greeting: "" });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const checking = smtp.check(credentials(closing.port));
    for (let waited = 0; waited < 60 && vi.getTimerCount() > 0; waited++) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(await checking).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^mail.test did not answer on port \d+/),
    });
  });

  test("hints at ports that hosted functions cannot reach", async () => {
    for (const port of [25, 587]) {
      const vacant = credentials(port, { host: "127.0.0.9" });
      expect(await smtp.check(vacant)).toMatchObject({
        ok: false,
        reason: expect.stringContaining(`cannot reach port ${port}: try 465`),
      });
    }
  });
});
