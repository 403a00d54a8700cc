// What a secret of this project begins with: none may be echoed and logged, wherever it was put by mistake.
const secret = /mp_live_|mp_test_|mpw_|sb_secret_/;

/** The caller's `x-request-id` where it is safe to echo and log (1 to 64 of A-Z a-z 0-9 _ -), else one of ours. */
export function requestId(request: Request): string {
  const given = request.headers.get("x-request-id");
  // What is echoed and logged must not be able to write either.
  return given !== null && /^[A-Za-z0-9_-]{1,64}$/.test(given) && !secret.test(given)
    ? given
    : `req_${crypto.randomUUID().replaceAll("-", "")}`;
}
