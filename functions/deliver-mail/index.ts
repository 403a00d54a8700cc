import { ok } from "../../shared/answers.ts";
import { deliverMessage } from "../../shared/delivering-mail.ts";
import { inRounds } from "../../shared/rounds.ts";
import { route } from "../../shared/route.ts";
import { type MessageWork, MessageWork as Claimed } from "../../shared/schemas/outgoing.ts";
import { DeliverMail, Done } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

// 25 MiB of content grow to some 100 MiB while a mail is composed; a worker has 256 MB.
const largeBytes = 1024 * 1024;

function isLarge({ message }: MessageWork): boolean {
  const body = (message.text?.length ?? 0) + (message.html?.length ?? 0);
  return message.attachments.reduce((sum, file) => sum + file.size_bytes, body) > largeBytes;
}

/** Sends what is due. The attempt is on record before the provider is called, so a crash leaves a trace. */
export default serve("deliver-mail", {
  POST: route({
    summary: "Sends messages that are due",
    access: { worker: true },
    body: DeliverMail,
    answer: Done,
    status: 200,
    async run({ caller, body, call }) {
      const one = async (work: MessageWork) => {
        const job = { p_caller: caller, p_job_id: work.job_id, p_fence: work.fence };
        const begin = async () => (await call("begin_attempt", job))["begun"] === true;
        const result = await deliverMessage(work, Math.random(), begin);
        if (result !== null) await call("finish_message", { ...job, p_result: result });
      };
      const claim = async (message_id: string | null) =>
        Claimed.parse(
          await call("claim_messages", { p_caller: caller, p_limit: 8, p_message_id: message_id }),
        );
      const send = async (claimed: MessageWork[]) => {
        await Promise.all(claimed.filter((work) => !isLarge(work)).map(one));
        for (const work of claimed.filter(isLarge)) await one(work);
        wake("dispatch-webhooks");
      };
      if (body.message_id === undefined) return ok({ done: await inRounds(() => claim(null), send) });
      const claimed = await claim(body.message_id);
      await send(claimed);
      return ok({ done: claimed.length });
    },
  }),
});
