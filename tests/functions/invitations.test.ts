import { afterAll, beforeAll, describe, expect, test } from "vitest";
import invitations from "../../functions/invitations/index.ts";
import members from "../../functions/members/index.ts";
import { type Api, type Session, signUp, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let invited: Session;
let named = 0;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  invited = await signUp(api, "ada@invited.example");
});
afterAll(() => api.close());

const invite = (by: Session, body: unknown) =>
  ask(invitations, "invitations", { token: by.access_token, body });
const accept = (as: Session, token: unknown) =>
  ask(invitations, "invitations/accept", { token: as.access_token, body: { token } });
const withdraw = (by: Session, id: unknown) =>
  ask(invitations, `invitations/${String(id)}`, { method: "DELETE", token: by.access_token });
const list = (by: Session) => ask(invitations, "invitations", { token: by.access_token });

/** Signs up somebody new and invites her. */
async function newcomer(role = "member"): Promise<{ session: Session; email: string; made: Answer }> {
  const email = `new${named++}@invited.example`;
  const session = await signUp(api, email);
  return { session, email, made: await invite(tenant.owner, { email, role }) };
}

describe("an invitation", () => {
  test("is answered with its token once; the database keeps a hash", async () => {
    const { made, email } = await newcomer();
    expect(made).toMatchObject({ status: 201, body: { email, role: "member", state: "open" } });
    expect(made.body.token).toMatch(/^mpi_[\w-]{43}$/);
    const token = String(made.body.token);
    const [listed] = rows(await list(tenant.owner));
    expect(listed).toEqual({ ...made.body, token: undefined });
    const dump = await api.database.sql(
      "postgres",
    )`select invitation::text from mailpipe.invitations as invitation`;
    expect(JSON.stringify(dump)).not.toContain(token);
  });

  test("makes the invited user a member in its role, once", async () => {
    const { session, made } = await newcomer("admin");
    const answer = await accept(session, made.body.token);
    expect(answer.body).toEqual({ id: tenant.organization_id, name: "acme", role: "admin" });
    expect(rows(await ask(members, "members", { token: session.access_token })).length).toBeGreaterThan(1);
    expect(refusal(await accept(session, made.body.token))).toEqual([409, "invitation_over"]);
    expect(rows(await list(tenant.owner)).find(({ id }) => id === made.body.id)?.["state"]).toBe("accepted");
  });

  test("lets one of twenty in who accept at once", async () => {
    const { session, made } = await newcomer();
    const answers = await Promise.all(Array.from({ length: 20 }, () => accept(session, made.body.token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === "invitation_over")).toHaveLength(19);
  });

  test("does not bring a removed member back by its token", async () => {
    const { session, made } = await newcomer();
    await accept(session, made.body.token);
    const [mine] = rows(await ask(members, "members", { token: session.access_token }))
      .filter(({ user_id }) => user_id === session.user_id);
    await ask(members, `members/${String(mine?.["id"])}`, {
      method: "DELETE",
      token: tenant.owner.access_token,
    });
    expect(refusal(await accept(session, made.body.token))).toEqual([409, "invitation_over"]);
    const again = await invite(tenant.owner, { email: made.body.email, role: "viewer" });
    expect((await accept(session, again.body.token)).body.role).toBe("viewer");
  });

  test("is of no use to who became a member otherwise, and changes no role", async () => {
    const { session, made } = await newcomer("owner");
    await api.database.sql("postgres")`
      insert into mailpipe.members (organization_id, user_id, role)
      values (${tenant.organization_id}, ${session.user_id}, 'viewer')
    `;
    expect(refusal(await accept(session, made.body.token))).toEqual([409, "already_member"]);
    const listed = rows(await ask(members, "members", { token: session.access_token }));
    expect(listed.find(({ user_id }) => user_id === session.user_id)?.["role"]).toBe("viewer");
  });

  test("is for the invited address alone, and only when it is confirmed", async () => {
    const { session, made } = await newcomer();
    const other = await accept(invited, made.body.token);
    expect(refusal(other)).toEqual([403, "invitation_for_another"]);
    expect(other.text).not.toContain("@invited.example");
    const auth = api.database.sql("supabase_admin");
    await auth`update auth.users set email_confirmed_at = null where id = ${session.user_id}`;
    expect(refusal(await accept(session, made.body.token))).toEqual([403, "invitation_for_another"]);
    await auth`update auth.users set email_confirmed_at = now() where id = ${session.user_id}`;
    expect((await accept(session, made.body.token)).status).toBe(200);
  });

  test("compares addresses without regard to case, and nothing looser", async () => {
    const session = await signUp(api, "grace.hopper@invited.example");
    const made = await invite(tenant.owner, { email: "Grace.Hopper@Invited.EXAMPLE", role: "viewer" });
    for (const near of ["gracehopper@invited.example", "grace.hopper+x@invited.example"]) {
      const stranger = await signUp(api, near);
      expect(refusal(await accept(stranger, made.body.token))).toEqual([403, "invitation_for_another"]);
    }
    await api.database.sql("supabase_admin")`
      update auth.users set email = 'GRACE.Hopper@invited.example' where id = ${session.user_id}
    `;
    expect((await accept(session, made.body.token)).status).toBe(200);
  });

  test("is refused to an anonymous user, though the address would be hers", async () => {
    const { session, made } = await newcomer();
    await api.database.sql("supabase_admin")`
      update auth.users set is_anonymous = true where id = ${session.user_id}
    `;
    expect(refusal(await accept(session, made.body.token))).toEqual([401, "invalid_credential"]);
  });

  test("ends when it is withdrawn, replaced or seven days old, to the millisecond", async () => {
    const gone = await newcomer();
    expect((await withdraw(tenant.owner, gone.made.body.id)).body).toEqual({
      id: gone.made.body.id,
      removed: true,
    });
    expect(refusal(await accept(gone.session, gone.made.body.token))).toEqual([409, "invitation_over"]);
    expect(refusal(await withdraw(tenant.owner, gone.made.body.id))).toEqual([404, "not_found"]);
    const used = await newcomer();
    await accept(used.session, used.made.body.token);
    expect(refusal(await withdraw(tenant.owner, used.made.body.id))).toEqual([404, "not_found"]);

    const again = await newcomer();
    const newer = await invite(tenant.owner, { email: again.email, role: "viewer" });
    expect(refusal(await accept(again.session, again.made.body.token))).toEqual([409, "invitation_over"]);
    expect((await accept(again.session, newer.body.token)).body.role).toBe("viewer");

    const old = await newcomer();
    const until = Date.parse(String(old.made.body.expires_at));
    expect(until - Date.parse(String(old.made.body.created_at))).toBe(7 * 24 * 3600 * 1000);
    const sessions = api.database.sql("supabase_admin");
    await sessions`update auth.sessions set not_after = null`;
    await api.database.setClock(new Date(until).toISOString());
    expect(refusal(await accept(old.session, old.made.body.token))).toEqual([409, "invitation_over"]);
    const listed = rows(await list(tenant.owner));
    expect(listed.find(({ id }) => id === old.made.body.id)?.["state"]).toBe("expired");
    await api.database.setClock(new Date(until - 1).toISOString());
    expect((await accept(old.session, old.made.body.token)).status).toBe(200);
  });

  test("lives as long as whoever made it may make it", async () => {
    const second = await addMember(api, tenant, "owner");
    const [email, other] = [`new${named++}@invited.example`, `new${named++}@invited.example`];
    const owning = await invite(second, { email, role: "owner" });
    const viewing = await invite(second, { email: other, role: "viewer" });
    const [one, two] = [await signUp(api, email), await signUp(api, other)];
    const setRole = (role: string) =>
      api.database.sql(
        "postgres",
      )`update mailpipe.members set role = ${role} where user_id = ${second.user_id}`;
    await setRole("admin");
    expect(refusal(await accept(one, owning.body.token))).toEqual([409, "invitation_over"]);
    await setRole("member");
    expect(refusal(await accept(two, viewing.body.token))).toEqual([409, "invitation_over"]);
    await setRole("admin");
    expect((await accept(two, viewing.body.token)).status).toBe(200);
    await api.database.sql("postgres")`delete from mailpipe.members where user_id = ${second.user_id}`;
    expect(refusal(await accept(one, owning.body.token))).toEqual([409, "invitation_over"]);
    expect(rows(await list(tenant.owner)).find(({ id }) => id === owning.body.id)?.["state"]).toBe(
      "withdrawn",
    );
  });

  test("says what became of it", async () => {
    const states = rows(await list(tenant.owner)).map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(["accepted", "withdrawn", "expired"]));
  });
});

describe("inviting", () => {
  test("is for admins, into roles up to their own", async () => {
    const admin = await addMember(api, tenant, "admin");
    const member = await addMember(api, tenant, "member");
    const body = { email: "x@invited.example", role: "owner" };
    expect(refusal(await invite(admin, body))).toEqual([403, "role_missing"]);
    expect((await invite(admin, { ...body, role: "admin" })).status).toBe(201);
    expect(refusal(await invite(member, { ...body, role: "viewer" }))).toEqual([403, "role_missing"]);
    expect(refusal(await list(member))).toEqual([403, "role_missing"]);
    expect(refusal(await withdraw(member, (await newcomer()).made.body.id))).toEqual([403, "role_missing"]);
    const byKey = await ask(invitations, "invitations", { token: tenant.live, body });
    expect(refusal(byKey)).toEqual([403, "session_required"]);
  });

  test("a member again is 409, and one address twice at once leaves one open invitation", async () => {
    const already = await invite(tenant.owner, { email: "Owner@acme.example", role: "viewer" });
    expect(refusal(already)).toEqual([409, "already_member"]);
    const body = { email: "twice@invited.example", role: "viewer" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => invite(tenant.owner, body)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
    const open = rows(await list(tenant.owner)).filter(({ email, state }) =>
      email === body.email && state === "open"
    );
    expect(open).toHaveLength(1);
  });

  test("an address again leaves the invitation before as it ended", async () => {
    const { made, email } = await newcomer();
    await withdraw(tenant.owner, made.body.id);
    const ended = async () =>
      (await api.database.sql("postgres")`
        select withdrawn_at::text as at from mailpipe.invitations where id = ${String(made.body.id)}
      `)[0]?.["at"];
    const before = await ended();
    await api.database.advanceClock("1 minute");
    await invite(tenant.owner, { email, role: "viewer" });
    expect(await ended()).toBe(before);
  });

  test("a member of another organization is no member again", async () => {
    const other = await foundTenant(api, "elsewhere");
    const email = "owner@elsewhere.example";
    expect((await invite(tenant.owner, { email, role: "viewer" })).status).toBe(201);
    expect(other.organization_id).not.toBe(tenant.organization_id);
  });

  test("lists page by page, newest first, each once", async () => {
    const other = await foundTenant(api, "pages");
    for (const name of ["one", "two", "three"]) {
      await invite(other.owner, { email: `${name}@invited.example`, role: "viewer" });
      await api.database.advanceClock("1 minute");
    }
    const token = other.owner.access_token;
    const first = await ask(invitations, "invitations?limit=2", { token });
    const second = await ask(invitations, `invitations?limit=2&cursor=${String(first.body.next)}`, { token });
    expect([first.body.has_more, second.body.has_more]).toEqual([true, false]);
    expect([first, second].map((page) => rows(page).map(({ email }) => email))).toEqual([
      ["three@invited.example", "two@invited.example"],
      ["one@invited.example"],
    ]);
  });

  test("leaves lines of ids in the audit log, and never an address", async () => {
    const lines = await api.database.sql("postgres")<{ action: string; line: string }[]>`
      select action, line::text as line from mailpipe.audit as line where organization_id = ${tenant.organization_id}
    `;
    const seen = new Set(lines.map(({ action }) => action));
    for (const action of ["member.invited", "member.joined", "invitation.withdrawn"]) {
      expect(seen).toContain(action);
    }
    expect(lines.map(({ line }) => line).join("\n")).not.toMatch(/@/);
  });

  test("another organization's invitation away is 404, and its list stays closed", async () => {
    const other = await foundTenant(api, "other");
    const { made } = await newcomer();
    expect(refusal(await withdraw(other.owner, made.body.id))).toEqual([404, "not_found"]);
    expect(rows(await list(other.owner))).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ["no address", { role: "viewer" }, "email"],
    ["two addresses", { email: "a@x.example, b@x.example", role: "viewer" }, "email"],
    ["a line break in the address", { email: "a@x.example\r\nBcc: b@x.example", role: "viewer" }, "email"],
    ["a role there is not", { email: "a@x.example", role: "root" }, "role"],
    [
      "an organization",
      { email: "a@x.example", role: "viewer", organization_id: "org_x" },
      "organization_id",
    ],
    ["an expiry", { email: "a@x.example", role: "viewer", expires_at: "2030-01-01T00:00:00Z" }, "expires_at"],
  ])("with %s is 422", async (_, body, path) => {
    expect(refusal(await invite(tenant.owner, body))).toEqual([422, "invalid_request", path]);
  });

  test.each<[string, unknown, [number, string, ...string[]]]>([
    ["unknown", `mpi_${"A".repeat(43)}`, [404, "not_found"]],
    ["empty", "", [404, "not_found"]],
    ["of 101 characters", "a".repeat(101), [422, "invalid_request", "token"]],
    ["that is no text", ["mpi_"], [422, "invalid_request", "token"]],
  ])("is not accepted with a token %s", async (_, token, expected) => {
    expect(refusal(await accept(invited, token))).toEqual(expected);
  });
});
