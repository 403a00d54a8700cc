const minute = 60;
const hour = 60 * minute;

// DESIGN §10, after the first try: three days and three hours in all.
const webhookDelays = [
  5,
  minute,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

// A provider that says "later" means minutes; a day of trying is what SMTP senders expect (RFC 5321 §4.5.4.1: give up
// after four to five days at most, warn earlier).
const mailDelays = [
  30,
  2 * minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  4 * hour,
  8 * hour,
  8 * hour,
];

// An inbound request waits for storage, or for a provider's API to hand over the mail.
const inboundDelays = [5, 30, 2 * minute, 10 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, 24 * hour];

const schedules = { webhook: webhookDelays, mail: mailDelays, inbound: inboundDelays };

/**
 * Seconds until the next try after `attempt` (1 is the first), or null when there is none. Up to 20 % later, never
 * earlier; `retryAfter` seconds are honoured up to a day. `random` is in [0, 1).
 */
export function retryDelay(
  schedule: keyof typeof schedules,
  attempt: number,
  random: number,
  retryAfter: number | null = null,
): number | null {
  const delay = schedules[schedule][attempt - 1];
  if (delay === undefined) return null;
  const asked = Math.min(retryAfter ?? 0, 24 * hour);
  return Math.max(delay, asked) * (1 + 0.2 * random);
}

/** True for a try the schedule does not have: the workers before this one died without a word. */
export function isBeyondSchedule(schedule: keyof typeof schedules, attempt: number): boolean {
  return attempt > schedules[schedule].length + 1;
}
