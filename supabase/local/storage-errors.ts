/** A refusal of Storage: hosted answers HTTP 400 and puts the true status in the body as text. */
export class StorageRefusal extends Error {
  constructor(readonly statusCode: number, readonly error: string, message: string) {
    super(message);
  }
}

/** The answer to something a route threw: a refusal, or the database's verdict in Storage's words. */
export function refusal(thrown: unknown): Response {
  const { statusCode, error, message } = thrown instanceof StorageRefusal ? thrown : fromDatabase(thrown);
  return Response.json({ statusCode: String(statusCode), error, message }, { status: 400 });
}

function fromDatabase(thrown: unknown): StorageRefusal {
  const { code, message } = thrown as { code?: string; message: string };
  if (code === "23505") return new StorageRefusal(409, "Duplicate", "The resource already exists");
  if (code === "42501") return new StorageRefusal(403, "Unauthorized", message);
  throw thrown;
}
