import { Socket } from "node:net";
import { countHost, type Hosts } from "./outgoing.ts";

/**
 * Every TCP connection this process has opened since this file was imported, refused ones included: a program that
 * wants all of them imports it first. Counted at `Socket.connect`, because node:net, node:tls, node:http, fetch and the
 * Postgres driver all end there.
 */
export const ownConnections: Hosts = new Map();

type Connect = (this: Socket, ...given: unknown[]) => Socket;

const prototype = Socket.prototype as { connect: Connect };
const connect = prototype.connect;
prototype.connect = function (...given) {
  countHost(ownConnections, hostOf(given));
  return connect.apply(this, given);
};

/** Node hands on what it was called with: options, (port, host) or a path; or all of it in one array. */
function hostOf(given: unknown[]): string {
  const [first, second] = Array.isArray(given[0]) ? given[0] as unknown[] : given;
  if (typeof first !== "object" || first === null) return typeof second === "string" ? second : "localhost";
  const { host, path } = first as { host?: string | null; path?: string | null };
  return path ?? host ?? "localhost";
}
