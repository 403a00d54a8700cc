import { createHmac, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { composeEventBody, dispatchDelivery } from "../../shared/dispatching.ts";
import type { DeliveryWork } from "../../shared/schemas/outgoing.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import { type StandIn, startStandIn } from "../support/stand-in.ts";

const secret = newWebhookSecret();
const event = {
  id: "evt_01JDPZ0000000000000000000",
  type: "email.sent",
  created_at: "2025-01-02T03:04:05.678Z",
  data: { message_id: "msg_1", subject: "Größe 😀 \u2028" },
};
const body = composeEventBody(event);

let endpoint: StandIn | undefined;

beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co");
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
});
afterEach(async () => {
  await endpoint?.close();
  endpoint = undefined;
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

async function endpointThat(answer: (response: ServerResponse) => void): Promise<StandIn> {
  endpoint = await startStandIn((_, response) => answer(response));
  return endpoint;
}

function answering(status: number, text = "", headers: Record<string, string> = {}): Promise<StandIn> {
  return endpointThat((response) => response.writeHead(status, headers).end(text));
}

function delivery(url: string, changes: Partial<DeliveryWork> = {}): DeliveryWork {
  const ids = { job_id: "job_1", fence: 3, delivery_id: "dlv_1" };
  return { ...ids, attempt: 1, event, body: null, url, enabled: true, secret, ...changes };
}

function dispatch(url: string, changes: Partial<DeliveryWork> = {}, random = 0, now = new Date()) {
  return dispatchDelivery(delivery(url, changes), body, now, random);
}

describe("an event's body", () => {
  test("is the envelope in its order and nothing else", () => {
    const { data, ...rest } = event;
    expect(Object.keys(JSON.parse(composeEventBody({ ...rest, data, extra: 1 } as never)))).toEqual([
      "id",
      "type",
      "created_at",
      "data",
    ]);
  });

  test("parsed and written again is the same text, whatever the facts are", () => {
    const facts = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" }));
    fc.assert(fc.property(facts, (given) => {
      // As it comes from the database: as JSON.
      const data = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
      const text = composeEventBody({ ...event, data });
      return JSON.stringify(JSON.parse(text)) === text;
    }));
  });
});

describe("a delivery", () => {
  test("is posted as JSON, signed in both schemes its receivers use", async () => {
    const { url, calls } = await answering(200, "thanks");
    expect(await dispatch(`${url}/hook`)).toEqual({
      job_id: "job_1",
      fence: 3,
      delivery_id: "dlv_1",
      outcome: "succeeded",
      status_code: 200,
      detail: "thanks",
      duration_ms: expect.any(Number),
      retry_in_seconds: null,
      disable: false,
    });
    const [call] = calls;
    expect(call).toMatchObject({ method: "POST", path: "/hook", body });
    expect(call?.headers["content-type"]).toBe("application/json");

    expect(new Webhook(secret).verify(call?.body ?? "", call?.headers ?? {})).toEqual(event);
    // The sample of Mailpipe's documentation: parse, write again, compare.
    const expected = createHmac("sha256", secret).update(JSON.stringify(JSON.parse(call?.body ?? ""))).digest(
      "hex",
    );
    const given = call?.headers["x-mailpipe-signature"] ?? "";
    expect(timingSafeEqual(Buffer.from(given), Buffer.from(expected))).toBe(true);
  });

  test("sends the same bytes under the same id on every try, with the time of the try", async () => {
    const { url, calls } = await answering(500);
    await dispatch(url, { attempt: 1 }, 0, new Date("2025-01-02T03:04:05Z"));
    await dispatch(url, { attempt: 2 }, 0, new Date("2025-01-02T03:05:05Z"));
    const [first, second] = calls;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(event.id);
    expect(second?.headers["x-mailpipe-signature"]).toBe(first?.headers["x-mailpipe-signature"]);
    expect([first, second].map((call) => call?.headers["webhook-timestamp"])).toEqual([
      "1735787045",
      "1735787105",
    ]);
  });

  test.each([200, 201, 204, 299])("answered %i has succeeded", async (status) => {
    const { url } = await answering(status);
    expect(await dispatch(url)).toMatchObject({
      outcome: "succeeded",
      retry_in_seconds: null,
      disable: false,
    });
  });

  test.each([400, 401, 404, 408, 429, 500, 503])(
    "answered %i is tried again and disables nothing",
    async (status) => {
      const { url } = await answering(status, "no");
      expect(await dispatch(url)).toMatchObject({
        outcome: "http_error",
        status_code: status,
        detail: "no",
        retry_in_seconds: 5,
        disable: false,
      });
    },
  );

  test("answered 410 is not wanted any more: the endpoint is disabled and nothing tried again", async () => {
    const { url } = await answering(410);
    expect(await dispatch(url)).toMatchObject({
      outcome: "http_error",
      disable: true,
      retry_in_seconds: null,
    });
  });

  test.each([301, 302, 303, 307, 308])("answered %i is a failure: nobody is followed", async (status) => {
    const other = await startStandIn((_, response) => response.end());
    const { url } = await answering(status, "", { location: other.url });
    expect(await dispatch(url)).toMatchObject({
      outcome: "redirect",
      status_code: status,
      retry_in_seconds: 5,
      disable: false,
    });
    expect(other.calls).toEqual([]);
    await other.close();
  });

  test("waits as long as its receiver asks, up to a day, but does not when it was taken", async () => {
    const now = new Date("2025-01-02T03:04:05Z");
    for (
      const [asked, seconds] of [
        ["3600", 3600],
        ["1", 5],
        ["Thu, 02 Jan 2025 04:04:05 GMT", 3600],
        ["999999", 86_400],
        ["soon", 5],
      ] as const
    ) {
      const { url, close } = await answering(503, "", { "retry-after": asked });
      expect((await dispatch(url, {}, 0, now)).retry_in_seconds).toBe(seconds);
      await close();
    }
    const { url } = await answering(200, "", { "retry-after": "3600" });
    expect((await dispatch(url, {}, 0, now)).retry_in_seconds).toBeNull();
  });

  test("is tried eleven times in all, a little later each by chance", async () => {
    const { url } = await answering(500);
    expect((await dispatch(url, { attempt: 2 }, 0.5)).retry_in_seconds).toBeCloseTo(66);
    expect((await dispatch(url, { attempt: 10 })).retry_in_seconds).toBe(86_400);
    expect((await dispatch(url, { attempt: 11 })).retry_in_seconds).toBeNull();
  });

  test("of an endpoint disabled meanwhile is not posted and not tried again", async () => {
    const { url, calls } = await answering(200);
    expect(await dispatch(url, { enabled: false })).toMatchObject({
      outcome: "disabled",
      status_code: null,
      retry_in_seconds: null,
      disable: false,
    });
    expect(calls).toEqual([]);
  });

  test("to a private address leaves no packet, also when the address was allowed at its creation", async () => {
    const { url, calls } = await answering(200);
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    expect(await dispatch(url.replace("http:", "https:"))).toMatchObject({
      outcome: "private_address",
      status_code: null,
      retry_in_seconds: 5,
    });
    expect(calls).toEqual([]);
  });

  test("to a closed port says so", async () => {
    const { url, close } = await answering(200);
    await close();
    expect(await dispatch(url)).toMatchObject({ outcome: "connect_refused", retry_in_seconds: 5 });
  });

  test("to an endpoint that hangs is left after 15 seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let arrived = (): void => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const { url } = await endpointThat(() => arrived());
    let settled = false;
    const tried = dispatch(url).finally(() => (settled = true));
    await arrival;
    vi.advanceTimersByTime(14_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await tried).toMatchObject({ outcome: "timeout", retry_in_seconds: 5 });
  });
});

describe("what is kept of an answer", () => {
  test("is its beginning, in text Postgres takes", async () => {
    const { url } = await answering(500, `\0${"x".repeat(998)}😀${"y".repeat(100_000)}`);
    const { detail } = await dispatch(url);
    expect(detail).toBe("x".repeat(998));
  });

  test("is bounded although the answer has no end", async () => {
    let chunks = 0;
    const { url } = await endpointThat((response) => {
      const feed = (): void =>
        void (response.destroyed || ++chunks > 400 ||
          response.write(Buffer.alloc(65_536, 97), () => setImmediate(feed)));
      feed();
    });
    expect(await dispatch(url)).toMatchObject({ outcome: "succeeded", detail: "a".repeat(1000) });
  });
});
