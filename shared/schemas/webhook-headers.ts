import { z } from "zod";

// RFC 9110 §5.6.2 (token) and §5.5: visible ASCII and blanks, none at the ends.
const name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const value = /^[!-~](?:[ -~]{0,1998}[!-~])?$/;

/** Ours, and those that say how the request is carried. */
const ours = /^(?:x-mailpipe-.*|webhook-.*|svix-.*|user-agent)$/;
const carrying =
  /^(?:host|content-.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect)$/;

function problemOf(given: string, all: string[]): string | null {
  const lower = given.toLowerCase();
  if (!name.test(given) || lower === "__proto__") return "is not the name of a header";
  if (ours.test(lower)) return "is a header Mailpipe sets itself";
  if (carrying.test(lower)) return "is a header that says how a request is carried";
  const twice = all.filter((other) => other.toLowerCase() === lower).length > 1;
  return twice ? "is given twice" : null;
}

// JavaScript takes it for an object's prototype, so it would be passed over without a word.
function refusePrototype(given: unknown, context: z.RefinementCtx): unknown {
  if (typeof given === "object" && given !== null && Object.hasOwn(given, "__proto__")) {
    context.addIssue({ code: "custom", path: ["__proto__"], message: "is not the name of a header" });
  }
  return given;
}

/** A customer's own headers for every delivery to an endpoint, 20 at most; names are handed on in lower case. */
export const WebhookHeaders = z.preprocess(
  refusePrototype,
  z.record(z.string(), z.string()).superRefine((headers, context) => {
    const names = Object.keys(headers);
    if (names.length > 20) {
      context.addIssue({ code: "custom", message: "must not be more than 20 headers" });
      return;
    }
    for (const each of names) {
      const problem = problemOf(each, names);
      if (problem !== null) context.addIssue({ code: "custom", path: [each], message: problem });
      else if (!value.test(headers[each] ?? "")) {
        context.addIssue({
          code: "custom",
          path: [each],
          message: "must be 1 to 2000 visible ASCII characters",
        });
      }
    }
  }).transform((headers) =>
    Object.fromEntries(Object.entries(headers).map(([each, given]) => [each.toLowerCase(), given]))
  ),
);
