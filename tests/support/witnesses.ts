import dns from "node:dns";
import net, { type AddressInfo } from "node:net";
import { vi } from "vitest";

const open: (() => void)[] = [];

/** Closes what `listen` and `witness` opened in a test, with every connection to it. */
export function closeListeners(): void {
  for (const close of open.splice(0)) close();
}

/** Has a server listen, by default on a port nobody else has. */
export async function listen<S extends net.Server>(
  server: S,
  host = "127.0.0.1",
  port = 0,
): Promise<{ server: S; port: number }> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  open.push(() => (sockets.forEach((socket) => socket.destroy()), server.close()));
  return { server, port: (server.address() as AddressInfo).port };
}

/** A listener that only counts who comes: the socket is the witness, not our return value. */
export async function witness(
  host = "127.0.0.1",
  port = 0,
): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const counting = net.createServer((socket) => {
    connections++;
    socket.destroy();
  });
  const { port: chosen } = await listen(counting, host, port);
  return { port: chosen, connections: () => connections };
}

/** What names resolve to, in the order they are asked; the last answer stays. */
export function resolveTo(...answers: string[][]): ReturnType<typeof vi.spyOn> {
  let asked = 0;
  return vi.spyOn(dns.promises, "lookup").mockImplementation(
    (() => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
      return Promise.resolve(answer.map((address) => ({ address, family: net.isIP(address) })));
    }) as never,
  );
}

/**
 * Notes every connection this process tries to make, at the one function TCP and TLS share. Only those to a loopback
 * address and the given port go on; the others are refused on this machine, so a guard that fails sends no packet off it.
 */
export function watchSockets(port: number): string[] {
  const tried: string[] = [];
  const original = net.Socket.prototype.connect as (options: object, ...rest: unknown[]) => net.Socket;
  vi.spyOn(net.Socket.prototype, "connect").mockImplementation(
    function (this: net.Socket, ...given: unknown[]) {
      const [options, ...rest] = given.flat() as [net.TcpNetConnectOpts];
      tried.push(`${options.host}:${options.port}`);
      const here = Number(options.port) === port && /^(?:127\.|::1$)/.test(options.host ?? "");
      // Nothing listens on port 1 (tcpmux).
      return original.call(
        this,
        here ? options : { ...options, host: "127.0.0.1", port: 1 },
        ...rest.filter(Boolean),
      );
    } as never,
  );
  return tried;
}
