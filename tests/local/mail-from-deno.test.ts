import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureCertificates } from "../../supabase/local/certificates.ts";
import { type FunctionsHost, startFunctions } from "../../supabase/local/functions.ts";
import { type MailServer, startMailServer } from "../../supabase/local/mail-server.ts";
import { makeProject, type Project } from "./project.ts";

// As the SMTP adapter connects: to an address that was checked, with the certificate held to the host's name.
const SENDS = `import nodemailer from "nodemailer";
  export default { async fetch(request: Request) {
    const { port, username, password, servername } = await request.json();
    const transport = nodemailer.createTransport({
      host: "127.0.0.1", port, secure: true, auth: { user: username, pass: password }, tls: { servername },
    });
    const mail = { from: "hello@example.com", to: "you@example.net", subject: "From Deno", text: "It works." };
    const outcome = await transport.sendMail(mail).then(({ response }) => response, ({ message }) => message);
    return new Response(outcome);
  } };`;

const login = { username: "mailpipe", password: crypto.randomUUID() };
let project: Project;
let mail: MailServer;
let trusting: FunctionsHost;
let doubting: FunctionsHost;

beforeAll(async () => {
  project = await makeProject({ sends: SENDS });
  const { caFile, leaf } = await ensureCertificates(join(project.root, "certificates"), new Date());
  mail = await startMailServer({ folder: join(project.root, "mail"), leaf, ...login });
  const start = (environment: Record<string, string>) =>
    startFunctions({
      root: project.root,
      logFile: join(project.root, "functions.log"),
      cacheFolder: join(project.root, "deno"),
      environment,
    });
  trusting = await start({ DENO_CERT: caFile });
  doubting = await start({});
});
afterAll(async () => {
  await Promise.all([trusting.stop(), doubting.stop(), mail.close()]);
  await project.remove();
});

async function send(host: FunctionsHost, servername: string): Promise<string> {
  const body = JSON.stringify({ port: mail.smtpPort, servername, ...login });
  return await (await fetch(`http://127.0.0.1:${host.port()}/sends`, { method: "POST", body })).text();
}

describe("nodemailer under Deno", () => {
  it("sends over TLS to the local mail server by its address, under the name of its certificate", async () => {
    expect(await send(trusting, "localhost")).toMatch(/^250 kept as /);
    const { data } = await (await fetch(mail.mailUrl)).json() as { data: unknown[] };
    expect(data).toEqual([expect.objectContaining({ subject: "From Deno", to: ["you@example.net"] })]);
  });

  it("sends nothing under another name, or where the authority is not trusted", async () => {
    expect(await send(trusting, "example.com")).toContain("NotValidForName");
    expect(await send(doubting, "localhost")).toContain("UnknownIssuer");
  });
});
