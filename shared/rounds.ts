/**
 * Milliseconds of one wake-up. A worker has 150 s on hosted before an idle answer is cut; one that stops here leaves time
 * for a last call.
 */
export const budgetMs = 60_000;

/**
 * Claims and works until nothing is due or the time of one wake-up is spent; what is left is swept. Returns how
 * many pieces were done.
 */
export async function inRounds<Work>(
  claim: () => Promise<Work[]>,
  work: (claimed: Work[]) => Promise<void>,
): Promise<number> {
  const until = performance.now() + budgetMs;
  let done = 0;
  for (let claimed = await claim(); claimed.length > 0; claimed = await claim()) {
    await work(claimed);
    done += claimed.length;
    if (performance.now() >= until) return done;
  }
  return done;
}
