import { z } from "zod";
import { addressKey, InvalidAddress, normalHostname, parseAddress } from "../addresses.ts";
import { canonicalRange } from "../canonical-addresses.ts";
import { id } from "./fields.ts";

const mostEntries = 100;

/** A list of 1 to 100 different entries; an empty one would let nothing through, so it is a mistake. */
function entries(entry: z.ZodType<string, string>, what: string) {
  return z.array(entry).min(1, `must name at least one ${what}; leave the fence out to have none`).max(
    mostEntries,
  )
    .transform((given) => [...new Set(given)]).nullish();
}

const Domain = z.string().max(253).transform((given, context) => {
  const host = normalHostname(given);
  if (host !== null && host.includes(".")) return host;
  context.addIssue({
    code: "custom",
    message: "must be a domain like example.com, which fences that domain alone",
  });
  return z.NEVER;
});

/** A mailbox by its id, or by its address in the form it is compared in. */
const MailboxName = z.string().max(320).transform((given, context) => {
  if (id("mbx").safeParse(given).success) return given;
  try {
    return addressKey(parseAddress(given).email);
  } catch (error) {
    const message = error instanceof InvalidAddress ? error.message : "is not an address";
    context.addIssue({
      code: "custom",
      message: `must be a mailbox's id or address; as an address it ${message}`,
    });
    return z.NEVER;
  }
});

/** A CIDR range in its one spelling; `/0` is refused. */
export const AddressRange = z.string().max(60).transform((given, context) => {
  const read = canonicalRange(given);
  if ("range" in read) return read.range;
  context.addIssue({ code: "custom", message: read.problem });
  return z.NEVER;
});

/** What a key is fenced to (DESIGN §7). A fence left out is none; one that is there must hold. */
export const Fences = z.strictObject({
  sending_domains: entries(Domain, "domain"),
  mailboxes: entries(MailboxName, "mailbox"),
  recipient_domains: entries(Domain, "domain"),
  ip_ranges: entries(AddressRange, "range"),
});

const Limit = z.number().int().min(1).max(1_000_000).nullish();

/** Requests a key may make; a window begins with its first request. */
export const Limits = z.strictObject({ per_minute: Limit, per_day: Limit });

const shownList = z.array(z.string()).nullable();

/** Fences as they are answered: null where there is none; mailboxes by id. */
export const ShownFences = z.object({
  sending_domains: shownList,
  mailboxes: shownList,
  recipient_domains: shownList,
  ip_ranges: shownList,
});

/** Limits as they are answered; a key without its own shows its issuer's. */
export const ShownLimits = z.object({ per_minute: z.number().nullable(), per_day: z.number().nullable() });
