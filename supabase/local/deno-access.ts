/**
 * The permissions the functions run with: all of them, as hosted. `--allow-net` has one exception, an address that
 * leads nowhere, since Deno looks at each connection only where something could be denied.
 */
export const PERMISSIONS = [
  ...["--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run", "--allow-ffi"],
  ...["--allow-import", "--allow-net", "--deny-net=255.255.255.255"],
];

/** What Deno is told beside the functions' own variables: it prints each access it grants, and nothing else of its log. */
export const DENO_ENVIRONMENT = {
  DENO_LOG: "deno_permissions=debug",
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
  TZ: "UTC",
};

/**
 * The host of a line in which Deno says that it granted a connection, without its port; undefined for any other line.
 * This is the far edge: fetch, node:net, WebSocket and DNS all pass Deno's permission check, whatever code calls them.
 */
export function grantedHost(line: string): string | undefined {
  const host = /^DEBUG RS - deno_permissions.*Granted net access to "(.+?)(?::\d+)?"/.exec(line)?.[1];
  return host?.replace(/^\[(.*)\]$/, "$1");
}
