import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMessage } from "../../shared/mime-parse.ts";

/** Latin-1 in, so that a test can write any byte; lines joined with CRLF. */
function raw(...lines: string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.join("\r\n"), "latin1"));
}

function utf8(...lines: string[]): Uint8Array {
  return new TextEncoder().encode(lines.join("\r\n"));
}

const base64 = (bytes: Uint8Array | string): string =>
  Buffer.from(bytes as string).toString("base64").replace(/(.{76})/g, "$1\r\n");
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
const envelope = [
  "From: Ada <ada@example.com>",
  "To: bob@example.net",
  "Subject: Hi",
  "Message-ID: <a@x.test>",
  "Date: Thu, 2 Jan 2025 03:04:05 +0100",
];

async function timed(message: Uint8Array) {
  const started = performance.now();
  const parsed = await parseMessage(message);
  expect(performance.now() - started).toBeLessThan(2_000);
  return parsed;
}

describe("mail as the world sends it", () => {
  test("Gmail: alternatives, a file and an encoded subject", async () => {
    const pdf = Uint8Array.from({ length: 5000 }, (_, index) => index % 256);
    const mail = await parseMessage(utf8(
      "Delivered-To: bob@example.net",
      "Received: by 2002:a05:6402:1234:b0:5d0 with SMTP id x; Thu, 2 Jan 2025 03:04:05 -0800 (PST)",
      "MIME-Version: 1.0",
      "References: <root@mail.gmail.com> <parent@mail.gmail.com>",
      "In-Reply-To: <parent@mail.gmail.com>",
      "From: =?UTF-8?Q?J=C3=BCrgen_Gro=C3=9F?= <Juergen@GMAIL.com>",
      "Date: Thu, 2 Jan 2025 12:04:05 +0100",
      "Message-ID: <CAHk-abc+def=x@mail.gmail.com>",
      "Subject: =?UTF-8?B?R3LDvMOfZSDwn5iA?= =?UTF-8?B?IGF1cyBCZXJsaW4=?=",
      'To: "Lovelace, Ada" <ada@example.net>, team: b@example.net, c@example.net;',
      "Cc: d@example.net",
      "Reply-To: answers@example.com",
      'Content-Type: multipart/mixed; boundary="000000000000abc"',
      "",
      "--000000000000abc",
      'Content-Type: multipart/alternative; boundary="000000000000def"',
      "",
      "--000000000000def",
      'Content-Type: text/plain; charset="UTF-8"',
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "Gr=C3=BC=C3=9Fe=20",
      "aus =F0=9F=98=80 Ber=",
      "lin",
      "",
      "--000000000000def",
      'Content-Type: text/html; charset="UTF-8"',
      "",
      '<div dir="ltr">Grüße</div>',
      "",
      "--000000000000def--",
      "--000000000000abc",
      "Content-Type: application/pdf; name*=UTF-8''r%C3%A9sum%C3%A9.pdf",
      "Content-Disposition: attachment; filename*0*=UTF-8''r%C3%A9s; filename*1=ume.pdf",
      "Content-Transfer-Encoding: base64",
      "Content-ID: <f_abc>",
      "X-Attachment-Id: f_abc",
      "",
      base64(pdf),
      "--000000000000abc--",
    ));
    expect(mail).toMatchObject({
      from: { email: "Juergen@gmail.com", name: "Jürgen Groß" },
      to: [{ email: "ada@example.net", name: "Lovelace, Ada" }, { email: "b@example.net", name: null }, {
        email: "c@example.net",
        name: null,
      }],
      cc: [{ email: "d@example.net", name: null }],
      reply_to: [{ email: "answers@example.com", name: null }],
      subject: "Grüße 😀 aus Berlin",
      date: "2025-01-02T11:04:05.000Z",
      message_id: "<CAHk-abc+def=x@mail.gmail.com>",
      in_reply_to: "<parent@mail.gmail.com>",
      references: ["<root@mail.gmail.com>", "<parent@mail.gmail.com>"],
      snippet: "Grüße aus 😀 Berlin",
      defects: [],
    });
    expect(mail.text?.trim()).toBe("Grüße \naus 😀 Berlin");
    expect(mail.html?.trim()).toBe('<div dir="ltr">Grüße</div>');
    expect(mail.attachments).toMatchObject([{
      filename: "résume.pdf",
      content_type: "application/pdf",
      content_id: "f_abc",
      disposition: "attachment",
    }]);
    expect(Buffer.from(mail.attachments[0]?.bytes ?? []).equals(pdf)).toBe(true);
    expect(mail.headers[0]).toEqual({ name: "Delivered-To", value: "bob@example.net" });
  });

  test("Outlook: related images, a non-standard boundary and winmail.dat", async () => {
    const mail = await parseMessage(raw(
      ...envelope,
      'Content-Type: multipart/related; boundary="_004_AM0PR01MB=_"; type="multipart/alternative"',
      "",
      "--_004_AM0PR01MB=_",
      'Content-Type: multipart/alternative; boundary="_000_AM0PR01MB_"',
      "",
      "--_000_AM0PR01MB_",
      'Content-Type: text/plain; charset="Windows-1252"',
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "Gr=FC=DFe",
      "--_000_AM0PR01MB_",
      'Content-Type: text/html; charset="Windows-1252"',
      "Content-Transfer-Encoding: 8bit",
      "",
      '<p>Gr\xfc\xdfe <img src="cid:image001.png@01D"></p>',
      "--_000_AM0PR01MB_--",
      "--_004_AM0PR01MB=_",
      'Content-Type: image/png; name="image001.png"',
      'Content-Disposition: inline; filename="image001.png"; size=3',
      "Content-ID: <image001.png@01D>",
      "Content-Transfer-Encoding: base64",
      "",
      "AQID",
      "--_004_AM0PR01MB=_",
      'Content-Type: application/ms-tnef; name="winmail.dat"',
      "Content-Transfer-Encoding: base64",
      "",
      base64('x\x9f>"tnef'),
      "--_004_AM0PR01MB=_--",
    ));
    expect([mail.text?.trim(), mail.html?.trim()]).toEqual([
      "Grüße",
      '<p>Grüße <img src="cid:image001.png@01D"></p>',
    ]);
    expect(
      mail.attachments.map((each) => [each.filename, each.content_type, each.content_id, each.disposition]),
    ).toEqual([
      ["image001.png", "image/png", "image001.png@01D", "inline"],
      ["winmail.dat", "application/ms-tnef", null, "attachment"],
    ]);
  });

  test("ISO-2022-JP, in the subject, in a name and in the body", async () => {
    const mail = await parseMessage(raw(
      "From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <yamada@example.jp>",
      "To: bob@example.net",
      "Subject: =?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=",
      "Content-Type: text/plain; charset=ISO-2022-JP",
      "Content-Transfer-Encoding: 7bit",
      "",
      "\x1b$B$3$s$K$A$O\x1b(B",
    ));
    expect([mail.from?.name, mail.subject, mail.text?.trim()]).toEqual(["山田", "こんにちは", "こんにちは"]);
  });

  test.each([
    ["iso-8859-1", "Gr\xfc\xdfe", "Grüße"],
    ["gb18030", "\xc4\xe3\xba\xc3", "你好"],
    ["koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"],
    ["utf-8mb4", "Gr\xc3\xbc", /^Gr/],
    ["x-unknown", "Gr\xfc\xdfe", /^Gr/],
    ["utf-7", "Gr+APw-", /^Gr/],
    ["utf-8", "Gr\xfc\xdfe", "Gr\ufffd\ufffde"],
  ])("a body in %s", async (charset, body, expected) => {
    const mail = await parseMessage(
      raw(
        ...envelope,
        `Content-Type: text/plain; charset=${charset}`,
        "Content-Transfer-Encoding: 8bit",
        "",
        body,
      ),
    );
    expect(mail.text).toMatch(expected);
  });

  test("8-bit text without any declaration, and 8-bit in the header", async () => {
    const mail = await parseMessage(
      raw("From: J\xfcrgen <j@example.com>", "Subject: Gr\xfc\xdfe", "", "Gr\xfc\xdfe"),
    );
    expect([mail.from, mail.subject, mail.text]).toEqual([
      { email: "j@example.com", name: "J\ufffdrgen" },
      "Gr\ufffd\ufffde",
      expect.stringMatching(/^Gr/),
    ]);
  });

  test("a bounce keeps the status report and the returned message as files", async () => {
    const mail = await parseMessage(raw(
      "Return-Path: <>",
      "From: MAILER-DAEMON@mail.example.com (Mail Delivery System)",
      "Subject: Undelivered Mail Returned to Sender",
      "Auto-Submitted: auto-replied",
      "Content-Type: multipart/report; report-type=delivery-status; boundary=B",
      "",
      "--B",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "I could not deliver.",
      "--B",
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; mail.example.com",
      "",
      "Final-Recipient: rfc822; nobody@example.net",
      "Action: failed",
      "Status: 5.1.1",
      "--B",
      "Content-Type: message/rfc822",
      "",
      "From: ada@example.com",
      "Subject: Hi",
      "",
      "the original",
      "--B--",
    ));
    expect(mail.from?.email).toBe("MAILER-DAEMON@mail.example.com");
    expect(mail.text?.trim()).toBe("I could not deliver.");
    expect(mail.attachments.map((each) => each.content_type)).toEqual([
      "message/delivery-status",
      "message/rfc822",
    ]);
    expect(text(mail.attachments[0]?.bytes)).toContain("Status: 5.1.1");
    expect(text(mail.attachments[1]?.bytes)).toContain("the original");
  });

  test("a forwarded message is a file and lends nothing to the one around it", async () => {
    const inner = [
      "From: evil@example.org",
      "Subject: inner",
      "Content-Type: multipart/mixed; boundary=I",
      "",
      "--I",
      "Content-Type: text/html",
      "",
      "<p>inner</p>",
      "--I--",
    ];
    const mail = await parseMessage(
      raw(
        ...envelope,
        "Content-Type: multipart/mixed; boundary=O",
        "",
        "--O",
        "",
        "outer",
        "--O",
        "Content-Type: message/rfc822",
        "",
        ...inner,
        "--O--",
      ),
    );
    expect([mail.from?.email, mail.subject, mail.text?.trim(), mail.html]).toEqual([
      "ada@example.com",
      "Hi",
      "outer",
      null,
    ]);
    expect(mail.attachments).toMatchObject([{ content_type: "message/rfc822" }]);
    expect(text(mail.attachments[0]?.bytes)).toContain("<p>inner</p>");
  });

  test("calendar, AMP, signed and encrypted parts are kept", async () => {
    const types = [
      "text/calendar; method=REQUEST",
      "text/x-amp-html",
      "application/pkcs7-signature",
      "application/pgp-encrypted",
    ];
    const parts = types.flatMap((type) => ["--B", `Content-Type: ${type}`, "", "content"]);
    const mail = await parseMessage(
      raw(...envelope, "Content-Type: multipart/mixed; boundary=B", "", "--B", "", "body", ...parts, "--B--"),
    );
    expect(mail.attachments.map((each) => each.content_type)).toEqual(
      types.map((type) => type.split(";")[0]),
    );
  });

  test("HTML alone leaves the text empty and still has a snippet, without styles, scripts and tags", async () => {
    const html =
      "<html><head><title>T</title><style>p{}</style></head><body><!-- c --><p>Hello&nbsp;&amp; <b>good&#32;bye</b> &#x1F600; &#xD800; &bogus;</p><script>x()</script></body></html>";
    const mail = await parseMessage(raw(...envelope, "Content-Type: text/html", "", html));
    expect([mail.text, mail.snippet]).toEqual([null, "Hello & good bye 😀 &bogus;"]);
  });

  test("the snippet is 200 whole characters on one line", async () => {
    const mail = await parseMessage(
      utf8(...envelope, "Content-Type: text/plain; charset=utf-8", "", "a\r\n\r\n b\t", "😀".repeat(500)),
    );
    expect(mail.snippet).toBe(`a b ${"😀".repeat(196)}`);
  });
});

describe("what is wrong is named and the rest is read", () => {
  test.each([
    ["no header at all", ["just text"], ["missing_from"]],
    ["an empty message", [""], ["missing_from"]],
    ["a header that never ends", ["From: ada@example.com", "Subject: x"], []],
    ["a date that is none", ["From: ada@example.com", "Date: yesterday", "", ""], ["invalid_date"]],
    ["a date far out", ["From: ada@example.com", "Date: 1 Jan 275000 00:00:00", "", ""], ["invalid_date"]],
    ["two senders", ["From: ada@example.com", "From: evil@example.org", "", ""], ["duplicate_header"]],
    ["two ids", ["From: ada@example.com", "Message-ID: <a@x>", "message-id: <b@x>", "", ""], [
      "duplicate_header",
    ]],
    ["a sender without a domain", ["From: root (Cron)", "", ""], ["invalid_address"]],
    ["a sender at an IP address", ["From: a@[192.0.2.1]", "", ""], ["invalid_address"]],
    ["a name that is another address", ['From: "ceo@bank.example" <x@evil.example>', "", ""], [
      "suspicious_display_name",
    ]],
    ["a name that turns the direction", ["From: =?utf-8?Q?a=E2=80=AEb?= <x@evil.example>", "", ""], [
      "suspicious_display_name",
    ]],
  ])("%s", async (_, lines, defects) => {
    expect((await parseMessage(raw(...lines))).defects).toEqual(defects);
  });

  test("a name that repeats its own address is not suspicious", async () => {
    expect((await parseMessage(raw('From: "Ada@Example.com" <ada@example.com>', "", ""))).defects).toEqual(
      [],
    );
  });

  test("an address that is none is kept as it was written", async () => {
    const mail = await parseMessage(
      raw("From: MAILER-DAEMON", "To: undisclosed-recipients:;", "Cc: a@[192.0.2.1], b@example.net", "", ""),
    );
    expect(mail.from).toEqual({ email: "MAILER-DAEMON", name: null });
    expect([mail.to, mail.cc]).toEqual([[], [{ email: "a@[192.0.2.1]", name: null }, {
      email: "b@example.net",
      name: null,
    }]]);
  });

  test("ids without brackets, with junk around them, or none", async () => {
    const mail = await parseMessage(
      raw(
        "From: a@b.test",
        "Message-ID: bare@x.test",
        "In-Reply-To: Your message of Monday <p@x.test>",
        "References: <a@x> junk <b@x>\t<a@x>",
        "",
        "",
      ),
    );
    expect([mail.message_id, mail.in_reply_to, mail.references]).toEqual(["<bare@x.test>", "<p@x.test>", [
      "<a@x>",
      "<b@x>",
    ]]);
    const none = await parseMessage(
      raw("From: a@b.test", "Message-ID: no id here", "References: <>", "", ""),
    );
    expect([none.message_id, none.in_reply_to, none.references]).toEqual([null, null, []]);
  });

  test("of 500 references the first and the nearest 49 are kept", async () => {
    const ids = Array.from({ length: 500 }, (_, index) => `<${index}@x.test>`);
    const mail = await parseMessage(raw("From: a@b.test", `References: ${ids.join("\r\n ")}`, "", ""));
    expect(mail.references).toEqual([ids[0], ...ids.slice(-49)]);
  });

  test("a boundary that never comes, one that is a prefix of another, and one never closed", async () => {
    const never = await parseMessage(
      raw(...envelope, "Content-Type: multipart/mixed; boundary=B", "", "text without parts"),
    );
    expect(never.attachments).toEqual([]);
    const prefix = await parseMessage(
      raw(
        ...envelope,
        "Content-Type: multipart/mixed; boundary=B",
        "",
        "--B",
        "Content-Type: multipart/alternative; boundary=BB",
        "",
        "--BB",
        "",
        "inner",
        "--BB--",
        "--B",
        "Content-Disposition: attachment; filename=a.txt",
        "",
        "file",
        "--B--",
      ),
    );
    expect([prefix.text?.trim(), text(prefix.attachments[0]?.bytes).trim()]).toEqual(["inner", "file"]);
    const open = await parseMessage(
      raw(...envelope, "Content-Type: multipart/mixed; boundary=B", "", "--B", "", "to the end"),
    );
    expect(open.text?.trim()).toBe("to the end");
  });

  test("broken base64 and quoted-printable give what can be decoded", async () => {
    const part = (
      encoding: string,
      body: string,
    ) => [
      "--B",
      "Content-Disposition: attachment; filename=a",
      `Content-Transfer-Encoding: ${encoding}`,
      "",
      body,
    ];
    const mail = await parseMessage(
      raw(
        ...envelope,
        "Content-Type: multipart/mixed; boundary=B",
        "",
        ...part("base64", "aGVsbG8"),
        ...part("base64", "aGVs!!bG8=\r\n***"),
        ...part("quoted-printable", "a=ZZb=\r\n"),
        ...part("x-unknown", "as is"),
        "--B--",
      ),
    );
    expect(mail.attachments.map((each) => text(each.bytes).trim())).toEqual([
      "hello",
      "hello",
      "a=ZZb",
      "as is",
    ]);
  });

  test("names of files keep what was written, without controls", async () => {
    const names = ["../../etc/passwd", "C:\\\\x\\\\y.exe", "a=?utf-8?Q?=0D=0Ab?=c", "x".repeat(2000)];
    const parts = names.flatMap((
      name,
    ) => ["--B", `Content-Disposition: attachment; filename="${name}"`, "", "x"]);
    const mail = await parseMessage(
      raw(...envelope, "Content-Type: multipart/mixed; boundary=B", "", ...parts, "--B--"),
    );
    expect(mail.attachments.map((each) => each.filename)).toEqual([
      "../../etc/passwd",
      "C:\\x\\y.exe",
      "a bc",
      "x".repeat(1000),
    ]);
  });
});

describe("bombs are read in time, within caps, and named", () => {
  test("10,000 nested multiparts", async () => {
    const levels = Array.from(
      { length: 10_000 },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}`,
    );
    const mail = await timed(raw(...envelope, ...levels, "", "deep"));
    expect(mail).toMatchObject({ from: { email: "ada@example.com" }, subject: "Hi" });
    expect(mail.defects).toContain("too_deep");
  });

  test("what stands before the depth is still read", async () => {
    const levels = Array.from(
      { length: 300 },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}`,
    );
    const mail = await timed(
      raw(
        ...envelope,
        "Content-Type: multipart/mixed; boundary=B",
        "",
        "--B",
        "",
        "readable",
        "--B",
        ...levels,
        "",
        "deep",
      ),
    );
    expect([mail.text?.trim(), mail.defects]).toEqual(["readable", ["too_deep"]]);
  });

  test("100 levels are taken", async () => {
    const levels = Array.from(
      { length: 99 },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}`,
    );
    const mail = await timed(raw(...envelope, ...levels, "", "deep"));
    expect([mail.text?.trim(), mail.defects]).toEqual(["deep", []]);
  });

  test.each([
    ["announced plainly", "Content-Type: multipart/mixed; boundary=B"],
    ["announced with comments", "Content-Type: multi(x)part/mixed; bound(x)ary=B"],
    [
      "announced after a folded decoy",
      "Subject: x\r\n Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary*0=B",
    ],
    [
      "announced after a long header",
      `X-Long: ${"x".repeat(600_000)}\r\nContent-Type: multipart/mixed; boundary=B`,
    ],
  ])("two million parts %s", async (_, header) => {
    const mail = await timed(raw("From: ada@example.com", header, "", "--B\n\nx\n".repeat(2_000_000)));
    expect(mail.defects).toContain("too_many_parts");
    expect(mail.attachments.length).toBeLessThanOrEqual(1000);
  });

  test("2,000 files: 1,000 are kept", async () => {
    const mail = await timed(
      raw(
        ...envelope,
        "Content-Type: multipart/mixed; boundary=B",
        "",
        "--B\r\nContent-Disposition: attachment\r\n\r\nx\r\n".repeat(2000),
      ),
    );
    expect([mail.attachments.length, mail.defects]).toEqual([1000, ["too_many_parts"]]);
  });

  test("a plain text with any number of such lines is no bomb", async () => {
    const mail = await timed(
      raw(
        ...envelope,
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "-- comment\r\n".repeat(20_000),
        "end",
      ),
    );
    expect([mail.text?.trim().endsWith("end"), mail.defects]).toEqual([true, []]);
  });

  test("a header of 3 MB: the fields before it are read", async () => {
    const mail = await timed(raw(...envelope, `X-Bomb: ${"x".repeat(3_000_000)}`, "", "body"));
    expect(mail).toMatchObject({
      from: { email: "ada@example.com" },
      message_id: "<a@x.test>",
      defects: ["headers_too_large"],
    });
  });

  test("a header of 900 KB is shortened", async () => {
    const mail = await timed(raw(...envelope, `X-Bomb: ${"x".repeat(900_000)}`, "", "body"));
    expect(mail.headers.at(-1)?.value.length).toBe(8_192);
    expect([mail.text?.trim(), mail.defects]).toEqual(["body", ["header_shortened"]]);
  });

  test("10,000 headers: 500 are listed", async () => {
    const mail = await timed(
      raw(...envelope, ...Array.from({ length: 10_000 }, (_, index) => `X-${index}: x`), "", "body"),
    );
    expect([mail.headers.length, mail.text?.trim(), mail.defects]).toEqual([500, "body", [
      "too_many_headers",
    ]]);
  });

  test("20,000 recipients: 500 are listed", async () => {
    const list = Array.from({ length: 20_000 }, (_, index) => `"N ${index}" <${index}@example.net>`).join(
      ", ",
    );
    const mail = await timed(raw("From: a@b.test", `To: ${list}`, "", ""));
    expect([mail.to.length, mail.defects.includes("too_many_addresses")]).toEqual([500, true]);
  });

  test.each([
    ["folds", `Subject: ${"x\r\n ".repeat(200_000)}`],
    ["encoded words", `Subject: ${"=?utf-8?Q?=C3=BC?= ".repeat(50_000)}`],
    ["half encoded words", `Subject: ${"=?utf-8?Q?".repeat(90_000)}`],
    ["comments in a type", `Content-Type: text/plain${"(".repeat(900_000)}`],
    ["nested comments in an address", `To: ${"(".repeat(900_000)}`],
    ["angle brackets in an address", `To: ${"<".repeat(500_000)}`],
    ["angle brackets in references", `References: ${"<".repeat(900_000)}`],
    ["blanks", `Subject:${" ".repeat(900_000)}x`],
    ["parameters", `Content-Type: text/plain${"; a=b".repeat(150_000)}`],
    ["quotes", `From: ${'"'.repeat(900_000)}`],
    ["at signs", `From: ${"a@".repeat(400_000)}`],
  ])("a header of many %s", async (_, header) => {
    await timed(raw(header, "", "body"));
  });

  test.each([
    ["openings of a comment", "<!--".repeat(500_000)],
    ["openings of a style", "<style>".repeat(300_000)],
    ["tags that never end", "<a ".repeat(700_000)],
    ["entities", "&".repeat(2_000_000)],
    ["blanks", " ".repeat(2_000_000)],
  ])("HTML of many %s beside a text", async (_, html) => {
    const mail = await timed(
      raw(
        ...envelope,
        "Content-Type: multipart/mixed; boundary=B",
        "",
        "--B",
        "",
        "text",
        "--B",
        "Content-Type: text/html",
        "",
        html,
        "--B--",
      ),
    );
    expect(mail.snippet.startsWith("text")).toBe(true);
  });

  test("a body over two million characters is shortened, the file beside it is whole", async () => {
    const file = Buffer.alloc(20 * 1024 * 1024, 7);
    const message = raw(
      ...envelope,
      "Content-Type: multipart/mixed; boundary=B",
      "",
      "--B",
      "",
      "x".repeat(3_000_000),
      "--B",
      "Content-Disposition: attachment; filename=a",
      "Content-Transfer-Encoding: base64",
      "",
      base64(file),
      "--B--",
    );
    const mail = await parseMessage(message);
    expect([mail.text?.length, mail.defects]).toEqual([2_000_000, ["body_shortened"]]);
    expect(file.equals(Buffer.from(mail.attachments[0]?.bytes ?? []))).toBe(true);
  });
});

describe("whatever comes", () => {
  /** What Postgres text and jsonb refuse. */
  function storable(value: unknown): boolean {
    const json = JSON.stringify(value, (_, each: unknown) => each instanceof Uint8Array ? null : each);
    // An escape, not a backslash of the mail's own (which JSON doubles) before the letters of one.
    return !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(json);
  }

  test("NUL and half characters reach no string", async () => {
    const mail = await parseMessage(utf8(
      "From: =?utf-8?Q?a=00b?= <a@b.test>",
      "Subject: a\0b =?utf-16?B?2AA=?= =?utf-8?B?7aCA?=",
      "X-A: \0",
      "Message-ID: <a\0b@x>",
      "X\0Y: z",
      "Content-Type: multipart/mixed; boundary=B",
      "",
      "--B",
      "Content-Type: text/plain; charset=utf-16le",
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from([0x41, 0, 0, 0xd8, 0x42, 0]).toString("base64"),
      "--B",
      "Content-Type: text/html",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "a=00b",
      "--B",
      'Content-Type: a\0/b; name="a\0b"',
      "Content-ID: <a\0b>",
      "",
      "x",
      "--B--",
    ));
    expect(storable(mail)).toBe(true);
    expect(mail.subject).toMatch(/^ab /);
  });

  test("any bytes are read without a throw into text Postgres takes", async () => {
    const token = fc.constantFrom(
      "From: a@b.test",
      "To: ",
      "Subject: ",
      "Content-Type: multipart/mixed; boundary=B",
      "Content-Type: text/html; charset=",
      "Content-Transfer-Encoding: base64",
      "--B",
      "--B--",
      "\r\n",
      "\r\n\r\n",
      "\n",
      "\r",
      "\0",
      "=?utf-8?B?",
      "?=",
      "<",
      ">",
      '"',
      "\\",
      "(",
      ";",
      "\xff",
      "\xed\xa0\x80",
      "=00",
      "Date: ",
      "message/rfc822",
    );
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.oneof(token, fc.string({ maxLength: 8 })), { maxLength: 40 }).map((parts) =>
        new Uint8Array(Buffer.from(parts.join(""), "latin1"))
      ),
    );
    await fc.assert(
      fc.asyncProperty(message, async (bytes) => {
        expect(storable(await parseMessage(bytes))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  }, 60_000);
});
