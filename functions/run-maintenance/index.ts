import { z } from "zod";
import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { Maintained, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { removeStored } from "../../shared/storage.ts";
import { wake } from "../../shared/wake.ts";

/**
 * Takes away what has expired, and does what is due each minute: counters flushed, keys due for rotation told of, the
 * audit log sealed.
 */
export default serve("run-maintenance", {
  POST: route({
    summary: "Removes what has expired, flushes counters, tells of keys that are due, seals the audit log",
    access: { worker: true },
    body: Nothing,
    answer: Maintained,
    status: 200,
    async run({ caller, call }) {
      const removed = await call("run_maintenance", { p_caller: caller });
      const orphans = z.array(z.string()).parse(await call("list_orphan_objects", { p_caller: caller }));
      await removeStored(orphans);
      wake("dispatch-webhooks");
      return ok({ ...removed, orphan_objects: orphans.length });
    },
  }),
});
