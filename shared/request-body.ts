import { ApiError } from "./errors.ts";

/** What a body may weigh where a route does not say otherwise (DESIGN §14). */
export const defaultCap = 1024 * 1024;

/**
 * Reads a body of at most `cap` bytes: refused by its content-length first, then by the bytes that come, so a
 * length that lies costs no more than the cap (RFC 9110 §8.6). Throws `payload_too_large`.
 */
export async function readBytes(request: Request, cap: number): Promise<Uint8Array> {
  const tooLarge = new ApiError("payload_too_large", `at most ${cap} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > cap) throw tooLarge;
  if (request.body === null) return new Uint8Array();

  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    size += step.value.byteLength;
    if (size > cap) {
      // Not awaited: cancelling may wait for a sender that never stops.
      reader.cancel().catch(() => {});
      throw tooLarge;
    }
    chunks.push(step.value);
  }
  return joined(chunks, size);
}

function joined(chunks: Uint8Array[], size: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** The body's media type in lower case, without its parameters; undefined where none was named. */
export function mediaType(request: Request): string | undefined {
  return request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
}

/** Reads a JSON object or array. Throws `unsupported_media_type`, `payload_too_large` or `invalid_json`. */
export async function readJson(request: Request, cap: number): Promise<unknown> {
  if (mediaType(request) !== "application/json") {
    throw new ApiError("unsupported_media_type", "send application/json");
  }
  const bytes = await readBytes(request, cap);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError("invalid_json");
  }
  if (typeof value !== "object" || value === null) throw new ApiError("invalid_json");
  return value;
}
