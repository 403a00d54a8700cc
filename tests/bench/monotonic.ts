/** Milliseconds of the machine's monotonic clock, which every process reads alike; `performance.now` is a process's own. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
