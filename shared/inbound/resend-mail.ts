import { egressFetch } from "../egress.ts";
import { callResend, resendError } from "../resend-api.ts";

/** Resend takes in up to 40 MB; the JSON beside it repeats text and HTML. */
const largestBytes = 48 * 1024 * 1024;

/** A mail Resend received: its bytes, and the addresses it took it in for. */
export interface ResendMail {
  raw: Uint8Array;
  received_for: string[];
}

async function download(url: string): Promise<Uint8Array> {
  const { status, body, truncated } = await egressFetch(url, {
    method: "GET",
    deadlineMs: 60_000,
    maxBytes: largestBytes,
  });
  if (status !== 200) throw new Error(`the raw mail's link answered ${status}`);
  if (truncated) throw new Error(`the raw mail is larger than ${largestBytes} bytes`);
  return body;
}

/**
 * Fetches a received mail's raw bytes: its record from Resend, then the link in it, which is good for an hour and goes
 * through the egress guard like any address from outside. `id` must be `[A-Za-z0-9_-]{1,128}`. Throws an Error with a
 * sentence for everything else than the whole mail; trying again later is right.
 */
export async function fetchReceivedMail(id: string, apiKey: string): Promise<ResendMail> {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) throw new Error("not an id of Resend");
  // As cid references, because the default repeats every inline image in the JSON.
  const path = `/emails/receiving/${id}?html_format=cid`;
  const { status, body } = await callResend(path, apiKey, { method: "GET", maxBytes: largestBytes });
  if (status !== 200) {
    throw new Error(`Resend answered ${status} ${resendError(body).name} for the received mail`);
  }
  const { raw, received_for } = (body ?? {}) as {
    raw?: { download_url?: unknown } | null;
    received_for?: unknown;
  };
  if (typeof raw?.download_url !== "string") throw new Error("Resend named no link to the raw mail");
  const named = Array.isArray(received_for) ? received_for.filter((each) => typeof each === "string") : [];
  return { raw: await download(raw.download_url), received_for: named };
}
