import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery } from "../../shared/schemas/fields.ts";
import { ListedKey } from "../../shared/schemas/keys.ts";
import { serve } from "../../shared/serve.ts";

/** Lists the keys of the caller's environment, without the keys themselves. */
export default serve("list-keys", {
  GET: route({
    summary: "Lists API keys by name and last four characters",
    access: { scope: "keys:read" },
    query: PageQuery,
    answer: listOf(ListedKey),
    status: 200,
    async run({ caller, query, call }) {
      return ok(await call("list_keys", { p_caller: caller, p_request: query }));
    },
  }),
});
