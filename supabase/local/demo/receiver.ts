import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { eventually, Unexpected } from "./expect.ts";
import { listen } from "../ports.ts";

/** A webhook as a customer's server got it. */
export interface Arrived {
  type: string;
  data: Record<string, unknown>;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A customer's server on loopback that takes webhooks. */
export interface Receiver {
  url: string;
  arrived: Arrived[];
  /** The first webhook of `type` about the message, waited for. Throws Unexpected where none comes. */
  about(type: string, messageId: string): Promise<Arrived>;
  close(): Promise<void>;
}

/** Starts a receiver that keeps what arrives and answers 204. */
export async function startReceiver(): Promise<Receiver> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { type, data } = JSON.parse(body) as Pick<Arrived, "type" | "data">;
      arrived.push({ type, data, headers: request.headers, body });
      response.writeHead(204).end();
    }).catch(() => response.destroy());
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}/mailpipe`,
    arrived,
    about: (type, messageId) =>
      eventually(
        `a webhook ${type} about ${messageId}`,
        () => arrived.find((each) => each.type === type && each.data["message_id"] === messageId),
      ),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Throws Unexpected unless both ways customers check a signature accept this webhook, and refuse it once altered. */
export function verify(webhook: Arrived, secret: string): void {
  const altered = { ...webhook, body: webhook.body.replace('"type"', '"Type"') };
  for (const [name, accepts] of [["Mailpipe's sample", bySample], ["standardwebhooks", byLibrary]] as const) {
    if (!accepts(webhook, secret)) {
      throw new Unexpected(`expected ${name} to accept the webhook, and it refused`);
    }
    if (accepts(altered, secret)) {
      throw new Unexpected(`expected ${name} to refuse an altered body, and it accepted`);
    }
  }
}

/** The sample of Mailpipe's security page: it parses the body first, and signs what JSON.stringify makes of it. */
function bySample({ headers, body }: Arrived, secret: string): boolean {
  const payload = JSON.parse(body) as unknown;
  const expected = createHmac("sha256", secret).update(JSON.stringify(payload)).digest("hex");
  const signature = String(headers["x-mailpipe-signature"]);
  return signature.length === expected.length &&
    timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

function byLibrary({ headers, body }: Arrived, secret: string): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
