import { describe, expect, test } from "vitest";
import { events, eventTypes, payloadVersion } from "../../../shared/schemas/events.ts";
import { CreateWebhook } from "../../../shared/schemas/webhooks.ts";
import { composeEventBody } from "../../../shared/event-bodies.ts";

const kinds = Object.entries(events);

describe.each(kinds)("the example of %s", (type, { data, example }) => {
  test("is what its schema says, field by field", () => {
    expect(data.parse(example)).toEqual(example);
  });

  test("is refused with a field more, and with any of its fields missing", () => {
    expect(data.safeParse({ ...example, undocumented: 1 }).success).toBe(false);
    // Each is there alone or with its pair: `detail` without `occurred_at` is no event either.
    for (const name of Object.keys(example)) {
      const { [name]: _, ...rest } = example as Record<string, unknown>;
      expect([name, data.safeParse(rest).success]).toEqual([name, false]);
    }
  });

  test("is a body that JSON.stringify makes again of what JSON.parse made of it", () => {
    const created_at = "2026-11-24T10:00:00.000Z";
    const body = composeEventBody({ id: "evt_1", type, created_at, data: { ...example } });
    expect(JSON.stringify(JSON.parse(body))).toBe(body);
  });

  test("is of a type as the database takes it", () => expect(type).toMatch(/^[a-z]+\.[a-z_]+$/));
});

test("an endpoint can subscribe to every event but a test one, which comes by itself", () => {
  const subscribe = (type: string) =>
    CreateWebhook.safeParse({ url: "https://x.example/", events: [type] }).success;
  expect(kinds.map(([type]) => type).filter((type) => !subscribe(type))).toEqual(["webhook.test"]);
  expect(eventTypes).toHaveLength(kinds.length - 1);
  expect(subscribe("email.exploded")).toBe(false);
});

test("the version of what data holds is 1", () => expect(payloadVersion).toBe(1));
