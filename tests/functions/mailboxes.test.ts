import { afterAll, beforeAll, describe, expect, test } from "vitest";
import mailboxes from "../../functions/mailboxes/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());

const create = (body: unknown, token = tenant.live) => ask(mailboxes, "mailboxes", { token, body });
const at = (id: unknown, question: object = {}, token = tenant.live) =>
  ask(mailboxes, `mailboxes/${String(id)}`, { token, ...question });
const list = (token = tenant.live, query = "") => ask(mailboxes, `mailboxes${query}`, { token });

describe("mailboxes", () => {
  test("are made, shown, changed and removed", async () => {
    const made = await create({ address: "Support@Acme.example", display_name: "Support" });
    expect(made).toMatchObject({
      status: 201,
      body: {
        address: "support@acme.example",
        display_name: "Support",
        forward_to_webhook: true,
        environment: "live",
      },
    });
    const { id } = made.body;
    expect((await at(id)).body).toEqual(made.body);
    expect(rows(await list())).toEqual([made.body]);

    const body = { forward_to_webhook: false, display_name: null };
    const changed = await at(id, { method: "PATCH", body });
    expect(changed).toMatchObject({ status: 200, body: { ...made.body, ...body } });
    const renamed = await at(id, { method: "PATCH", body: { display_name: "Help" } });
    expect(renamed.body).toMatchObject({ display_name: "Help", forward_to_webhook: false });

    expect((await at(id, { method: "DELETE" })).body).toEqual({ id, removed: true });
    expect(refusal(await at(id))).toEqual([404, "not_found"]);
    expect(refusal(await at(id, { method: "DELETE" }))).toEqual([404, "not_found"]);
    expect(rows(await list())).toEqual([]);
  });

  test("are one per address in an environment, however it is written", async () => {
    const address = "in@acme.example";
    expect((await create({ address })).status).toBe(201);
    for (
      const again of [address, "IN@ACME.EXAMPLE", "The Inbox <in@acme.example>", { email: "in@acme.example" }]
    ) {
      expect(refusal(await create({ address: again }))).toEqual([409, "mailbox_exists"]);
    }
    expect((await create({ address }, tenant.test)).status).toBe(201);
  });

  test("keep a domain in its A-labels", async () => {
    expect((await create({ address: "a@bücher.example" })).body.address).toBe("a@xn--bcher-kva.example");
  });

  test("of the other environment or of somebody else are 404", async () => {
    const { body } = await create({ address: "mine@acme.example" });
    const other = await foundTenant(api, "other");
    for (const token of [tenant.test, other.live]) {
      expect(refusal(await at(body.id, {}, token))).toEqual([404, "not_found"]);
      expect(refusal(await at(body.id, { method: "DELETE" }, token))).toEqual([404, "not_found"]);
      const change = { method: "PATCH", body: { display_name: "Taken" } };
      expect(refusal(await at(body.id, change, token))).toEqual([404, "not_found"]);
    }
    expect((await at(body.id)).body).toEqual(body);
    expect(rows(await list(other.live))).toEqual([]);
  });

  test("page by cursor, each once", async () => {
    const other = await foundTenant(api, "paged");
    for (const name of ["a", "b", "c", "d", "e"]) {
      await create({ address: `${name}@paged.example` }, other.live);
    }
    const first = await list(other.live, "?limit=3");
    const second = await list(other.live, `?limit=3&cursor=${String(first.body.next)}`);
    const seen = [...rows(first), ...rows(second)].map(({ address }) => String(address)[0]);
    expect(seen.sort()).toEqual(["a", "b", "c", "d", "e"]);
    expect(second.body).toMatchObject({ has_more: false, next: null });
  });

  test.each(["%00", "mbx_0", "..%2f", "'; --", `mbx_${"0".repeat(26)}`])(
    "is 404 for the id %s",
    async (id) => {
      expect(refusal(await at(id))).toEqual([404, "not_found"]);
    },
  );

  test.each<[string, unknown, string]>([
    ["no address", {}, "address"],
    ["an address that is not one", { address: "nobody" }, "address"],
    ["two addresses", { address: "a@b.example, c@d.example" }, "address"],
    ["an address at an IP address", { address: "a@[127.0.0.1]" }, "address"],
    ["an address with a line break", { address: "a@b.example\r\nBcc: c@d.example" }, "address"],
    ["an address with NUL", { address: "a\0@b.example" }, "address"],
    ["an address with half a character", { address: "a\ud800@b.example" }, "address"],
    ["an address of 255 octets", {
      address: `${"a".repeat(64)}@${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.exam.io`,
    }, "address"],
    ["65 octets before the @", { address: `${"a".repeat(65)}@b.example` }, "address"],
    ["an address that is a number", { address: 1 }, "address"],
    [
      "a display name of 201 characters",
      { address: "n@b.example", display_name: "n".repeat(201) },
      "display_name",
    ],
    ["a display name with a line break", { address: "n@b.example", display_name: "a\r\nb" }, "display_name"],
    [
      "a display name with half a character",
      { address: "n@b.example", display_name: "\udfff" },
      "display_name",
    ],
    ["an empty display name", { address: "n@b.example", display_name: "" }, "display_name"],
    ["a flag that is a text", { address: "n@b.example", forward_to_webhook: "yes" }, "forward_to_webhook"],
  ])("are refused with %s", async (_, body, path) => {
    expect(refusal(await create(body))).toEqual([422, "invalid_request", path]);
  });

  test("are not changed by a body that changes nothing, or their address", async () => {
    const { body: { id } } = await create({ address: "fixed@acme.example" });
    expect((await at(id, { method: "PATCH", body: {} })).status).toBe(422);
    const moved = await at(id, { method: "PATCH", body: { address: "moved@acme.example" } });
    expect(refusal(moved)).toContain("address");
  });
});
