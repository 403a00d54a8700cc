/** A request, and the end of its body. */
export interface DrainedRequest {
  request: Request;
  /** Resolves when the rest of a body the function gave up on has arrived and been dropped. */
  drain(answer: Response): Promise<void>;
}

/**
 * Wraps a request so that a function may refuse a body half-way, or without a look at it, and its answer still
 * arrives. Deno closes the connection of an answer whose body was not read, and the reset overtakes the answer:
 * of ten 413s to a body of 40 MiB the gateway got one. Hosted, a relay in front takes such a body in.
 */
export function drainedRequest(original: Request): DrainedRequest {
  if (original.body === null) return { request: original, drain: () => Promise.resolve() };
  const reader = original.body.getReader();
  let givenUp = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => void (givenUp = true),
  }, { highWaterMark: 0 });
  const request = new Request(original, { body, duplex: "half" } as RequestInit);
  return {
    request,
    async drain(answer) {
      // A body that is being read, or that is itself the answer, is not ours to drop.
      if (answer.body === request.body || (request.body?.locked && !givenUp)) return;
      // The read fails when the caller hangs up, who then waits for no answer.
      await readToEnd(reader).catch(() => {});
    },
  };
}

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
