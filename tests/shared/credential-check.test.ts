import { afterEach, describe, expect, test, vi } from "vitest";
import { assertCredentials, assertTakesProviders } from "../../shared/credential-check.ts";
import { json, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";

let standIn: ResendStandIn | undefined;

afterEach(async () => {
  await standIn?.close();
  standIn = undefined;
  vi.unstubAllEnvs();
});

async function resendAnswers(status: number, body: unknown): Promise<ResendStandIn> {
  standIn = await startResend((_, response) => json(response, status, body));
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", standIn.url);
  return standIn;
}

describe("credentials", () => {
  test("the provider takes are given back as parsed, and no mail was sent", async () => {
    const { calls } = await resendAnswers(200, { data: [] });
    expect(await assertCredentials("resend", { api_key: "re_1" })).toEqual({
      api_key: "re_1",
      webhook_secret: null,
    });
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /domains"]);
  });

  test("the provider refuses are refused with its reason, as one sentence, and never repeated", async () => {
    await resendAnswers(401, { statusCode: 401, name: "invalid_api_key", message: "API key is invalid." });
    const error = await assertCredentials("resend", { api_key: "re_secret" }).catch((reason: unknown) =>
      reason
    );
    expect(error).toMatchObject({
      code: "credentials_refused",
      particulars: expect.stringMatching(/API key is invalid$/),
    });
    expect(JSON.stringify(error)).not.toContain("re_secret");
  });

  test("of the wrong shape name the field, and the provider is not asked", async () => {
    const { calls } = await resendAnswers(200, {});
    for (
      const [kind, given, path] of [
        ["resend", {}, "credentials.api_key"],
        ["resend", { api_key: "a\r\nb" }, "credentials.api_key"],
        ["smtp", { host: "mail.example", port: 0, secure: true }, "credentials.port"],
      ] as const
    ) {
      await expect(assertCredentials(kind, given)).rejects.toMatchObject({
        code: "invalid_request",
        particulars: expect.arrayContaining([{ path, message: expect.any(String) }]),
      });
    }
    expect(calls).toEqual([]);
  });

  test("for an SMTP host inside our own network are refused without a connection", async () => {
    const { calls, url } = await resendAnswers(200, {});
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    const given = { host: "127.0.0.1", port: Number(new URL(url).port), secure: false };
    await expect(assertCredentials("smtp", given)).rejects.toMatchObject({ code: "credentials_refused" });
    expect(calls).toEqual([]);
  });
});

test("the test environment takes no provider, the live one and none named do", () => {
  expect(() => assertTakesProviders("test")).toThrow(
    expect.objectContaining({
      code: "invalid_request",
      particulars: [expect.objectContaining({ path: "environment" })],
    }),
  );
  for (const environment of ["live", undefined]) {
    expect(() => assertTakesProviders(environment)).not.toThrow();
  }
});
