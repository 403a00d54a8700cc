import issueKey from "../../functions/issue-key/index.ts";
import { type Scope, scopes } from "../../shared/access.ts";
import { type Api, type Session, signUp } from "./api.ts";
import { ask } from "./ask.ts";

/** An organization with its owner signed in, and one key of each environment that holds every scope. */
export interface Tenant {
  organization_id: string;
  owner: Session;
  live: string;
  test: string;
}

/** A key as it was issued. */
export interface Issued {
  id: string;
  key: string;
}

/** Issues a key over `issue-key`; every scope, for the live environment, unless told otherwise. */
export async function issue(
  token: string,
  wanted: { environment?: "live" | "test"; scopes?: readonly Scope[]; expires_at?: string } = {},
): Promise<Issued> {
  const body = { name: "a key", environment: "live", scopes, ...wanted };
  const answer = await ask(issueKey, "issue-key", { token, body });
  if (answer.status !== 201) throw new Error(`issue-key answered ${answer.status} ${answer.text}`);
  return { id: String(answer.body.id), key: String(answer.body.key) };
}

/** Founds an organization the way an operator does: a user signs up, one SQL call as `postgres`, then keys. */
export async function foundTenant(api: Api, name = "acme"): Promise<Tenant> {
  const owner = await signUp(api, `owner@${name}.example`);
  const [founded] = await api.database.sql("postgres")<{ id: string }[]>`
    select mailpipe.create_organization(${name}, ${`owner@${name}.example`}) as id
  `;
  const token = owner.access_token;
  const [live, test] = await Promise.all([issue(token), issue(token, { environment: "test" })]);
  return { organization_id: founded?.id ?? "", owner, live: live.key, test: test.key };
}

/** Signs up one more user and makes her a member of the organization in a role. */
export async function addMember(api: Api, tenant: Tenant, role: string): Promise<Session> {
  const member = await signUp(api, `${role}@${tenant.organization_id.toLowerCase()}.example`);
  await api.database.sql("postgres")`
    insert into mailpipe.members (organization_id, user_id, role)
    values (${tenant.organization_id}, ${member.user_id}, ${role})
  `;
  return member;
}
