import { created, ok } from "../../shared/answers.ts";
import { counted } from "../../shared/credentials.ts";
import { assertDestination } from "../../shared/destination.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery, Removed } from "../../shared/schemas/fields.ts";
import { CreatedWebhook, CreateWebhook, Webhook } from "../../shared/schemas/webhooks.ts";
import { serve } from "../../shared/serve.ts";
import { newWebhookSecret } from "../../shared/signature.ts";

/** Webhook endpoints: the customer's URLs that events are delivered to. */
export default serve("webhooks", {
  GET: route({
    summary: "Lists webhook endpoints",
    access: { scope: "webhooks:read" },
    query: PageQuery,
    answer: listOf(Webhook),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_webhooks", { p_caller: caller, p_request: query })),
  }),
  POST: route({
    summary: "Subscribes a URL to events; its secret is shown once",
    access: { scope: "webhooks:write" },
    body: CreateWebhook,
    answer: CreatedWebhook,
    status: 201,
    async run({ caller, body, call }) {
      await call("authorize", {
        p_caller: caller,
        p_need: "webhooks:write",
        p_environment: body.environment ?? null,
      });
      await assertDestination("url", body.url);
      const secret = newWebhookSecret();
      const made = await call("create_webhook", {
        p_caller: counted(caller),
        p_request: { ...body, secret },
      });
      return created({ ...made, secret });
    },
  }),
  "DELETE /:id": route({
    summary: "Removes an endpoint and what still waits for it",
    access: { scope: "webhooks:write" },
    answer: Removed,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("delete_webhook", { p_caller: caller, p_id: params["id"] })),
  }),
});
