import { ok } from "../../shared/answers.ts";
import { functionsUrl } from "../../shared/environment.ts";
import { route } from "../../shared/route.ts";
import { Health } from "../../shared/schemas/health.ts";
import { serve } from "../../shared/serve.ts";

/** Says whether the installation works. With a credential: what waits in the queues, and which providers there are. */
export default serve("health", {
  GET: route({
    summary:
      "Says whether the installation works; queues and providers with `usage:read` or the workers' secret",
    access: { public: true },
    answer: Health,
    status: 200,
    async run({ caller, call }) {
      const health = await call("health", { p_caller: null, p_functions_url: functionsUrl() });
      if (caller === null) return ok(health);
      const isWorker = "worker_hash" in caller || "project_secret" in caller;
      const figures = await call(isWorker ? "worker_health" : "tenant_health", { p_caller: caller });
      return ok({ ...health, ...figures });
    },
  }),
});
