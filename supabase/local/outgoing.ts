import { Socket } from "node:net";

/** How often each host was connected to, by the name or address the connection was asked for. */
export type Hosts = Map<string, number>;

/** A record of where this process connects to. */
export interface OutgoingWatch {
  hosts: Hosts;
  stop(): void;
}

type Connect = (this: Socket, ...given: unknown[]) => Socket;

/**
 * Counts every TCP connection this process opens from now on, refused ones included. At `Socket.connect`, because
 * node:net, node:tls, node:http, fetch and the Postgres driver all end there. Calls must be stopped in reverse order.
 */
export function watchOutgoing(): OutgoingWatch {
  const hosts: Hosts = new Map();
  const prototype = Socket.prototype as { connect: Connect };
  const connect = prototype.connect;
  prototype.connect = function (...given) {
    countHost(hosts, hostOf(given));
    return connect.apply(this, given);
  };
  return { hosts, stop: () => void (prototype.connect = connect) };
}

/** Adds one connection to `host`. */
export function countHost(hosts: Hosts, host: string): void {
  hosts.set(host, (hosts.get(host) ?? 0) + 1);
}

/** Answers `GET /local/v1/outgoing` with `{ hosts: { <host>: <connections> } }`, summed over all records. */
export function answerOutgoing(...records: Hosts[]): (request: Request) => Promise<Response> {
  return ({ method, url }) => {
    const known = method === "GET" && new URL(url).pathname === "/local/v1/outgoing";
    if (!known) {
      return Promise.resolve(Response.json({ error: "No such record.", code: "not_found" }, { status: 404 }));
    }
    const hosts: Record<string, number> = {};
    for (const [host, count] of records.flatMap((each) => [...each])) {
      hosts[host] = (hosts[host] ?? 0) + count;
    }
    return Promise.resolve(Response.json({ hosts }));
  };
}

/** Node hands on what it was called with: options, (port, host) or a path; or all of it in one array. */
function hostOf(given: unknown[]): string {
  const [first, second] = Array.isArray(given[0]) ? given[0] as unknown[] : given;
  if (typeof first !== "object" || first === null) return typeof second === "string" ? second : "localhost";
  const { host, path } = first as { host?: string | null; path?: string | null };
  return path ?? host ?? "localhost";
}
