import type { Provider } from "./contract.ts";

/**
 * The built-in provider of test keys (promise 8): no socket, no setup. Every message is accepted and delivered at once.
 */
export const sandbox: Provider<Record<string, never>> = {
  kind: "sandbox",
  idempotent: true,
  check() {
    return Promise.resolve({ ok: true });
  },
  send({ id }) {
    return Promise.resolve({
      outcome: "sent",
      provider_message_id: `sandbox_${id}`,
      response: "accepted by the sandbox; no mail was sent",
      refused: [],
      delivered: true,
    });
  },
};
