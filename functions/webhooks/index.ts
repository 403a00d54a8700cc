import { accepted, created, ok } from "../../shared/answers.ts";
import { counted } from "../../shared/credentials.ts";
import { assertDestination } from "../../shared/destination.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery, Removed } from "../../shared/schemas/fields.ts";
import {
  ChangeWebhook,
  CreatedWebhook,
  CreateWebhook,
  RotateWebhookSecret,
  TestedWebhook,
  Webhook,
} from "../../shared/schemas/webhooks.ts";
import { serve } from "../../shared/serve.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import { wake } from "../../shared/wake.ts";

const write = { scope: "webhooks:write" } as const;

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
    access: write,
    body: CreateWebhook,
    answer: CreatedWebhook,
    status: 201,
    async run({ caller, body, call }) {
      const p_environment = body.environment ?? null;
      await call("authorize", { p_caller: caller, p_need: write.scope, p_environment });
      await assertDestination("url", body.url);
      const secret = newWebhookSecret();
      const p_request = { ...body, secret };
      return created({ ...await call("create_webhook", { p_caller: counted(caller), p_request }), secret });
    },
  }),
  "GET /:id": route({
    summary: "Shows an endpoint",
    access: { scope: "webhooks:read" },
    answer: Webhook,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("get_webhook", { p_caller: caller, p_id: params["id"] })),
  }),
  "PATCH /:id": route({
    summary: "Changes an endpoint, or enables or disables it",
    access: write,
    body: ChangeWebhook,
    answer: Webhook,
    status: 200,
    async run({ caller, params, body, call }) {
      const change = { p_id: params["id"], p_request: body };
      if (body.url === undefined) return ok(await call("update_webhook", { p_caller: caller, ...change }));
      await call("authorize", { p_caller: caller, p_need: write.scope, p_environment: null });
      await assertDestination("url", body.url);
      return ok(await call("update_webhook", { p_caller: counted(caller), ...change }));
    },
  }),
  "DELETE /:id": route({
    summary: "Removes an endpoint and what still waits for it",
    access: write,
    answer: Removed,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("delete_webhook", { p_caller: caller, p_id: params["id"] })),
  }),
  "POST /:id/test": route({
    summary: "Sends an endpoint a test event",
    access: write,
    answer: TestedWebhook,
    status: 202,
    async run({ caller, params, call }) {
      const told = await call("test_webhook", { p_caller: caller, p_id: params["id"] });
      wake("dispatch-webhooks");
      return accepted(told);
    },
  }),
  "POST /:id/rotate-secret": route({
    summary: "Gives an endpoint a new secret, shown once; the old one verifies for the overlap",
    access: write,
    body: RotateWebhookSecret,
    answer: CreatedWebhook,
    status: 201,
    async run({ caller, params, body, call }) {
      const secret = newWebhookSecret();
      const p_request = { ...body, secret };
      const changed = await call("rotate_webhook_secret", {
        p_caller: caller,
        p_id: params["id"],
        p_request,
      });
      return created({ ...changed, secret });
    },
  }),
});
