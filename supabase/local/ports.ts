import { createServer, type Server } from "node:net";

/** The stack is for this machine alone: nothing of it listens anywhere else. */
const LOOPBACK = "127.0.0.1";

/** Listens on loopback at exactly `port` (0: any free one) and resolves to the port. Rejects with EADDRINUSE. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Listens at `preferred` where it is free, else at any free port, and resolves to the port taken. */
export async function listenPreferring(server: Server, preferred: number | undefined): Promise<number> {
  try {
    return await listen(server, preferred ?? 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return await listen(server, 0);
  }
}

/** A port nothing listens on: `preferred` if it is one. For servers that cannot choose for themselves. */
export async function freePort(preferred: number | undefined): Promise<number> {
  const probe = createServer();
  const port = await listenPreferring(probe, preferred);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
