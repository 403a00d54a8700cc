import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type Server } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Certificates, ensureCertificates } from "../../supabase/local/certificates.ts";
import { listen } from "../../supabase/local/ports.ts";

const DAY = 24 * 60 * 60 * 1000;
const now = new Date();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mailpipe-certificates-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** What a client that trusts only `ca` says to a server that presents `leaf`. */
async function handshake({ leaf }: Certificates, ca: string, servername: string): Promise<string> {
  const server: Server = createServer({ key: leaf, cert: leaf });
  server.on("tlsClientError", () => {});
  const port = await listen(server, 0);
  const verdict = await new Promise<string>((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername, ca }, () => resolve("trusted"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("secureConnect", () => socket.end());
  });
  server.close();
  return verdict;
}

describe("the certificates of the local mail server", () => {
  it("are accepted for localhost by a client that trusts the authority", async () => {
    const made = await ensureCertificates(folder, now);
    expect(await readFile(made.caFile, "utf8")).toBe(made.ca);
    expect(await handshake(made, made.ca, "localhost")).toBe("trusted");
  });

  it("are refused for another name, and by a client that trusts another authority", async () => {
    const made = await ensureCertificates(folder, now);
    const other = await ensureCertificates(join(folder, "other"), now);
    expect(await handshake(made, made.ca, "example.com")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await handshake(made, other.ca, "localhost")).not.toBe("trusted");
  });

  it("are reused until a week before their end, then made anew", async () => {
    const made = await ensureCertificates(folder, now);
    expect(await ensureCertificates(folder, new Date(now.getTime() + 722 * DAY))).toEqual(made);
    const renewed = await ensureCertificates(folder, new Date(now.getTime() + 724 * DAY));
    expect(renewed.leaf).not.toBe(made.leaf);
  });

  it("are made anew when a crash left a leaf beside an authority that did not sign it", async () => {
    const made = await ensureCertificates(folder, now);
    const other = await ensureCertificates(join(folder, "other"), now);
    await writeFile(made.caFile, other.ca);
    const mended = await ensureCertificates(folder, now);
    expect(await handshake(mended, mended.ca, "localhost")).toBe("trusted");
  });
});
