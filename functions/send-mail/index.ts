import { accepted } from "../../shared/answers.ts";
import { decodeAttachments, storeAttachments } from "../../shared/attachments.ts";
import { counted } from "../../shared/credentials.ts";
import { readIdempotencyKey } from "../../shared/idempotency-key.ts";
import { snippetOf } from "../../shared/mime-snippet.ts";
import { route } from "../../shared/route.ts";
import { sendBounds, SendMail, SentMail } from "../../shared/schemas/send-mail.ts";
import { serve } from "../../shared/serve.ts";
import type { Tenant } from "../../shared/storage.ts";
import { answerWithVerdict } from "../../shared/verdict.ts";
import { wake } from "../../shared/wake.ts";

/** Takes a message. A 2xx means it survives any crash of ours: it is stored with its job before we answer. */
export default serve("send-mail", {
  POST: route({
    summary: "Sends a message",
    access: { scope: "mail:send" },
    body: SendMail,
    cap: sendBounds.bodyBytes,
    answer: SentMail,
    status: 202,
    async run({ request, caller, body, call }) {
      const idempotencyKey = readIdempotencyKey(request);
      const { attachments, wait, ...message } = body;
      const decoded = decodeAttachments(attachments);
      if (decoded.length > 0) {
        const { from, to, cc, bcc, provider_id = null } = message;
        const tenant = await call("authorize_send", {
          p_caller: caller,
          p_request: { from, to, cc, bcc, provider_id },
        });
        await storeAttachments(tenant as unknown as Tenant, decoded);
      }
      const { replayed, ...sent } = await call("send_mail", {
        p_caller: decoded.length > 0 ? counted(caller) : caller,
        p_idempotency_key: idempotencyKey,
        p_request: {
          ...message,
          snippet: snippetOf(message.text, message.html),
          attachments: decoded.map(({ facts }) => facts),
        },
      });
      if (replayed === true && !wait) return accepted(sent, { "idempotent-replayed": "true" });
      if (wait) return await answerWithVerdict(caller, sent, replayed === true);
      wake("deliver-mail");
      return accepted(sent);
    },
  }),
});
