import { Readable } from "node:stream";
import { mboxReader } from "mbox-reader";
import { describe, expect, test } from "vitest";
import { mboxEntry } from "../../shared/mbox.ts";

const at = new Date("2025-01-02T03:04:05.678Z");
const separator = "From a@x.example Thu Jan  2 03:04:05 2025\n";

function entry(message: string, sender = "a@x.example", received = at): string {
  return mboxEntry(new Uint8Array(Buffer.from(message, "latin1")), sender, received);
}

/** What an independent reader makes of a file, as strings of bytes. */
async function read(file: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { content } of mboxReader(Readable.from([Buffer.from(file, "latin1")]))) {
    found.push(content.toString("latin1"));
  }
  return found;
}

describe("an entry's first line", () => {
  test.each<[string, string]>([
    ["2025-01-02T03:04:05.678Z", "Thu Jan  2 03:04:05 2025"],
    ["2024-02-29T23:59:59.999Z", "Thu Feb 29 23:59:59 2024"],
    ["2026-12-31T00:00:00.000Z", "Thu Dec 31 00:00:00 2026"],
  ])("has %s as asctime writes it", (time, written) => {
    expect(entry("s\n", "a@x.example", new Date(time))).toBe(`From a@x.example ${written}\ns\n\n`);
  });

  test.each(["a b@x.example", "", "a@x.example\nFrom b", "gr\xfc\xdfe@x.example"])(
    "names nobody when the sender is %j",
    (sender) => expect(entry("s\n", sender)).toBe(`From MAILER-DAEMON Thu Jan  2 03:04:05 2025\ns\n\n`),
  );
});

describe("a line of a message", () => {
  test.each<[string, string]>([
    ["From here", ">From here"],
    ["From ", ">From "],
    [">From there", ">>From there"],
    [">>From there", ">>>From there"],
    ["From", "From"],
    ["From:a@x.example", "From:a@x.example"],
    [" From here", " From here"],
    ["> From here", "> From here"],
    ["so From here", "so From here"],
    ["from here", "from here"],
    // A line ends with LF in the file; a reader does not unquote behind anything else.
    ["one\rFrom here", "one\rFrom here"],
  ])("%j is written as %j, wherever it stands", async (line, written) => {
    const message = `${line}\nbetween\n${line}\n`;
    expect(entry(message)).toBe(`${separator}${written}\nbetween\n${written}\n\n`);
    const [found] = await read(entry(`S: x\n\n${message}`));
    expect(found?.trimEnd()).toBe(`S: x\n\n${message}`.trimEnd());
  });

  test("ends with LF, whichever end it had; a CR of its own stays", () => {
    expect(entry("a\r\nb\nc\rd\r\n")).toBe(`${separator}a\nb\nc\rd\n\n`);
    expect(entry("a\r\nFrom b\r\n")).toBe(`${separator}a\n>From b\n\n`);
  });
});

describe("an entry", () => {
  test("has every byte as it was", () => {
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
    expect(entry(all)).toBe(`${separator}${all}\n\n`);
  });

  test("takes the bytes of a view, and no others of its buffer", () => {
    const whole = new Uint8Array(Buffer.from("before|message|behind", "latin1"));
    expect(mboxEntry(whole.subarray(7, 14), "a@x.example", at)).toBe(`${separator}message\n\n`);
  });

  test.each(["S: x\n\nno newline at the end", "S: x\n\none\n", "S: x\n\ntwo\n\n", ""])(
    "of %j is followed by a blank line, so that the next is found",
    async (message) => {
      const file = entry(message) + entry("S: next\n\nbody\n");
      expect(file).toContain(`\n\n${separator}S: next`);
      expect((await read(file)).at(-1)?.trimEnd()).toBe("S: next\n\nbody");
    },
  );
});
