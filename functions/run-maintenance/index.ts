import { z } from "zod";
import { ok } from "../../shared/answers.ts";
import type { Facts } from "../../shared/database.ts";
import { route } from "../../shared/route.ts";
import { Maintained, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { removeStored } from "../../shared/storage.ts";
import { wake } from "../../shared/wake.ts";

const Counts = z.record(z.string(), z.number());

// One flush takes 10,000 rows, sixteen at most of a key: fewer keys than this and nothing was left behind.
const keysOfFullFlush = 625;
const mostRounds = 20;

/** Runs maintenance until a flush was not full, so that no key waits behind others for ever; the sums of all rounds. */
async function maintain(once: () => Promise<Facts>): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (let round = 0; round < mostRounds; round++) {
    const done = Counts.parse(await once());
    for (const [name, count] of Object.entries(done)) sums[name] = (sums[name] ?? 0) + count;
    if ((done["used_keys"] ?? 0) < keysOfFullFlush) break;
  }
  return sums;
}

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
      const removed = await maintain(() => call("run_maintenance", { p_caller: caller }));
      const orphans = z.array(z.string()).parse(await call("list_orphan_objects", { p_caller: caller }));
      await removeStored(orphans);
      wake("dispatch-webhooks");
      return ok({ ...removed, orphan_objects: orphans.length });
    },
  }),
});
