/** Lowest and highest value of minute, hour, day of month, month, day of week (0 and 7 are both Sunday). */
const RANGES = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]] as const;

/**
 * Whether a job of this pg_cron schedule that last ran at `last` is to run at `now`: `<n> seconds`, or five
 * cron fields in UTC, made of numbers, `*`, ranges, lists and steps. Throws on any other schedule.
 */
export function isDue(schedule: string, last: Date, now: Date): boolean {
  const seconds = /^(?<count>[1-9]|[1-5]\d) seconds?$/.exec(schedule.trim())?.groups?.count;
  if (seconds !== undefined) return now.getTime() - last.getTime() >= Number(seconds) * 1000;
  const sameMinute = Math.floor(now.getTime() / 60_000) === Math.floor(last.getTime() / 60_000);
  return matches(schedule, now) && !sameMinute;
}

function matches(schedule: string, now: Date): boolean {
  const fields = schedule.trim().split(/\s+/);
  const values = [
    now.getUTCMinutes(),
    now.getUTCHours(),
    now.getUTCDate(),
    now.getUTCMonth() + 1,
    now.getUTCDay(),
  ];
  if (fields.length !== RANGES.length) throw new Error(`"${schedule}" is not a schedule of pg_cron.`);
  const [minute, hour, date, month, weekday] = fields.map((field, index) =>
    valuesOf(field, index).has(values[index] ?? -1)
  );
  // As cron has it: where both days are restricted, either is enough.
  const eitherDay = fields[2] !== "*" && fields[4] !== "*";
  const day = eitherDay ? date || weekday : date && weekday;
  return Boolean(minute && hour && month && day);
}

function valuesOf(field: string, index: number): Set<number> {
  const values = field.split(",").flatMap((part) => {
    const [lowest, highest] = RANGES[index] ?? [0, 0];
    const found = /^(?:\*|(?<from>\d+)(?:-(?<to>\d+))?)(?:\/(?<step>[1-9]\d*))?$/.exec(part)?.groups;
    if (found === undefined) throw new Error(`"${field}" is not a field of a cron schedule.`);
    const from = Number(found.from ?? lowest);
    const to = Number(found.to ?? (found.from && !found.step ? from : highest));
    const step = Number(found.step ?? 1);
    return Array.from(
      { length: Math.max(0, Math.floor((to - from) / step) + 1) },
      (_, count) => from + count * step,
    );
  });
  // Sunday is 0 and 7.
  return new Set(index === 4 ? values.map((value) => value % 7) : values);
}
