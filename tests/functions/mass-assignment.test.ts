import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { everyRoute, type FunctionRoute, openingOf, pathOf } from "../support/functions.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

type Schema = Record<string, unknown> & {
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
};

/** Fields somebody else sets, or nobody: a caller who names one is told so, and it is not passed over. */
const notTheirs = [
  "organization_id",
  "org_id",
  "environment",
  "env",
  "scopes",
  "hash",
  "key_hash",
  "last_four",
  "revoked_at",
  "expires_at",
  "exposed_at",
  "created_at",
  "created_by",
  "issued_by",
  "issued_by_key",
  "issued_by_user",
  "limited_by",
  "window_id",
  "id",
  "user_id",
  "role",
  "is_admin",
  "limits",
  "fences",
  "status",
  "state",
  "direction",
  "thread_id",
  "mailbox_id",
  "api_key_id",
  "storage_key",
  "inbound_token_hash",
  "inbound_secret",
  "secret",
  "enabled",
  "is_default",
  "caller",
  "p_caller",
  "worker_hash",
  "project_secret",
  "__proto__",
  "constructor",
  "prototype",
];

const withBody = (await everyRoute()).filter(({ route }) => route.body !== undefined);
const named = withBody.map((each) => [`${each.route.method} ${each.route.path}`, each] as const);
// revoke-key takes one of two shapes, which its schema chooses by hand.
const byHand: Record<string, Schema[]> = {
  "POST revoke-key": [
    { properties: { id: {}, descendants: {}, cancel_queued: {}, include_self: {} } },
    { properties: { filter: {}, descendants: {}, cancel_queued: {}, include_self: {}, dry_run: {} } },
  ],
};

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());
beforeEach(() => void (api.calls.length = 0));

function schemaOf({ route }: FunctionRoute): Schema {
  const body = route.body as z.ZodType;
  return z.toJSONSchema(body, { io: "input", unrepresentable: "any" }) as Schema;
}

/** The objects a body may be: one, or one for each kind. */
function shapesOf(each: FunctionRoute): Schema[] {
  const schema = schemaOf(each);
  const several = (schema["oneOf"] ?? schema["anyOf"]) as Schema[] | undefined;
  return byHand[`${each.route.method} ${each.route.path}`] ?? several ?? [schema];
}

/** What tells one shape from another: fields that can have but one value, and the one that chooses by being there. */
function choosing({ properties = {} }: Schema): Record<string, unknown> {
  const fixed = Object.entries(properties).filter(([, { const: only }]) => only !== undefined);
  return {
    ...Object.fromEntries(fixed.map(([name, { const: only }]) => [name, only])),
    ...("filter" in properties ? { filter: {} } : {}),
  };
}

/** Every object in a schema, by where it is. */
function objectsIn(schema: unknown, path = ""): [string, Schema][] {
  if (typeof schema !== "object" || schema === null) return [];
  const inner = Object.entries(schema).flatMap(([name, value]) => objectsIn(value, `${path}/${name}`));
  return (schema as Schema)["type"] === "object" ? [[path, schema as Schema], ...inner] : inner;
}

describe.each(named)("A24: %s", (name, each) => {
  test("refuses every field that is not the caller's to set by name, before anybody is asked", async () => {
    for (const shape of shapesOf(each)) {
      const foreign = notTheirs.filter((field) => !Object.hasOwn(shape.properties ?? {}, field));
      for (let first = 0; first < foreign.length; first += 10) {
        const fields = foreign.slice(first, first + 10);
        // Zod passes over __proto__ in a loose object, which revoke-key's body is at first; nothing ever reads it.
        const told = fields.filter((field) => !(name in byHand && field === "__proto__"));
        // As text: in an object literal __proto__ is no field.
        const forged = fields.map((field) => `,${JSON.stringify(field)}:"x"`).join("");
        const raw = `{${JSON.stringify(choosing(shape)).slice(1, -1)}${forged}}`.replace("{,", "{");
        const opening = openingOf(each, api, tenant);
        const headers = { ...opening.headers, "content-type": "application/json" };
        const answer = await ask(each.fn, pathOf(each, tenant), {
          ...opening,
          method: each.route.method,
          headers,
          raw,
        });
        expect(answer.status, raw).toBe(422);
        expect(refusal(answer), raw).toEqual(expect.arrayContaining(told));
      }
    }
    expect(api.calls.filter(({ rpc }) => rpc !== undefined)).toEqual([]);
  });

  test("takes no field it does not know at any depth", () => {
    if (name in byHand) return;
    const open = objectsIn(schemaOf(each)).filter(([, { additionalProperties: more }]) => more !== false);
    // A record's values have a schema; `credentials` are parsed by the stored kind's.
    const known = ["credentials", "headers", "headers/anyOf/0", "metadata"].map((each) =>
      `/properties/${each}`
    );
    expect(open.map(([path]) => path).filter((path) => !known.includes(path))).toEqual([]);
  });
});

test("A24: the routes that make or change something are among these, and there are as many as functions have", () => {
  const changing = ["POST issue-key", "POST rotate-key", "PATCH organizations/{id}", "PATCH mailboxes/{id}"];
  expect(named.map(([name]) => name)).toEqual(expect.arrayContaining(changing));
  expect(named.length).toBeGreaterThanOrEqual(16);
});

describe("A10: one field given twice", () => {
  const issue = withBody.find(({ slug }) => slug === "issue-key");
  const asked = async (raw: string) => {
    if (issue === undefined) throw new Error("issue-key");
    const headers = { "content-type": "application/json" };
    return await ask(issue.fn, "issue-key", { token: tenant.test, method: "POST", headers, raw });
  };

  test("counts as its last, which is what is checked and what is kept", async () => {
    const rest = '"name":"k","environment":"test"';
    const kept = await asked(`{${rest},"scopes":["data:delete"],"scopes":["mail:read"]}`);
    expect(kept.body.scopes).toEqual(["mail:read"]);
    const other = await asked(`{${rest},"scopes":["mail:read"],"environment":"live"}`);
    expect(refusal(other)).toEqual([403, "environment_mismatch"]);
  });
});
