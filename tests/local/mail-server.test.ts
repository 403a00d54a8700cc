import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Certificates, ensureCertificates } from "../../supabase/local/certificates.ts";
import { type MailServer, startMailServer } from "../../supabase/local/mail-server.ts";
import type { KeptMail } from "../../supabase/local/mail-store.ts";

const login = { username: "mailpipe", password: crypto.randomUUID() };
let base: string;
let certificates: Certificates;
let folder: string;
let server: MailServer;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "mailpipe-mail-"));
  certificates = await ensureCertificates(base, new Date());
});
afterAll(() => rm(base, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(base, "kept-"));
  server = await start();
});
afterEach(() => server.close());

function start(ports: { smtpPort?: number; mailPort?: number } = {}): Promise<MailServer> {
  return startMailServer({ folder, leaf: certificates.leaf, ...login, ...ports });
}

function send(raw: string, connection: { password?: string; secure?: boolean } = {}) {
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port: server.smtpPort,
    secure: connection.secure ?? true,
    greetingTimeout: 1000,
    auth: { user: login.username, pass: connection.password ?? login.password },
    tls: { servername: "localhost", ca: certificates.ca },
  });
  return transport.sendMail({
    envelope: { from: "hello@example.com", to: ["a@example.net", "b@example.net"] },
    raw,
  });
}

async function list(): Promise<KeptMail[]> {
  const answer = await fetch(server.mailUrl);
  return (await answer.json() as { data: KeptMail[] }).data;
}

const MAIL =
  "From: hello@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n.a line that begins with a dot\r\n";

describe("the local mail server", () => {
  it("lists what it took with its envelope, and gives every byte of it back", async () => {
    await send(MAIL);
    const [mail] = await list();
    expect(mail).toMatchObject({
      from: "hello@example.com",
      to: ["a@example.net", "b@example.net"],
      subject: "Grüße",
      size: Buffer.byteLength(MAIL),
    });
    const raw = await fetch(`${server.mailUrl}/${mail?.id}`);
    expect(raw.headers.get("content-type")).toBe("message/rfc822");
    expect(await raw.text()).toBe(MAIL);
  });

  it("refuses a wrong password, and a client without TLS", async () => {
    await expect(send(MAIL, { password: "wrong" })).rejects.toMatchObject({
      code: "EAUTH",
      responseCode: 535,
    });
    await expect(send(MAIL, { secure: false })).rejects.toThrow();
    expect(await list()).toEqual([]);
  });

  it("keeps its mail over a restart, newest first, until someone deletes it", async () => {
    await send(MAIL);
    await server.close();
    server = await start();
    await send(MAIL.replace("Gr=C3=BC=C3=9Fe", "second"));
    expect((await list()).map(({ subject }) => subject)).toEqual(["second", "Grüße"]);

    expect((await fetch(server.mailUrl, { method: "DELETE" })).status).toBe(204);
    expect(await list()).toEqual([]);
    await server.close();
    server = await start();
    expect(await list()).toEqual([]);
  });

  it("knows only mail it finished taking, and its own path", async () => {
    await writeFile(join(folder, "torn.eml"), "half a mail");
    expect((await fetch(`${server.mailUrl}/torn`)).status).toBe(404);
    expect((await fetch(server.mailUrl.replace("messages", "other"))).status).toBe(404);
    expect((await fetch(server.mailUrl, { method: "POST" })).status).toBe(405);
  });

  it("takes the ports it is asked for where they are free, and others where they are not", async () => {
    const wished = { smtpPort: server.smtpPort, mailPort: server.mailPort };
    const second = await start(wished);
    expect(second.smtpPort).not.toBe(wished.smtpPort);
    expect(second.mailPort).not.toBe(wished.mailPort);
    await second.close();
    await server.close();
    server = await start(wished);
    expect(server).toMatchObject(wished);
  });
});
