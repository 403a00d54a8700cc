import { afterEach, beforeEach, describe, expect, test } from "vitest";
import audit from "../../functions/audit/index.ts";
import takeOut from "../../functions/take-out-master-key/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { decryptWithGpg, gpgInstalled, gpgName } from "../support/gpg.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, type Tenant } from "../support/tenant.ts";

const passphrase = "correct horse bättery staple";

let api: Api;
let tenant: Tenant;
let log: string[];

beforeEach(async () => {
  log = keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterEach(() => api.close());

const sql = () => api.database.sql("postgres");
const take = (token = tenant.owner.access_token, body: unknown = { passphrase }, headers = {}) =>
  ask(takeOut, "take-out-master-key", { token, body, headers });

async function masterKey(version: number): Promise<string> {
  const [row] = await sql()<{ key: string }[]>`select mailpipe.master_key(${version}) as key`;
  return row?.key ?? "";
}

const takenOut = async () =>
  (await sql()<{ taken: boolean }[]>`
    select taken_out_at is not null as taken from mailpipe.master_keys order by version
  `).map(({ taken }) => taken);

/** An organization of somebody else's; or of the tenant's owner too. */
async function another(by?: string): Promise<string> {
  const other = await foundTenant(api, "other");
  if (by !== undefined) {
    await sql()`insert into mailpipe.members values (${other.organization_id}, ${by}, 'owner')`;
  }
  return other.organization_id;
}

describe("take-out-master-key", () => {
  test("hands the newest version out once, armoured, and a second time never", async () => {
    const answer = await take();
    expect(answer).toMatchObject({ status: 200, body: { version: 1 } });
    expect(answer.body.wrapped).toMatch(
      /^-----BEGIN PGP MESSAGE-----\nComment: Mailpipe master key, version 1\n/,
    );
    expect(await takenOut()).toEqual([true]);
    const again = await take();
    expect(refusal(again)).toEqual([409, "master_key_taken_out"]);
    expect(again.body.hint).toContain("rotate_master_key()");
    await expect(sql()`select mailpipe.take_out_master_key(${passphrase})`).rejects.toMatchObject({
      message: "master_key_taken_out",
    });
  });

  test("hands it to one of six who ask at the same time", async () => {
    const six = await Promise.all(Array.from({ length: 6 }, () => take()));
    expect(six.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
  });

  test("seals it as AES-256 under the costliest iterated passphrase there is", async () => {
    const { body } = await take();
    const [packet] = await sql()<{ head: string; opened: string }[]>`
      select
        encode(substr(extensions.dearmor(${String(body.wrapped)}), 3, 12), 'hex')
          || encode(substr(extensions.dearmor(${String(body.wrapped)}), 15, 1), 'hex') as head,
        extensions.pgp_sym_decrypt(extensions.dearmor(${String(body.wrapped)}), ${passphrase}) as opened
    `;
    // Version 4, AES-256, iterated and salted, SHA-256, eight octets of salt, and the highest count (RFC 4880 §3.7.1.3).
    expect(packet?.head).toMatch(/^04090308[0-9a-f]{16}ff$/);
    expect(packet?.opened).toBe(await masterKey(1));
    expect(body.wrapped).not.toContain(await masterKey(1));
  });

  test.skipIf(!gpgInstalled)(`what it hands out opens with ${gpgName} and the passphrase only`, async () => {
    const { body } = await take();
    const opened = await decryptWithGpg(String(body.wrapped), passphrase);
    expect(opened).toMatchObject({ status: 0, plain: await masterKey(1) });
    expect(opened.said).toContain("AES256");
    const wrong = await decryptWithGpg(String(body.wrapped), "correct horse battery staple");
    expect(wrong).toMatchObject({ plain: "" });
    expect(wrong.status).not.toBe(0);
  });

  test("is written down in each organization, and nowhere is the passphrase or the key", async () => {
    const other = await another(tenant.owner.user_id);
    const organization = { "x-organization-id": tenant.organization_id };
    expect((await take(tenant.owner.access_token, { passphrase }, organization)).status).toBe(200);
    for (const id of [tenant.organization_id, other]) {
      const lines = await ask(audit, "audit?action=master_key.taken_out", {
        token: tenant.owner.access_token,
        headers: { "x-organization-id": id },
      });
      expect(rows(lines)).toMatchObject([
        { actor_kind: "session", actor_id: tenant.owner.user_id, detail: { version: 1 }, environment: null },
      ]);
    }
    const again = await take(tenant.owner.access_token, { passphrase }, organization);
    const [written] = await sql()<
      { text: string }[]
    >`select string_agg(line::text, '') as text from mailpipe.audit as line`;
    for (const secret of [passphrase, await masterKey(1)]) {
      for (const place of [log.join("\n"), again.text, written?.text ?? ""]) {
        expect(place).not.toContain(secret);
      }
    }
    expect(log.join("\n")).toContain("take-out-master-key");
  });

  test("is for who owns every organization: 403 not_owner_of_all otherwise, and nothing is taken", async () => {
    const other = await another();
    expect(refusal(await take())).toEqual([403, "not_owner_of_all"]);
    const make = (role: string) =>
      sql()`
        insert into mailpipe.members values (${other}, ${tenant.owner.user_id}, ${role})
        on conflict (organization_id, user_id) do update set role = excluded.role
      `;
    const organization = { "x-organization-id": tenant.organization_id };
    for (const role of ["admin", "member", "viewer"]) {
      await make(role);
      const refused = await take(tenant.owner.access_token, { passphrase }, organization);
      expect(refusal(refused)).toEqual([403, "not_owner_of_all"]);
    }
    expect(await takenOut()).toEqual([false]);
    expect(await sql()`select id from mailpipe.audit where action = 'master_key.taken_out'`).toEqual([]);
    await make("owner");
    expect((await take(tenant.owner.access_token, { passphrase }, organization)).status).toBe(200);
  });

  test("is for no key and no other role", async () => {
    expect(refusal(await take(tenant.live))).toEqual([403, "session_required"]);
    for (const role of ["admin", "member", "viewer"]) {
      const { access_token } = await addMember(api, tenant, role);
      expect(refusal(await take(access_token))).toEqual([403, "role_missing"]);
    }
    expect(await takenOut()).toEqual([false]);
  });

  test.each([
    ["none", {}, "passphrase"],
    ["one of 15 characters", { passphrase: "a short passphr" }, "passphrase"],
    ["one of 201 characters", { passphrase: "a long passphrase".padEnd(201, "!") }, "passphrase"],
    ["a NUL in it", { passphrase: "a NUL in a passphrase\0" }, "passphrase"],
    ["a number", { passphrase: 1234567890123456 }, "passphrase"],
    ["a field too many", { passphrase, version: 1 }, "version"],
  ])("is 422 for a passphrase that is %s", async (_, body, path) => {
    const answer = await take(tenant.owner.access_token, body);
    expect(refusal(answer)).toEqual([422, "invalid_request", path]);
    expect(answer.text).not.toContain("xxxx");
    expect(await takenOut()).toEqual([false]);
  });

  test("waits for a rotation to end, and then hands the new version out", async () => {
    await take();
    await sql()`select mailpipe.rotate_master_key()`;
    expect(refusal(await take())).toEqual([409, "rotation_running"]);
    await sql()`select mailpipe.rewrap_oldest(500)`;
    expect(await take()).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await takenOut()).toEqual([true, true]);
  });
});

describe("the operator", () => {
  const out = async (given: string | null) =>
    (await sql()<{ wrapped: string }[]>`select mailpipe.take_out_master_key(${given}) as wrapped`)[0]
      ?.wrapped;

  test("takes it out in SQL, whoever owns what, under the same rules", async () => {
    await another();
    for (const given of [null, "x".repeat(15), "x".repeat(201)]) {
      await expect(out(given)).rejects.toMatchObject({ code: "PT422" });
    }
    const wrapped = await out(passphrase);
    const [row] = await sql()<{ key: string }[]>`
      select mailpipe.unwrap_master_key(${wrapped ?? ""}, ${passphrase}) as key
    `;
    expect(row?.key).toBe(await masterKey(1));
    expect(refusal(await take())).toEqual([403, "not_owner_of_all"]);
    const lines =
      await sql()`select actor_kind, actor_id from mailpipe.audit where action = 'master_key.taken_out'`;
    expect(lines).toEqual([
      { actor_kind: "operator", actor_id: "postgres" },
      { actor_kind: "operator", actor_id: "postgres" },
    ]);
  });
});
