import { afterAll, beforeAll, describe, expect, test } from "vitest";
import members from "../../functions/members/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { type Api, type Session, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let named = 0;

beforeAll(async () => {
  keepLog();
  api = await startApi();
});
afterAll(() => api.close());

const found = () => foundTenant(api, `members${named++}`);
const list = (by: Session, query = "") => ask(members, `members${query}`, { token: by.access_token });
const change = (by: Session, id: string, role: unknown) =>
  ask(members, `members/${id}`, { method: "PATCH", token: by.access_token, body: { role } });
const remove = (by: Session, id: string) =>
  ask(members, `members/${id}`, { method: "DELETE", token: by.access_token });
const transfer = (by: Session, id: string) =>
  ask(members, `members/${id}/transfer`, { method: "POST", token: by.access_token });
const who = (by: Session) => ask(whoami, "whoami", { token: by.access_token });

/** The member's id, as any member sees it. */
async function idOf(member: Session, by: Session): Promise<string> {
  return String(rows(await list(by)).find(({ user_id }) => user_id === member.user_id)?.["id"]);
}

async function actions(tenant: Tenant): Promise<string[]> {
  const lines = await api.database.sql("postgres")<{ action: string }[]>`
    select action from mailpipe.audit where organization_id = ${tenant.organization_id} order by position
  `;
  return lines.map(({ action }) => action);
}

describe("members", () => {
  test("are listed to every member with their addresses, page by page, and to nobody else", async () => {
    const tenant = await found();
    const other = await found();
    const viewer = await addMember(api, tenant, "viewer");
    const first = await list(viewer, "?limit=1");
    const second = await list(viewer, `?limit=1&cursor=${String(first.body.next)}`);
    expect([...rows(second), ...rows(first)]).toMatchObject([
      { role: "owner", user_id: tenant.owner.user_id, email: expect.stringMatching(/^owner@members/) },
      { role: "viewer", user_id: viewer.user_id },
    ]);
    expect(second.body.has_more).toBe(false);
    expect(rows(await list(other.owner))).toHaveLength(1);
    expect(refusal(await ask(members, "members", { token: tenant.live }))).toEqual([403, "session_required"]);
  });

  test("have a new role at their next call", async () => {
    const tenant = await found();
    const member = await addMember(api, tenant, "member");
    const id = await idOf(member, tenant.owner);
    expect((await change(tenant.owner, id, "viewer")).body).toMatchObject({ id, role: "viewer" });
    expect((await who(member)).body).toMatchObject({ role: "viewer" });
    expect((await change(tenant.owner, id, "admin")).status).toBe(200);
    expect((await who(member)).body.scopes).toContain("keys:write");
    expect(await actions(tenant)).toEqual(expect.arrayContaining(["member.role_changed"]));
  });

  test("lose everything at the call after their removal, whatever their token says", async () => {
    const tenant = await found();
    const member = await addMember(api, tenant, "admin");
    const id = await idOf(member, tenant.owner);
    expect((await remove(tenant.owner, id)).body).toEqual({ id, removed: true });
    expect(refusal(await who(member))).toEqual([400, "organization_required"]);
    const named_one = {
      token: member.access_token,
      headers: { "x-organization-id": tenant.organization_id },
    };
    expect(refusal(await ask(whoami, "whoami", named_one))).toEqual([404, "not_found"]);
    expect(refusal(await remove(tenant.owner, id))).toEqual([404, "not_found"]);
    expect(await actions(tenant)).toContain("member.removed");
  });

  test("may leave, whatever their role, and remove nobody else unless they are admin", async () => {
    const tenant = await found();
    const viewer = await addMember(api, tenant, "viewer");
    const member = await addMember(api, tenant, "member");
    const memberId = await idOf(member, tenant.owner);
    expect(refusal(await remove(viewer, memberId))).toEqual([403, "role_missing"]);
    expect(refusal(await change(member, memberId, "admin"))).toEqual([403, "role_missing"]);
    expect((await remove(viewer, await idOf(viewer, viewer))).status).toBe(200);
  });

  test("that own are made, demoted and removed by owners only", async () => {
    const tenant = await found();
    const admin = await addMember(api, tenant, "admin");
    const member = await addMember(api, tenant, "member");
    const [adminId, memberId, ownerId] = await Promise.all(
      [admin, member, tenant.owner].map((each) => idOf(each, tenant.owner)),
    ) as [string, string, string];
    expect((await change(admin, memberId, "admin")).status).toBe(200);
    expect((await change(admin, memberId, "viewer")).status).toBe(200);
    for (
      const answer of [
        await change(admin, memberId, "owner"),
        await change(admin, adminId, "owner"),
        await change(admin, ownerId, "admin"),
        await remove(admin, ownerId),
        await transfer(admin, adminId),
      ]
    ) expect(refusal(answer)).toEqual([403, "role_missing"]);
    expect((await change(tenant.owner, memberId, "owner")).status).toBe(200);
    expect((await remove(member, ownerId)).status).toBe(200);
  });

  test("of another organization are not found", async () => {
    const [tenant, other] = [await found(), await found()];
    const theirs = await idOf(other.owner, other.owner);
    for (
      const answer of [
        await change(tenant.owner, theirs, "viewer"),
        await remove(tenant.owner, theirs),
        await transfer(tenant.owner, theirs),
        await remove(tenant.owner, "mem_x"),
      ]
    ) expect(refusal(answer)).toEqual([404, "not_found"]);
  });

  test("of one organization are not her own in another, which she belongs to as well", async () => {
    const [tenant, other] = [await found(), await found()];
    const { user_id, access_token: token } = tenant.owner;
    await api.database.sql("postgres")`
      insert into mailpipe.members (organization_id, user_id, role) values (${other.organization_id}, ${user_id}, 'admin')
    `;
    const inOther = { token, headers: { "x-organization-id": other.organization_id } };
    const listed = rows(await ask(members, "members", inOther));
    expect(listed.map(({ role }) => role).sort()).toEqual(["admin", "owner"]);
    const [mine] = await api.database.sql("postgres")<{ id: string }[]>`
      select id from mailpipe.members
      where organization_id = ${tenant.organization_id} and user_id = ${user_id}
    `;
    const leave = { ...inOther, method: "DELETE" };
    expect(refusal(await ask(members, `members/${mine?.id}`, leave))).toEqual([404, "not_found"]);
    expect(rows(await ask(members, "members", inOther))).toHaveLength(2);
  });

  test("have their addresses from Auth, in lower case, and only inside their own organization", async () => {
    const [tenant, other] = [await found(), await found()];
    await api.database.sql("supabase_admin")`
      update auth.users set email = upper(email) where id = ${tenant.owner.user_id}
    `;
    expect(rows(await list(tenant.owner))).toMatchObject([{
      email: expect.stringMatching(/^owner@members/),
    }]);
    // Even the role that may ask learns nothing of a row it made up.
    const [row] = await api.database.sql("mailpipe_tenant").begin(async (sql) => {
      await sql`select set_config('mailpipe.organization_id', ${other.organization_id}, true)`;
      return await sql`
        select mailpipe.member_email(jsonb_populate_record(
          null::mailpipe.members, jsonb_build_object('user_id', ${tenant.owner.user_id}::text)
        )) as email
      `;
    });
    expect(row?.["email"]).toBeNull();
  });

  test("may leave an organization whose owner's account is gone", async () => {
    const tenant = await found();
    const viewer = await addMember(api, tenant, "viewer");
    const id = await idOf(viewer, viewer);
    await api.database.sql("supabase_admin")`delete from auth.users where id = ${tenant.owner.user_id}`;
    expect((await remove(viewer, id)).status).toBe(200);
  });

  test.each<[string, unknown]>([["a role there is not", "root"], ["a list", ["admin"]], ["none", undefined]])(
    "are not changed with %s",
    async (_, role) => {
      const tenant = await found();
      const answer = await change(tenant.owner, await idOf(tenant.owner, tenant.owner), role);
      expect(refusal(answer)).toEqual([422, "invalid_request", "role"]);
    },
  );
});

describe("the last owner", () => {
  test("cannot leave, be removed or become less", async () => {
    const tenant = await found();
    const id = await idOf(tenant.owner, tenant.owner);
    expect(refusal(await remove(tenant.owner, id))).toEqual([409, "last_owner"]);
    expect(refusal(await change(tenant.owner, id, "admin"))).toEqual([409, "last_owner"]);
    expect((await change(tenant.owner, id, "owner")).status).toBe(200);
  });

  test("stays one when two owners remove each other at once, in twenty rounds", async () => {
    const tenant = await found();
    const second = await addMember(api, tenant, "owner");
    const [one, two] = [await idOf(tenant.owner, second), await idOf(second, second)];
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all([
        change(tenant.owner, two, "admin"),
        change(second, one, "admin"),
      ]);
      const [left] = await api.database.sql("postgres")<{ owners: string[] }[]>`
        select array_agg(id) as owners from mailpipe.members
        where organization_id = ${tenant.organization_id} and role = 'owner'
      `;
      expect(left?.owners).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      await api.database.sql("postgres")`
        update mailpipe.members set role = 'owner' where organization_id = ${tenant.organization_id}
      `;
    }
  });

  test("hands ownership over once, of several times at once", async () => {
    const tenant = await found();
    const others = await Promise.all(
      ["admin", "member", "viewer"].map((role) => addMember(api, tenant, role)),
    );
    const ids = await Promise.all(others.map((each) => idOf(each, tenant.owner)));
    const answers = await Promise.all(ids.map((id) => transfer(tenant.owner, id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
  });

  test("hands ownership over in one step and is admin then", async () => {
    const tenant = await found();
    const next = await addMember(api, tenant, "viewer");
    const id = await idOf(next, tenant.owner);
    expect((await transfer(tenant.owner, id)).body).toMatchObject({ id, role: "owner" });
    expect((await who(tenant.owner)).body.role).toBe("admin");
    expect((await who(next)).body.role).toBe("owner");
    expect(refusal(await transfer(tenant.owner, id))).toEqual([403, "role_missing"]);
    expect(refusal(await transfer(next, id))).toEqual([409, "already_owner"]);
    expect(await actions(tenant)).toContain("ownership.transferred");
  });
});
