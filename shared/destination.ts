import { checkDestination, EgressFailed, EgressRefused } from "./egress.ts";
import { ApiError } from "./errors.ts";

/** Refuses a URL egress.ts would not connect to. Throws `invalid_request` naming the field. */
export async function assertDestination(field: string, url: string): Promise<void> {
  try {
    await checkDestination(url);
  } catch (error) {
    if (!(error instanceof EgressRefused || error instanceof EgressFailed)) throw error;
    throw new ApiError("invalid_request", [{ path: field, message: error.message }]);
  }
}
