import { getServers } from "node:dns";
import { BlockList, isIP } from "node:net";
import type { Hosts } from "../outgoing.ts";
import { Unexpected } from "./expect.ts";

/** Where the stack's own process and its functions connected to since they started. */
export async function stackOutgoing(apiUrl: string): Promise<Hosts> {
  const answer = await fetch(`${apiUrl}/local/v1/outgoing`);
  const { hosts } = await answer.json() as { hosts: Record<string, number> };
  return new Map(Object.entries(hosts));
}

const THIS_MACHINE = new BlockList();
THIS_MACHINE.addSubnet("127.0.0.0", 8, "ipv4");
THIS_MACHINE.addAddress("::1", "ipv6");

function isThisMachine(host: string): boolean {
  if (isIP(host) === 0) return host === "localhost";
  return THIS_MACHINE.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
}

/**
 * The hosts of `reached` that were connected to more often than in `before`. Throws Unexpected on one that is neither
 * this machine, nor one of its name servers, nor in `configured`: Mailpipe has no telemetry (DESIGN §13).
 */
export function checkOutgoing(reached: Hosts, before: Hosts, configured: string[]): string[] {
  const known = new Set([...configured, ...getServers()]);
  const hosts = [...reached].filter(([host, count]) => count > (before.get(host) ?? 0)).map(([host]) => host);
  const strange = hosts.filter((host) => !isThisMachine(host) && !known.has(host));
  if (strange.length === 0) return hosts.sort();
  throw new Unexpected(`expected connections to configured hosts alone, got ${strange.sort().join(", ")}`);
}
