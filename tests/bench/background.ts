interface EdgeRuntime {
  waitUntil(work: Promise<unknown>): void;
}

/** What functions do once their answer is out. */
export interface Background {
  /** Resolves when nothing goes on any more, to how many works there were since the last time. */
  settled(): Promise<number>;
  /** Takes the hosted runtime's hook away again. */
  restore(): void;
}

/** Takes the hosted runtime's place: functions hand over what goes on behind an answer. */
export function watchBackground(): Background {
  const runtime = globalThis as { EdgeRuntime?: EdgeRuntime };
  const works: Promise<unknown>[] = [];
  runtime.EdgeRuntime = { waitUntil: (work) => void works.push(work) };
  return {
    async settled() {
      const over = works.splice(0);
      await Promise.all(over);
      return over.length;
    },
    restore: () => void delete runtime.EdgeRuntime,
  };
}
