import type { z } from "zod";
import { ApiError } from "./errors.ts";
import { openAccount } from "./providers/registry.ts";
import { credentialSchemas } from "./schemas/providers.ts";
import { fieldPath } from "./validate.ts";

function details(error: z.ZodError) {
  return error.issues.map(({ path, message }) => ({ path: fieldPath(["credentials", ...path]), message }));
}

/**
 * Parses credentials by their kind and tries them without sending mail. Returns them as parsed. Throws
 * `invalid_request` naming the field, or `credentials_refused` with what failed.
 */
export async function assertCredentials(kind: string, given: unknown): Promise<unknown> {
  const parsed = credentialSchemas[kind as keyof typeof credentialSchemas].safeParse(given);
  if (!parsed.success) throw new ApiError("invalid_request", details(parsed.error));
  const account = await openAccount(kind, parsed.data);
  const check = await account?.check();
  if (check?.ok === false) {
    throw new ApiError("credentials_refused", check.reason.slice(0, 300).replace(/\.$/, ""));
  }
  return parsed.data;
}

/** Refuses the test environment before anything is connected to. Throws `invalid_request`. */
export function assertTakesProviders(environment: unknown): void {
  if (environment !== "test") return;
  const message = "the test environment sends to the built-in sandbox and takes no provider";
  throw new ApiError("invalid_request", [{ path: "environment", message }]);
}
