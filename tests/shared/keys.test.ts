import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { hashKey, isWholeKey, keyChecksum, keyShapes, mintKey, withoutKeys } from "../../shared/keys.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const wholeKey = fc.constantFrom("live" as const, "test" as const).map((kind) => mintKey(kind).plain);

afterEach(() => vi.restoreAllMocks());

function replaced(text: string, index: number, by: string): string {
  return text.slice(0, index) + by + text.slice(index + 1);
}

/** The random bytes a key is made of, in the order they are drawn; the last chunk repeats. */
function draw(...chunks: number[][]): void {
  let drawn = 0;
  vi.spyOn(crypto, "getRandomValues").mockImplementation(
    ((bytes: Uint8Array) => {
      const chunk = chunks[Math.min(drawn++, chunks.length - 1)] ?? [];
      bytes.forEach((_, index) => (bytes[index] = chunk[index % chunk.length] ?? 0));
      return bytes;
    }) as never,
  );
}

describe("a key", () => {
  test.each(["live", "test"] as const)("of %s is 46 characters of [A-Za-z0-9_] after its prefix", (kind) => {
    const { plain, hash, last_four } = mintKey(kind);
    expect(plain).toMatch(new RegExp(`^mp_${kind}_[0-9A-Za-z]{38}$`));
    expect(plain).toHaveLength(46);
    expect(last_four).toBe(plain.slice(-4));
    expect(hash).toBe(createHash("sha256").update(plain).digest("hex"));
    expect(isWholeKey(plain)).toBe(true);
  });

  test("is never minted twice", () => {
    const minted = Array.from({ length: 1000 }, () => mintKey("live").plain.slice(8, 40));
    expect(new Set(minted).size).toBe(1000);
  });

  test("favours no character: bytes beyond the last multiple of 62 are drawn again", () => {
    draw([248, 249, 250, 251, 252, 253, 254, 255], Array.from({ length: 32 }, (_, index) => index));
    expect(mintKey("live").plain.slice(8, 40)).toBe(alphabet.slice(0, 32));
    draw([247]);
    expect(mintKey("live").plain.slice(8, 40)).toBe("z".repeat(32));
  });
});

describe("the checksum", () => {
  // CRC-32/ISO-HDLC: the catalogue's check value cbf43926 for 123456789, and others often published.
  test.each([
    ["123456789", 0xcbf43926, "3jZRME"],
    ["a", 0xe8b7be43, "4GEHKN"],
    ["The quick brown fox jumps over the lazy dog", 0x414fa339, "1C9bYH"],
    ["", 0, "000000"],
    ["mp_live_00000000000000000000000000000000", 0xaa3b510f, "37HXjT"],
  ])("of %j is CRC-32 %i, %s in base 62", (text, crc, written) => {
    expect(crc32(text)).toBe(crc);
    expect(keyChecksum(text)).toBe(written);
  });

  test("is zlib's CRC-32 in six characters of base 62, most significant first", () => {
    fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9_]{0,60}$/), (text) => {
      const value = [...keyChecksum(text)].reduce((sum, digit) => sum * 62 + alphabet.indexOf(digit), 0);
      return value === crc32(text) && keyChecksum(text).length === 6;
    }));
  });
});

describe("a mistyped key is refused without asking anyone", () => {
  test("with one character changed, anywhere", () => {
    const index = fc.integer({ min: 0, max: 45 });
    const character = fc.constantFrom(...alphabet, "_", "-", " ", "é");
    fc.assert(fc.property(wholeKey, index, character, (key, at, by) => {
      fc.pre(key[at] !== by);
      return !isWholeKey(replaced(key, at, by));
    }));
  });

  test("with two neighbours of its random part swapped", () => {
    fc.assert(fc.property(wholeKey, fc.integer({ min: 8, max: 38 }), (key, at) => {
      fc.pre(key[at] !== key[at + 1]);
      return !isWholeKey(replaced(replaced(key, at, key[at + 1] ?? ""), at + 1, key[at] ?? ""));
    }));
  });

  test("cut, lengthened, in another case or with another environment", () => {
    fc.assert(fc.property(wholeKey, (key) =>
      [
        key.slice(0, -1),
        key.slice(1),
        `${key}0`,
        `${key}\n`,
        ` ${key}`,
        key.toUpperCase(),
        key.includes("live") ? key.replace("live", "test") : key.replace("test", "live"),
      ].every((typo) => !isWholeKey(typo))));
  });
});

test("a checksum that fits does not make a longer or shorter text a key", () => {
  const { plain } = mintKey("live");
  for (
    const head of [
      `${plain.slice(0, 40)}0`,
      plain.slice(0, 39),
      `${plain.slice(0, 39)}-`,
      "mp_root_" + "0".repeat(32),
    ]
  ) {
    expect(isWholeKey(head + keyChecksum(head))).toBe(false);
  }
});

describe("in a text", () => {
  const [one, two] = [mintKey("live").plain, mintKey("test").plain];

  test("everything of a key's shape is found, whole or mistyped", () => {
    const mistyped = `mp_live_${"0".repeat(38)}`;
    expect(keyShapes(`${one} x=${two};https://${mistyped}@h/${one}`)).toEqual([one, two, mistyped, one]);
    expect(keyShapes(`x${one}`)).toEqual([one]);
  });

  test.each([
    ["nothing", ""],
    ["a key that was cut", one.slice(0, -1)],
    ["a longer run", `${one}0`],
    ["another environment", one.replace("live", "root")],
    ["other case", one.toUpperCase()],
    ["an id", `key_${"0".repeat(26)}`],
  ])("%s is no key", (_, text) => {
    expect(keyShapes(text)).toEqual([]);
    expect(withoutKeys(text)).toBe(text);
  });

  test("a key is cut down to its prefix, each of them", () => {
    expect(withoutKeys(`https://h.example/?k=${one}&l=${two}#${one}`)).toBe(
      "https://h.example/?k=mp_live_…&l=mp_test_…#mp_live_…",
    );
  });

  test("no key is left after that, wherever it stood", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(wholeKey, fc.string(), fc.constantFrom(" ", "_", "/"))), (parts) => {
        expect(keyShapes(withoutKeys(parts.join("")))).toEqual([]);
      }),
    );
  });
});

test("a hash is SHA-256 in 64 lower-case hex digits", () => {
  // FIPS 180-4, the example "abc".
  expect(hashKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
