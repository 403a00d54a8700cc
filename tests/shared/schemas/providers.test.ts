import { describe, expect, test } from "vitest";
import {
  ChangeProvider,
  ConnectProvider,
  ResendCredentials,
  SmtpCredentials,
} from "../../../shared/schemas/providers.ts";

const smtp = { host: "mail.example.com", port: 465, secure: true, username: "ada", password: "s3cret" };

describe("SMTP credentials", () => {
  test("the host is one spelling of a name, or an address", () => {
    const hosts = ["MAIL.Example.com", "bücher.example", "192.0.2.1", "[2001:db8::1]", "::1"];
    expect(hosts.map((host) => SmtpCredentials.parse({ ...smtp, host }).host)).toEqual([
      "mail.example.com",
      "xn--bcher-kva.example",
      "192.0.2.1",
      "2001:db8::1",
      "::1",
    ]);
  });

  test.each([
    ["host", { host: "mail example" }],
    ["host", { host: "https://mail.example.com" }],
    ["host", { host: "mail.example.com:25" }],
    ["host", { host: "mail.example.com\r\n" }],
    ["host", { host: "0x7f.1" }],
    ["host", { host: "" }],
    ["port", { port: 0 }],
    ["port", { port: 65_536 }],
    ["port", { port: "465" }],
    ["secure", { secure: "yes" }],
    ["username", { username: "a\r\nb" }],
    ["password", { password: "a\0b" }],
    ["password", { password: "x".repeat(1_025) }],
    ["password", { password: null }],
    ["password", { username: null }],
  ])("%s is refused: %j", (path, change) => {
    expect(SmtpCredentials.safeParse({ ...smtp, ...change }).error?.issues[0]?.path).toEqual([path]);
  });

  test("without an account, and nothing more than is known", () => {
    const { username: _, password: __, ...bare } = smtp;
    expect(SmtpCredentials.parse(bare)).toMatchObject({ username: null, password: null });
    expect(SmtpCredentials.safeParse({ ...smtp, tls: false }).success).toBe(false);
  });
});

test("a Resend key becomes a header and cannot break out of it; the webhook secret may come later", () => {
  expect(ResendCredentials.parse({ api_key: "re_1" })).toEqual({ api_key: "re_1", webhook_secret: null });
  for (const api_key of ["", "re 1", "re_1\r\nx: y", "ré", "x".repeat(257)]) {
    expect(ResendCredentials.safeParse({ api_key }).error?.issues[0]?.path).toEqual(["api_key"]);
  }
  for (const webhook_secret of ["", "abc", "whsec_", "whsec_!!!!!!!!!!!!!!!!!!!!!!!!"]) {
    expect(ResendCredentials.safeParse({ api_key: "re_1", webhook_secret }).error?.issues[0]?.path).toEqual([
      "webhook_secret",
    ]);
  }
});

test("connecting takes the credentials of the kind and no other, and never the sandbox", () => {
  expect(ConnectProvider.parse({ kind: "smtp", name: " Office ", credentials: smtp })).toMatchObject({
    name: "Office",
  });
  const wrong = ConnectProvider.safeParse({ kind: "resend", name: "R", credentials: smtp });
  expect(wrong.error?.issues.some((issue) => issue.path[0] === "credentials")).toBe(true);
  expect(ConnectProvider.safeParse({ kind: "sandbox", name: "S", credentials: {} }).error?.issues[0]?.path)
    .toEqual(["kind"]);
  expect(ConnectProvider.safeParse({ kind: "smtp", name: "\r\n", credentials: smtp }).success).toBe(false);
});

test("a change changes something", () => {
  expect(ChangeProvider.parse({ default: true })).toEqual({ default: true });
  expect(ChangeProvider.safeParse({}).success).toBe(false);
  expect(ChangeProvider.safeParse({ kind: "smtp" }).success).toBe(false);
});
