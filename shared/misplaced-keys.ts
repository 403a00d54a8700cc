import { ApiError } from "./errors.ts";
import { keyShapes } from "./keys.ts";

/** Each escape by itself, so that one that means nothing does not hide the others. */
function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

/** Every text of a request but its Authorization header and its body: the URL and each header, percent-decoded too. */
function placesOf(request: Request): string[] {
  const headers = [...request.headers].filter(([name]) => name !== "authorization").map(([, value]) => value);
  return [request.url, ...headers].flatMap((text) => text.includes("%") ? [text, decoded(text)] : [text]);
}

/**
 * What looks like an API key where a log, a proxy or a browser's history will keep it: in the URL, or in any header
 * but Authorization. Mistyped keys too.
 */
export function misplacedKeys(request: Request): string[] {
  return [...new Set(placesOf(request).flatMap(keyShapes))];
}

/** Throws `key_misplaced` when the request shows a key anywhere but in its Authorization header. */
export function refuseMisplacedKeys(request: Request): void {
  if (misplacedKeys(request).length > 0) throw new ApiError("key_misplaced");
}
