import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { composeEventBody, composeThinBody, largestBody } from "../../shared/event-bodies.ts";

const event = {
  id: "evt_01JDPZ0000000000000000000",
  type: "email.sent",
  created_at: "2025-01-02T03:04:05.678Z",
  data: { message_id: "msg_1", subject: "Größe 😀 \u2028" } as Record<string, unknown>,
};
const url = `https://abcdefghijklmnopqrst.supabase.co/functions/v1/events/${event.id}`;

beforeEach(() => vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co"));
afterEach(() => vi.unstubAllEnvs());

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
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

describe("a body above 256 KiB", () => {
  const subject = "ä".repeat(largestBody / 2);

  test("is whole up to the last byte", () => {
    const around = bytes(composeEventBody({ ...event, data: { message_id: "msg_1", subject: "" } }));
    const room = largestBody - around;
    const full = composeEventBody({ ...event, data: { message_id: "msg_1", subject: "x".repeat(room) } });
    expect([bytes(full), full.includes("truncated")]).toEqual([largestBody, false]);
    const over = composeEventBody({ ...event, data: { message_id: "msg_1", subject: "x".repeat(room + 1) } });
    expect(JSON.parse(over)).toEqual({ ...event, data: { message_id: "msg_1", truncated: true, url } });
  });

  test("leaves out the longest facts, as many as it must, and links to the event", () => {
    const data = { message_id: "msg_1", subject, note: "kept", detail: { text: "y".repeat(300_000) } };
    const body = composeEventBody({ ...event, data });
    expect(JSON.parse(body)).toEqual({
      ...event,
      data: { message_id: "msg_1", note: "kept", truncated: true, url },
    });
    expect(JSON.stringify(JSON.parse(body))).toBe(body);
  });

  test("of very many facts still fits", () => {
    const data = Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`fact_${n}`, "0123456789"]));
    expect(bytes(composeEventBody({ ...event, data }))).toBeLessThanOrEqual(largestBody);
  });
});

test("a thin body has the ids, and the link to the rest", () => {
  const data = { ...event.data, thread_id: "thr_1", mailbox_id: null };
  expect(JSON.parse(composeThinBody({ ...event, data }))).toEqual({
    ...event,
    data: { message_id: "msg_1", thread_id: "thr_1", mailbox_id: null, url },
  });
});
