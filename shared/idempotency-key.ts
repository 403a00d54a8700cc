import { ApiError } from "./errors.ts";

/** Reads the Idempotency-Key header: 1 to 256 visible ASCII characters, or none. Throws `invalid_header`. */
export function readIdempotencyKey(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key !== null && !/^[\x21-\x7e]{1,256}$/.test(key)) {
    throw new ApiError("invalid_header", "Idempotency-Key must be 1 to 256 visible ASCII characters");
  }
  return key;
}
