import type { ServerResponse } from "node:http";
import { startStandIn } from "./stand-in.ts";

export { answerJson as json } from "./stand-in.ts";

/** One request as the stand-in got it; its body parsed, undefined where there was none. */
export interface ResendCall {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** A stand-in for Resend's API on loopback. `answer` decides what it says to each call. */
export interface ResendStandIn {
  url: string;
  calls: ResendCall[];
  close: () => Promise<void>;
}

/** Says what the test wants, raw if it must; the call is kept either way. */
export type ResendAnswering = (call: ResendCall, response: ServerResponse) => void;

/** Starts a stand-in that speaks the documented format; the caller closes it. */
export async function startResend(answer: ResendAnswering): Promise<ResendStandIn> {
  const calls: ResendCall[] = [];
  const { url, close } = await startStandIn((call, response) => {
    const parsed = { ...call, body: call.body === "" ? undefined : JSON.parse(call.body) as unknown };
    calls.push(parsed);
    answer(parsed, response);
  });
  return { url, calls, close };
}
