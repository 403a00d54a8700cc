/** Rejects with the reason once the signal aborts, or at once where it has; nobody has to wait for it. */
export function whenAborted(signal: AbortSignal, reason: () => Error): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(reason());
    signal.addEventListener("abort", () => reject(reason()), { once: true });
  });
  aborted.catch(() => undefined);
  return aborted;
}
