import type { z } from "zod";
import { ApiError, type ErrorDetail } from "./errors.ts";

// More would only repeat the same mistake a hundred times.
const most = 20;

/** `["to", 0, "email"]` as `to[0].email`. */
export function fieldPath(path: PropertyKey[]): string {
  return path.map((step) => typeof step === "number" ? `[${step}]` : `.${String(step)}`).join("")
    .replace(/^\./, "");
}

function toDetails(issue: z.core.$ZodIssue): ErrorDetail[] {
  if (issue.code !== "unrecognized_keys") return [{ path: fieldPath(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({
    path: fieldPath([...issue.path, key]),
    message: "there is no such field",
  }));
}

/** Parses by a schema. Throws `invalid_request` with one entry per wrong field, unknown fields included. */
export function validate<Output>(schema: z.ZodType<Output>, given: unknown): Output {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ApiError("invalid_request", parsed.error.issues.flatMap(toDetails).slice(0, most));
}
