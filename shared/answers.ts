/** A JSON answer; headers beyond content type are the caller's. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}

/** 200: here it is. */
export function ok(body: unknown): Response {
  return json(200, body);
}

/** 201: it exists now. */
export function created(body: unknown): Response {
  return json(201, body);
}

/** 202: it is stored and will be done. */
export function accepted(body: unknown, headers: Record<string, string> = {}): Response {
  return json(202, body, headers);
}
