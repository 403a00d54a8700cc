import whoami from "../../functions/whoami/index.ts";

/** A request with the key, as a caller would make it whose address nobody knows: the flood guard lets it be. */
export function asked(key: string): Request {
  return new Request("http://127.0.0.1/whoami", { headers: { authorization: `Bearer ${key}` } });
}

/** Has whoami answer. Throws for another status than `wanted`: what was measured would not be what it says. */
export async function answered(request: Request, wanted: 200 | 401): Promise<void> {
  const { status } = await whoami.fetch(request);
  if (status !== wanted) throw new Error(`whoami answered ${status} and not ${wanted}.`);
}
