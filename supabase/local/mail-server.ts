import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { type KeptMail, type MailStore, openMailStore } from "./mail-store.ts";
import { listenPreferring } from "./ports.ts";

/** Room for a message of 25 MiB once it is base64 in lines of 76. */
const LARGEST_MAIL = 40 * 1024 * 1024;

/** A running SMTP server and the HTTP server that gives its mail back. */
export interface MailServer {
  smtpPort: number;
  /** `GET` lists, `GET <url>/<id>` gives the raw mail, `DELETE` forgets all of it. */
  mailUrl: string;
  mailPort: number;
  close(): Promise<void>;
}

/**
 * Starts the SMTP server that the ready-made organization sends through: TLS from the first byte, a login
 * required, loopback only, no delivery to anywhere. `leaf` is the certificate with its key, one PEM text;
 * the ports are wishes, replaced by free ones where they are taken.
 */
export async function startMailServer(options: {
  folder: string;
  leaf: string;
  username: string;
  password: string;
  smtpPort?: number | undefined;
  mailPort?: number | undefined;
}): Promise<MailServer> {
  const store = await openMailStore(options.folder);
  const smtp = createSmtpServer(store, options);
  const http = createServer((request, response) => void answer(store, request, response));
  const smtpPort = await listenPreferring(smtp.server, options.smtpPort);
  const mailPort = await listenPreferring(http, options.mailPort);
  return {
    smtpPort,
    mailPort,
    mailUrl: `http://127.0.0.1:${mailPort}/messages`,
    async close() {
      http.closeAllConnections();
      await Promise.all([
        new Promise((resolve) => http.close(resolve)),
        new Promise<void>((resolve) => smtp.close(resolve)),
      ]);
    },
  };
}

function createSmtpServer(
  store: MailStore,
  login: { leaf: string; username: string; password: string },
): SMTPServer {
  const server = new SMTPServer({
    secure: true,
    key: login.leaf,
    cert: login.leaf,
    minVersion: "TLSv1.2",
    authMethods: ["PLAIN", "LOGIN"],
    size: LARGEST_MAIL,
    disableReverseLookup: true,
    closeTimeout: 500,
    onAuth({ username, password }, _session, done) {
      const known = username === login.username && password === login.password;
      done(known ? null : new Error("wrong username or password"), known ? { user: username } : undefined);
    },
    onData(stream, session, done) {
      keep(store, stream, session).then((mail) => done(null, `kept as ${mail.id}`), done);
    },
  });
  // A client that hangs up in the middle is its own problem, not the end of the stack.
  server.on("error", () => {});
  return server;
}

async function keep(
  store: MailStore,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<KeptMail> {
  const raw = await buffer(stream);
  if (stream.sizeExceeded) throw Object.assign(new Error("message too large"), { responseCode: 552 });
  const { mailFrom, rcptTo } = session.envelope;
  const from = mailFrom ? mailFrom.address : "";
  return await store.keep({ from, to: rcptTo.map(({ address }) => address) }, raw, new Date());
}

async function answer(store: MailStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, root, id, ...rest] = (request.url ?? "/").split("?")[0]?.split("/") ?? [];
  if (root !== "messages" || rest.length > 0) return sendJson(response, 404, NOT_FOUND);
  if (request.method === "DELETE" && id === undefined) {
    await store.clear();
    return void response.writeHead(204).end();
  }
  if (request.method !== "GET") return sendJson(response, 405, NOT_ALLOWED);
  if (id === undefined) return sendJson(response, 200, { data: store.list() });
  const raw = await store.raw(id);
  if (raw === undefined) return sendJson(response, 404, NOT_FOUND);
  response.writeHead(200, { "content-type": "message/rfc822", "content-length": raw.length }).end(raw);
}

const NOT_FOUND = { error: "There is no such mail.", code: "not_found" };
const NOT_ALLOWED = {
  error: "GET lists and reads mail, DELETE of the list forgets it.",
  code: "method_not_allowed",
};

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
