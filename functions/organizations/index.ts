import { created, ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery } from "../../shared/schemas/fields.ts";
import { ChangeOrganization, CreateOrganization, Organization } from "../../shared/schemas/organizations.ts";
import { serve } from "../../shared/serve.ts";

/** The organizations of a signed-in user; founding one is open only where the operator opened it. */
export default serve("organizations", {
  GET: route({
    summary: "Lists the organizations the user belongs to",
    access: { session: true },
    query: PageQuery,
    answer: listOf(Organization),
    status: 200,
    async run({ caller, query, call }) {
      return ok(await call("list_organizations", { p_caller: caller, p_request: query }));
    },
  }),
  "PATCH /:id": route({
    summary: "Changes an organization's name, pauses its mail, or says how long its audit log is kept",
    access: { role: "admin" },
    body: ChangeOrganization,
    answer: Organization,
    status: 200,
    async run({ caller, params, body, call }) {
      const named = { ...caller, organization_id: params["id"] };
      return ok(await call("update_organization", { p_caller: named, p_request: body }));
    },
  }),
  POST: route({
    summary: "Founds an organization with the user as its owner",
    access: { session: true },
    body: CreateOrganization,
    answer: Organization,
    status: 201,
    async run({ caller, body, call }) {
      return created(await call("create_organization", { p_caller: caller, p_request: body }));
    },
  }),
});
