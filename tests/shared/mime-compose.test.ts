import fc from "fast-check";
import PostalMime from "postal-mime";
import { describe, expect, test } from "vitest";
import type { Address } from "../../shared/addresses.ts";
import { composeMessage } from "../../shared/mime-compose.ts";
import type { OutgoingMessage } from "../../shared/providers/contract.ts";
import { outgoing } from "../support/outgoing.ts";

const secrets = { tags: ["secret-tag"], metadata: { secret: "metadata" } };

async function composed(changes: Partial<OutgoingMessage> = {}): Promise<string> {
  return Buffer.from(await composeMessage(outgoing({ ...secrets, ...changes }))).toString("latin1");
}

function parsed(text: string) {
  return PostalMime.parse(Buffer.from(text, "latin1"));
}

/** Names of the header's fields, in lower case, as a reader that knows only RFC 5322 sees them. */
function fieldNames(raw: string): string[] {
  const header = raw.slice(0, raw.indexOf("\r\n\r\n"));
  const lines = header.split("\r\n").filter((line) => !/^[ \t]/.test(line));
  return lines.map((line) => /^([!-9;-~]+):/.exec(line)?.[1]?.toLowerCase() ?? `not a field: ${line}`);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("everything that was given arrives", () => {
  test("addresses, subject, bodies, ids, date and custom headers", async () => {
    const raw = await composed({
      from: { email: "ada@xn--bcher-kva.example", name: "Größe, 日本 “Co”" },
      to: [{ email: '"a b"@example.net', name: 'Bob "B" \\' }, { email: "c@example.net", name: null }],
      cc: [{ email: "d@example.net", name: "=Dee=" }],
      reply_to: [{ email: "r@example.net", name: null }, { email: "s@example.net", name: null }],
      subject: "Grüße 😀 " + "very long ".repeat(30) + "end",
      text: "Zeile 1\nZeile ü\r\n.\r\nFrom here\r\n" + "x".repeat(2000),
      html: "<p>Grüße</p>" + "y".repeat(2000),
      headers: {
        "X-MyApp-ID": "42",
        "List-Unsubscribe": `<https://x.test/${"u".repeat(300)}>`,
        "X-Umlaut": "Größe",
      },
      in_reply_to: "<parent@x.test>",
      references: ["<root@x.test>", "<parent@x.test>"],
    });
    const mail = await parsed(raw);
    expect(mail.from).toEqual({ address: "ada@xn--bcher-kva.example", name: "Größe, 日本 “Co”" });
    expect(mail.to).toEqual([{ address: '"a b"@example.net', name: 'Bob "B" \\' }, {
      address: "c@example.net",
      name: "",
    }]);
    expect(mail.cc).toEqual([{ address: "d@example.net", name: "=Dee=" }]);
    expect(mail.replyTo?.map((each) => each.address)).toEqual(["r@example.net", "s@example.net"]);
    expect(mail.subject).toBe("Grüße 😀 " + "very long ".repeat(30) + "end");
    expect(mail.text?.replaceAll("\r", "").trim()).toBe(
      "Zeile 1\nZeile ü\n.\nFrom here\n" + "x".repeat(2000),
    );
    expect(mail.html?.trim()).toBe("<p>Grüße</p>" + "y".repeat(2000));
    expect(mail.messageId).toBe("<msg_01@example.com>");
    expect(mail.inReplyTo).toBe("<parent@x.test>");
    expect(mail.references).toBe("<root@x.test> <parent@x.test>");
    expect(raw).toContain("\r\nDate: Thu, 02 Jan 2025 03:04:05 +0000\r\n");
    expect(raw).toContain("X-MyApp-ID: 42\r\n");
    expect(mail.headers.find((header) => header.key === "list-unsubscribe")?.value).toBe(
      `<https://x.test/${"u".repeat(300)}>`,
    );
  });

  test("files with their names, types, ids and bytes, whatever the type says", async () => {
    const binary = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256);
    const attachments = [
      {
        filename: 'résumé 日本 "x"; a=b.pdf',
        content_type: "application/pdf",
        content_id: null,
        bytes: binary,
      },
      { filename: "logo.png", content_type: "image/png", content_id: "logo@x", bytes: binary.slice(0, 10) },
      {
        filename: "a.txt",
        content_type: 'text/plain; charset="iso-8859-1"',
        content_id: null,
        bytes: Uint8Array.of(0xfc, 0, 10, 13),
      },
      {
        filename: "empty.bin",
        content_type: "application/octet-stream",
        content_id: null,
        bytes: new Uint8Array(),
      },
      {
        filename: "m.eml",
        content_type: "message/rfc822",
        content_id: null,
        bytes: bytes("Subject: x\n\n\0\xff"),
      },
      {
        filename: "m.bin",
        content_type: 'multipart/mixed; boundary="x"',
        content_id: null,
        bytes: bytes("--x--"),
      },
      { filename: "e.bin", content_type: "x\r\nBcc: y@z.test", content_id: null, bytes: bytes("e") },
    ];
    const mail = await parsed(await composed({ html: '<img src="cid:logo@x">', attachments }));
    const byName = new Map(mail.attachments.map((each) => [each.filename, each]));
    for (const { filename, bytes: content } of attachments) {
      expect([filename, Buffer.from(byName.get(filename)?.content as ArrayBuffer).equals(content)]).toEqual([
        filename,
        true,
      ]);
    }
    expect(byName.get("logo.png")).toMatchObject({
      mimeType: "image/png",
      contentId: "<logo@x>",
      disposition: "inline",
    });
    expect(byName.get("a.txt")?.mimeType).toBe("text/plain");
    for (const odd of ["m.eml", "m.bin", "e.bin"]) {
      expect(byName.get(odd)?.mimeType).toBe("application/octet-stream");
    }
  });

  test("a message without a body, and one with HTML only", async () => {
    expect((await parsed(await composed({ text: null }))).text ?? "").toBe("");
    const mail = await parsed(await composed({ text: null, html: "<b>x</b>" }));
    expect([mail.text, mail.html?.trim()]).toEqual([undefined, "<b>x</b>"]);
  });
});

test("blind recipients, tags and metadata are nowhere in the message", async () => {
  const raw = await composed({ bcc: [{ email: "hidden@secret.example", name: "Hidden" }], html: "<p>x</p>" });
  expect(raw).not.toMatch(/hidden|secret|bcc/i);
});

test("the same message gives the same bytes on every try, another gives another boundary", async () => {
  const message = {
    html: "<p>x</p>",
    attachments: [{ filename: "a", content_type: "a/b", content_id: null, bytes: bytes("a") }],
  };
  expect(await composed(message)).toBe(await composed(message));
  const boundary = (raw: string) => /boundary="([^"]+)"/.exec(raw)?.[1];
  expect(boundary(await composed(message))).not.toBe(
    boundary(await composed({ ...message, html: "<p>y</p>" })),
  );
});

test("no content can hold the delimiter of its own message", async () => {
  const first = await composed({ html: "<p>x</p>" });
  const delimiter = `--${/boundary="([^"]+)"/.exec(first)?.[1]}`;
  const mail = await parsed(
    await composed({ html: "<p>x</p>", text: `${delimiter}\r\nContent-Type: text/x-evil\r\n\r\nevil` }),
  );
  expect(mail.attachments).toEqual([]);
  expect(mail.text).toContain("evil");
});

test("lines end in CRLF only and none is longer than 998 octets", async () => {
  const raw = await composed({
    text: "a\nb\rc\r\nd" + "x".repeat(5000),
    html: "<p>" + "y".repeat(5000),
    headers: { "X-Long": "z".repeat(990) },
    subject: "word ".repeat(180),
    references: Array.from({ length: 50 }, (_, index) => `<${"r".repeat(200)}${index}@x.test>`),
  });
  expect(/[\r\n]/.test(raw.replaceAll("\r\n", ""))).toBe(false);
  expect(Math.max(...raw.split("\r\n").map((line) => line.length))).toBeLessThanOrEqual(998);
});

test("no folded line is blank, which a server on the way could take for the end of the header", async () => {
  const blanks = `a${" ".repeat(400)}b`;
  const raw = await composed({
    subject: blanks,
    headers: { "X-A": blanks },
    from: { email: "a@b.test", name: blanks },
  });
  const header = raw.slice(0, raw.indexOf("\r\n\r\n"));
  expect(header.split("\r\n").filter((line) => line.trim() === "")).toEqual([]);
});

test("an id without its brackets gets them", async () => {
  const raw = await composed({ in_reply_to: "p@x.test", references: ["r@x.test", "<p@x.test>"] });
  expect(raw).toContain("In-Reply-To: <p@x.test>\r\nReferences: <r@x.test> <p@x.test>\r\n");
});

test("a malformed id is left out, the good ones stay", async () => {
  const raw = await composed({
    in_reply_to: "no id",
    references: ["b a d", "<a b@x>", "<ok@x.test>", "<ü@x>", "<a@x>\r\nBcc: y@z.test"],
  });
  expect(fieldNames(raw)).not.toContain("in-reply-to");
  expect(raw).toContain("References: <ok@x.test>\r\n");
});

test("a header a caller may not set is a fault, not silently dropped", async () => {
  for (
    const headers of [{ Bcc: "x@y.test" }, { "X-A": "a\r\nBcc: x@y.test" }, { "X A": "b" }, {
      "content-type": "x",
    }]
  ) {
    await expect(composeMessage(outgoing({ headers }))).rejects.toThrow(TypeError);
  }
});

describe("no field can add a header, a recipient or a part", () => {
  const nasty = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.array(
      fc.constantFrom(
        "\r",
        "\n",
        "\r\n",
        "\0",
        "\u2028",
        "\ud800",
        "\udc00",
        " ",
        "\t",
        '"',
        "\\",
        "<",
        ">",
        ",",
        ";",
        ":",
        "=?utf-8?Q?=0D=0A?=",
        "Bcc: x@evil.example",
        "\r\n\r\n",
        "--",
        "@",
        "a",
        "ü",
        "😀",
        "Content-Type: text/x-evil",
        "%0d%0a",
        "(",
        ")",
        "x".repeat(80),
        "\u2028".repeat(80),
        "\u00a0".repeat(80),
        " ".repeat(80),
      ),
      { maxLength: 12 },
    ).map((parts) => parts.join("")),
  );
  const address = fc.record({ email: nasty.map((text) => `${text}a@b.test`), name: fc.option(nasty) });
  const file = fc.record({
    filename: nasty,
    content_type: fc.oneof(
      nasty,
      nasty.map((text) => `text/plain; charset=${text}`),
      nasty.map((text) => `text/plain; x="${text}"`),
    ),
    content_id: fc.option(nasty),
    bytes: fc.uint8Array({ maxLength: 20 }),
  });
  const message = fc.record({
    from: address,
    to: fc.array(address, { minLength: 1, maxLength: 3 }),
    cc: fc.array(address, { maxLength: 2 }),
    bcc: fc.constant<Address[]>([{ email: "hidden@secret.example", name: "Hidden" }]),
    reply_to: fc.array(address, { maxLength: 2 }),
    subject: nasty,
    text: fc.option(nasty),
    html: fc.option(nasty),
    headers: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.dictionary(fc.constantFrom("X-A", "x-a", "List-Id"), nasty.map(allowed), {
          maxKeys: 2,
        }),
      },
      { weight: 1, arbitrary: fc.dictionary(fc.oneof(nasty, fc.constant("Bcc")), nasty, { maxKeys: 2 }) },
    ),
    attachments: fc.array(file, { maxLength: 2 }),
    message_id: fc.oneof(
      { weight: 9, arbitrary: fc.constant("<a@x.test>") },
      { weight: 1, arbitrary: nasty.map((text) => `<${text}@x.test>`) },
    ),
    in_reply_to: fc.option(nasty),
    references: fc.array(nasty, { maxLength: 3 }),
  });
  const once = new Set([
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
  ]);

  let composedOnes = 0;

  /** Past the refusals, so that what is let through is tried too. */
  function allowed(text: string): string {
    return `x ${text.replace(/[\p{Cc}\u2028\u2029]|=\?/gu, "")} x`;
  }

  async function check(changes: Partial<OutgoingMessage>): Promise<void> {
    const given = Object.keys(changes.headers ?? {}).map((name) => name.toLowerCase());
    let raw: string;
    try {
      raw = await composed(changes);
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      return;
    }
    composedOnes++;
    const names = fieldNames(raw);
    expect(names.filter((name) => !once.has(name) && !given.includes(name))).toEqual([]);
    expect(names.length).toBe(new Set(names).size + (given.length - new Set(given).size));
    expect(raw).not.toMatch(/secret/);
    const mail = await parsed(raw);
    expect(mail.attachments.length).toBeLessThanOrEqual(changes.attachments?.length ?? 0);
    expect(mail.bcc).toBeUndefined();
    const shown = [mail.subject, mail.from?.name, ...mail.attachments.map((each) => each.filename)];
    expect(shown.filter((each) => /\p{Cc}|[\u2028\u2029]/u.test(each ?? ""))).toEqual([]);
  }

  test("in 3,000 messages of hostile fields", async () => {
    composedOnes = 0;
    await fc.assert(fc.asyncProperty(message, check), { numRuns: 3000 });
    expect(composedOnes).toBeGreaterThan(1500);
  }, 120_000);
});
