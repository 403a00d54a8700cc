import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { mintKey } from "../../shared/keys.ts";

const folder = resolve(import.meta.dirname, "../../supabase/install/secret-scanners");
const read = (name: string) => readFileSync(resolve(folder, name), "utf8");

interface SecretlintRules {
  rules: { options: { patterns: { patterns: string[] }[] } }[];
}

/** Each scanner's pattern, taken from its file as that scanner reads it. */
const patterns: [string, RegExp][] = [
  ["gitleaks", new RegExp(/^regex = '''(.+)'''$/m.exec(read("gitleaks.toml"))?.[1] ?? "(?!)", "g")],
  ["trufflehog", new RegExp(/^ +key: '(.+)'$/m.exec(read("trufflehog.yaml"))?.[1] ?? "(?!)", "g")],
  [
    "secretlint",
    new RegExp(
      (JSON.parse(read("secretlint.json")) as SecretlintRules).rules[0]?.options.patterns[0]?.patterns[0]
        ?.replace(/^\/(.*)\/$/, "$1") ?? "(?!)",
      "g",
    ),
  ],
];

const prefixes = "org key prv dom mbx msg thr att evt whk dlv sup rul job req aud inb".split(" ");
const places = [
  (key: string) => `MAILPIPE_API_KEY=${key}\n`,
  (key: string) => `{"key":"${key}"}`,
  (key: string) => `const key = '${key}';`,
  (key: string) => `curl -H "authorization: Bearer ${key}"`,
  (key: string) => `https://example.com/?key=${key}&x=1`,
  (key: string) => `https://example.com/?next=%2F%3Fkey%3D${key}%26x%3D1`,
  (key: string) => JSON.stringify({ env: `TOKEN\n${key}\n` }),
  (key: string) => `\\u003d${key}\\u0026`,
  (key: string) => `${key}.`,
];

describe.each(patterns)("%s", (_, pattern) => {
  test("finds a key wherever it stands, and all of it", () => {
    for (const place of places) {
      for (const environment of ["live", "test"] as const) {
        const { plain } = mintKey(environment);
        expect([...place(plain).matchAll(pattern)].map((match) => match[1] ?? match[0])).toEqual([plain]);
      }
    }
  });

  test("takes no id, no other secret, and nothing shorter or longer for one", () => {
    const { plain } = mintKey("live");
    const others = [
      ...prefixes.map((prefix) => `${prefix}_01JD${"0".repeat(22)}`),
      `mpw_${"0".repeat(64)}`,
      `whsec_${"A".repeat(43)}=`,
      plain.slice(0, -1),
      `${plain}x`,
      `x${plain}`,
      `n${plain}`,
      `3D${plain}`,
      `my_${plain}`,
      plain.replace("live", "prod"),
    ];
    expect(others.filter((text) => text.match(pattern) !== null)).toEqual([]);
  });
});

test("the two that sieve by keywords name both prefixes", () => {
  for (const file of ["gitleaks.toml", "trufflehog.yaml"]) {
    expect(["mp_live_", "mp_test_"].filter((keyword) => !read(file).includes(keyword))).toEqual([]);
  }
});
