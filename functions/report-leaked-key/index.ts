import { accepted } from "../../shared/answers.ts";
import { clientAddress } from "../../shared/client-address.ts";
import { hashKey, isWholeKey } from "../../shared/keys.ts";
import { route } from "../../shared/route.ts";
import { ReceivedReport, ReportLeakedKey } from "../../shared/schemas/keys.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Takes keys that were found in the open, from anybody. Those that are ours are revoked; the answer never says which. */
export default serve("report-leaked-key", {
  POST: route({
    summary: "Revokes keys that were found in the open; the answer is the same for any",
    access: { public: true },
    body: ReportLeakedKey,
    answer: ReceivedReport,
    status: 202,
    async run({ request, body, call }) {
      const key_hashes = [...new Set(body.keys.map((key) => key.trim()).filter(isWholeKey))].map(hashKey);
      const source_url = body.source_url ?? null;
      await call("report_leaked_keys", {
        p_caller: null,
        p_request: {
          key_hashes,
          source_url,
          source_host: source_url === null ? null : new URL(source_url).hostname,
          address: clientAddress(request),
        },
      });
      wake("dispatch-webhooks");
      return accepted({ received: body.keys.length });
    },
  }),
});
