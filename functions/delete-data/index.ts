import { accepted, ok } from "../../shared/answers.ts";
import { hashKey } from "../../shared/keys.ts";
import { mintToken } from "../../shared/one-time-token.ts";
import { route } from "../../shared/route.ts";
import { DeleteData, DeletionAnswer, Receipt, ReceiptRequest } from "../../shared/schemas/deletions.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Deletes a message, a mailbox, every trace of a person, or the organization; asked first, confirmed then. */
export default serve("delete-data", {
  POST: route({
    summary: "Counts what a deletion would take and, called again with the token, does it",
    access: { scope: "data:delete" },
    body: DeleteData,
    answer: DeletionAnswer,
    status: 202,
    async run({ caller, body: { confirm, ...request }, call }) {
      if (confirm === undefined) {
        const { plain, hash } = mintToken("mpd");
        const asked = { p_caller: caller, p_confirm_hash: hash, p_request: request };
        return accepted({ ...await call("ask_deletion", asked), confirm: plain });
      }
      const p_confirm_hash = hashKey(confirm);
      const receipt = await call("confirm_deletion", {
        p_caller: caller,
        p_confirm_hash,
        p_request: request,
      });
      wake("run-data-jobs");
      return accepted({ receipt });
    },
  }),
  "GET /:id": route({
    summary: "Shows how far a deletion is, or its receipt",
    access: { scope: "data:delete" },
    answer: Receipt,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("get_deletion", { p_caller: caller, p_id: params["id"] })),
  }),
  "POST /:id/undo": route({
    summary: "Undoes the deletion of the organization, for seven days",
    access: { scope: "data:delete" },
    answer: Receipt,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("undo_deletion", { p_caller: caller, p_id: params["id"] })),
  }),
  "POST /receipt": route({
    summary: "Shows the receipt to whoever holds the token, also when the organization is gone",
    access: { public: true },
    body: ReceiptRequest,
    answer: Receipt,
    status: 200,
    run: async ({ body, call }) =>
      ok(await call("get_receipt", { p_caller: {}, p_confirm_hash: hashKey(body.confirm) })),
  }),
});
