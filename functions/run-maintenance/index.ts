import { z } from "zod";
import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { Maintained, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { removeStored } from "../../shared/storage.ts";

/** Takes away what has expired: idempotency records after 24 hours, objects no row points at after a day. */
export default serve("run-maintenance", {
  POST: route({
    summary: "Removes what has expired",
    access: { worker: true },
    body: Nothing,
    answer: Maintained,
    status: 200,
    async run({ caller, call }) {
      const removed = await call("run_maintenance", { p_caller: caller });
      const orphans = z.array(z.string()).parse(await call("list_orphan_objects", { p_caller: caller }));
      await removeStored(orphans);
      return ok({ ...removed, orphan_objects: orphans.length });
    },
  }),
});
