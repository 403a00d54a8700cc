/**
 * The "bad ports" of the Fetch standard (https://fetch.spec.whatwg.org/#port-blocking) that are not below 1024:
 * H.323, PPTP, NFS, SIP, X11, IRC and others that take an HTTP request for commands of their own.
 */
const badPorts = new Set([
  1719,
  1720,
  1723,
  2049,
  3659,
  4045,
  4190,
  5060,
  5061,
  6000,
  6566,
  6665,
  6666,
  6667,
  6668,
  6669,
  6679,
  6697,
  10080,
]);

/**
 * Whether a web server may be expected at a port as URL.port writes it ("" is its scheme's own): of those below 1024
 * only 443, because the others are other services'; above, all but the Fetch standard's bad ports.
 */
export function isWebPort(port: string): boolean {
  if (port === "") return true;
  return Number(port) < 1024 ? port === "443" : !badPorts.has(Number(port));
}
