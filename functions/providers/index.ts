import { randomBytes } from "node:crypto";
import { created, ok } from "../../shared/answers.ts";
import { assertCredentials, assertTakesProviders } from "../../shared/credential-check.ts";
import { counted } from "../../shared/credentials.ts";
import { hashKey } from "../../shared/keys.ts";
import { inboundKindOf } from "../../shared/inbound/registry.ts";
import { inboundUrl } from "../../shared/inbound-url.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery, Removed } from "../../shared/schemas/fields.ts";
import {
  ChangeProvider,
  ConnectedProvider,
  ConnectProvider,
  Provider,
} from "../../shared/schemas/providers.ts";
import { serve } from "../../shared/serve.ts";
import { newWebhookSecret } from "../../shared/signature.ts";

/** Connected sending accounts. A credential goes in, is tried, and never comes out again. */
export default serve("providers", {
  GET: route({
    summary: "Lists connected providers",
    access: { scope: "providers:read" },
    query: PageQuery,
    answer: listOf(Provider),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_providers", { p_caller: caller, p_request: query })),
  }),
  POST: route({
    summary: "Connects a sending account after trying its credentials",
    access: { scope: "providers:write" },
    body: ConnectProvider,
    answer: ConnectedProvider,
    status: 201,
    async run({ caller, body, call }) {
      const tenant = await call("authorize", {
        p_caller: caller,
        p_need: "providers:write",
        p_environment: body.environment ?? null,
      });
      assertTakesProviders(tenant["environment"]);
      await assertCredentials(body.kind, body.credentials);
      const token = randomBytes(32).toString("base64url");
      const secret = inboundKindOf(body.kind) === "mime" ? newWebhookSecret() : null;
      const made = await call("create_provider", {
        p_caller: counted(caller),
        p_request: { ...body, inbound_token_hash: hashKey(token), inbound_secret: secret },
      });
      const inbound = { inbound_url: inboundUrl(body.kind, token) };
      return created({ ...made, ...inbound, ...(secret === null ? {} : { inbound_secret: secret }) });
    },
  }),
  "PATCH /:id": route({
    summary: "Changes a provider's name or credentials, or makes it the default",
    access: { scope: "providers:write" },
    body: ChangeProvider,
    answer: Provider,
    status: 200,
    async run({ caller, params, body, call }) {
      if (body.credentials === undefined) {
        return ok(await call("update_provider", { p_caller: caller, p_id: params["id"], p_request: body }));
      }
      const { kind } = await call("get_provider", { p_caller: caller, p_id: params["id"] });
      const credentials = await assertCredentials(String(kind), body.credentials);
      return ok(
        await call("update_provider", {
          p_caller: counted(caller),
          p_id: params["id"],
          p_request: { ...body, credentials },
        }),
      );
    },
  }),
  "DELETE /:id": route({
    summary: "Removes a provider that has no mail left to send",
    access: { scope: "providers:write" },
    answer: Removed,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("delete_provider", { p_caller: caller, p_id: params["id"] })),
  }),
});
