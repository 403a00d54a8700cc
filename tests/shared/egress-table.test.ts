import https from "node:https";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  checkDestination,
  EgressFailed,
  egressFetch,
  EgressRefused,
  resolveChecked,
} from "../../shared/egress.ts";
import { loopbackSpellings, specialAddresses } from "../support/blocked-hosts.ts";
import { makeCertificate, type TestCertificate, trust } from "../support/certificates.ts";
import { closeListeners, listen, resolveTo, watchSockets, witness } from "../support/witnesses.ts";

const elsewhere = "93.184.215.14";
const request = { method: "POST", body: "hi", deadlineMs: 5_000, maxBytes: 1_000 };

interface Row {
  /** PORT stands for the port the listeners share. */
  url: string;
  /** What the URL's name resolves to, once, then again. */
  answers?: string[][];
  allow?: string;
  outcome: string;
  /** Every connection tried, in order. */
  tried?: string[];
}

const printed: string[][] = [["what was tried", "outcome", "connections tried", "seen by listeners"]];
let certificate: TestCertificate;
let untrust: () => void;

beforeAll(async () => {
  certificate = await makeCertificate(["hooks.test", "127.0.0.2"]);
  untrust = trust(certificate.authority);
});
beforeEach(() => vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co"));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  closeListeners();
});
afterAll(() => {
  untrust();
  const widths = [0, 1, 2, 3].map((column) => Math.max(...printed.map((row) => row[column]?.length ?? 0)));
  const lines = printed.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ").trimEnd()
  );
  console.log(lines.join("\n"));
});

/** The class of what a call came to, or the status. */
async function outcomeOf(call: Promise<{ status: number } | void>): Promise<string> {
  try {
    return String((await call)?.status ?? "taken");
  } catch (error) {
    if (error instanceof EgressRefused) return error.code;
    if (error instanceof EgressFailed) return error.failure;
    throw error;
  }
}

/** Listeners on every loopback address a row can mean, on one port; 127.0.0.2 answers, the others only count. */
async function listeners(): Promise<{ port: number; seen: () => number }> {
  const { cert, key } = certificate;
  let answered = 0;
  const first = await witness();
  const { port } = first;
  const answering = https.createServer({ cert, key }, (call, response) => {
    response.writeHead(call.url === "/moved" ? 307 : 200, { location: `https://127.0.0.1:${port}/` }).end();
  });
  await listen(answering.on("connection", () => answered++), "127.0.0.2", port);
  const sixth = await witness("::1", port).catch(() => null);
  return { port, seen: () => first.connections() + answered + (sixth?.connections() ?? 0) };
}

function nameOf({ url, answers, allow }: Row): string {
  const names = answers?.map((each) => each.join(" + ") || "no address").join(", then ");
  const spelled = JSON.stringify(url).slice(1, -1);
  return spelled + (names === undefined ? "" : ` (${names})`) +
    (allow === undefined ? "" : ` [open: ${allow}]`);
}

function titled(rows: Row[]): [string, string, Row][] {
  return rows.map((row) => [nameOf(row), row.outcome, row]);
}

async function observe(row: Row): Promise<{ outcome: string; tried: string[]; seen: number }> {
  const { port, seen } = await listeners();
  const url = row.url.replaceAll("PORT", String(port));
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", row.allow ?? "");
  resolveTo(...(row.answers ?? [[elsewhere]]));
  const tried = watchSockets(port);
  const outcome = await outcomeOf(egressFetch(url, request));
  const places = tried.map((place) => place.replace(new RegExp(`:${port}$`), ":PORT"));
  printed.push([nameOf(row), outcome, places.join(", ") || "none", `${seen()}`]);
  return { outcome, tried: places, seen: seen() };
}

function refused(outcome: string, urls: string[], changes: Partial<Row> = {}): Row[] {
  return urls.map((url) => ({ url, outcome, ...changes }));
}

function hosts(...names: string[]): string[] {
  return names.map((name) => `https://${name}:PORT/`);
}

const spellings = hosts(...loopbackSpellings);
const ranges = hosts(...specialAddresses);

const named: Row[] = [
  { url: "https://localhost:PORT/", answers: [["127.0.0.1", "::1"]], outcome: "private_address" },
  { url: "https://localhost.:PORT/", answers: [["127.0.0.1"]], outcome: "private_address" },
  { url: "https://a.localhost:PORT/", answers: [["::1"]], outcome: "private_address" },
  ...[
    ["127.0.0.1"],
    ["10.0.0.1"],
    // What a resolver makes of a CNAME to inside: the address at its end.
    ["192.168.7.7"],
    ["169.254.169.254"],
    [elsewhere, "127.0.0.1"],
    [elsewhere, "::1"],
    [elsewhere, "fd00::1"],
    [elsewhere, "::ffff:127.0.0.1"],
    ["2606:4700:4700::1111", "127.0.0.1"],
    ["fe80::1%eth0"],
    [],
  ].map((answer) => ({ url: "https://hooks.test:PORT/", answers: [answer], outcome: "private_address" })),
];

const rebinding: Row[] = [
  {
    url: "https://hooks.test:PORT/",
    answers: [[elsewhere], ["127.0.0.1"]],
    outcome: "connect_refused",
    tried: [`${elsewhere}:PORT`],
  },
  {
    url: "https://hooks.test:PORT/",
    answers: [["127.0.0.2"], ["127.0.0.1"]],
    allow: "127.0.0.2/32",
    outcome: "200",
    tried: ["127.0.0.2:PORT"],
  },
  {
    url: "https://hooks.test:PORT/moved",
    answers: [["127.0.0.2"]],
    allow: "127.0.0.2/32",
    outcome: "redirect",
    tried: ["127.0.0.2:PORT"],
  },
];

const urls: Row[] = [
  ...refused("own_host", [
    "https://abcdefghijklmnopqrst.supabase.co/functions/v1/send-mail",
    "https://ABCDEFGHIJKLMNOPQRST.supabase.co./",
    "https://abcdefghijklmnopqrst.functions.supabase.co/",
    "https://abcdefghijklmnopqrst.storage.supabase.co/",
    "https://db.abcdefghijklmnopqrst.supabase.co/",
  ]),
  ...refused("userinfo", [
    "https://user:secret@hooks.test:PORT/",
    "https://user@hooks.test/",
    "https://:secret@hooks.test/",
    "https://93.184.215.14@127.0.0.1:PORT/",
  ]),
  ...refused("https_required", [
    "http://hooks.test/",
    "http://hooks.test:8080/",
    "ftp://hooks.test/",
    "ws://hooks.test/",
    "file:///etc/passwd",
    "data:text/plain,x",
  ]),
  ...refused("invalid_url", [
    "https://",
    "hooks.test",
    "//hooks.test/",
    "https://hooks.test/\r\nx",
    "https://hooks.\ttest/",
    " https://hooks.test/",
    "https://[fe80::1%25eth0]/",
    "https://256.0.0.1/",
    "https://1.2.3.4.5/",
    "https://hooks.test:65536/",
  ]),
  ...refused("private_address", [
    "https:127.0.0.1:PORT",
    "https:\\\\127.0.0.1:PORT\\",
    "https:///127.0.0.1:PORT/",
    "https://127.0.0.1:PORT#@93.184.215.14/",
    "https://127.0.0.1:PORT?@93.184.215.14/",
  ]),
];

const ports: Row[] = [
  ...refused(
    "blocked_port",
    [0, 1, 21, 22, 25, 53, 80, 110, 444, 465, 587, 993, 1023, 2049, 5060, 6000, 6667, 10080].map((port) =>
      `https://hooks.test:${port}/`
    ),
  ),
  ...["443", "1024", "8443", "65535"].map((port) => ({
    url: `https://hooks.test:${port}/`,
    outcome: "connect_refused",
    tried: [`${elsewhere}:${port}`],
  })),
];

const opened: Row[] = [
  { url: "https://127.0.0.2:PORT/", allow: "127.0.0.2/32", outcome: "200", tried: ["127.0.0.2:PORT"] },
  { url: "https://127.2:PORT/", allow: "127.0.0.2/32", outcome: "200", tried: ["127.0.0.2:PORT"] },
  {
    url: "http://127.0.0.2:25/",
    allow: "127.0.0.2/32",
    outcome: "connect_refused",
    tried: ["127.0.0.2:25"],
  },
  { url: "http://10.1.2.3/", allow: "10.0.0.0/8", outcome: "connect_refused", tried: ["10.1.2.3:80"] },
  {
    url: "https://[fd00::1]:6000/",
    allow: "fd00::/8",
    outcome: "connect_refused",
    tried: ["fd00::1:6000"],
  },
  { url: "https://127.0.0.1:PORT/", allow: "127.0.0.2/32", outcome: "private_address" },
  { url: "https://[::ffff:127.0.0.2]:PORT/", allow: "127.0.0.2/32", outcome: "private_address" },
  {
    url: "https://hooks.test:PORT/",
    answers: [["127.0.0.2", "127.0.0.1"]],
    allow: "127.0.0.2/32",
    outcome: "private_address",
  },
  {
    url: "http://hooks.test:PORT/",
    answers: [["127.0.0.2", elsewhere]],
    allow: "127.0.0.2/32",
    outcome: "https_required",
  },
  {
    url: "https://hooks.test:25/",
    answers: [["127.0.0.2", elsewhere]],
    allow: "127.0.0.2/32",
    outcome: "blocked_port",
  },
];

describe("promise 9: no packet leaves to an address that is not public, seen at the socket", () => {
  test.each(titled([
    ...refused("private_address", [...spellings, ...ranges]),
    ...named,
    ...urls,
    ...ports,
    ...rebinding,
    ...opened,
  ]))("%s is %s", async (_, __, row) => {
    const { outcome, tried, seen } = await observe(row);
    expect({ outcome, tried }).toEqual({ outcome: row.outcome, tried: row.tried ?? [] });
    expect(seen).toBe(tried.filter((place) => place === "127.0.0.2:PORT").length);
  });
});

const stored = [
  ...refused("private_address", [...spellings, ...ranges]),
  ...named,
  ...urls,
  ...ports.filter((row) => row.outcome === "blocked_port"),
];

test.each(titled(stored))("%s is %s when it is stored, too", async (_, outcome, { url, answers }) => {
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
  resolveTo(...(answers ?? [[elsewhere]]));
  const tried = watchSockets(0);
  expect(await outcomeOf(checkDestination(url.replace("PORT", "4000")))).toBe(outcome);
  expect(tried).toEqual([]);
});

test("an SMTP host has no port for the web to keep to, and the same addresses", async () => {
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
  resolveTo([elsewhere]);
  expect(await resolveChecked("smtp.test")).toMatchObject({ address: elsewhere });
  for (const url of [...spellings, ...ranges]) {
    const host = url.slice("https://".length, -":PORT/".length);
    await expect(resolveChecked(host)).rejects.toMatchObject({ code: "private_address" });
  }
});
