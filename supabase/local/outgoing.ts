/** How often each host was connected to, by the name or address the connection was asked for. */
export type Hosts = Map<string, number>;

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
