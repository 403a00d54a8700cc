import { ApiError } from "./errors.ts";

/**
 * Throws `https_required` when the caller came over plain HTTP: by `x-forwarded-proto`, or by the URL where no proxy
 * said. Loopback is excepted only in the second case.
 */
export function refusePlainHttp(request: Request): void {
  const forwarded = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase();
  const url = new URL(request.url);
  const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const plain = forwarded === undefined ? url.protocol === "http:" && !loopback : forwarded !== "https";
  // The hosted runtime hands over http URLs of its own host and says in the header how the caller came.
  if (plain) throw new ApiError("https_required");
}
