import { lines } from "./grants.ts";

/** The verbs of the matrix, in the order of its columns. */
export const verbs = ["select", "insert", "update", "delete", "truncate"] as const;
export type Verb = typeof verbs[number];

/** What else Postgres can grant on a table. Nobody holds it, so there is nothing to perform. */
export const heldByNobody = ["maintain", "references", "trigger"];

/** Who acts, and as which role of the database. A member is the owner, after the customer's opt-in for browsers. */
export const actors = {
  anon: "anon",
  authenticated: "authenticated",
  service_role: "service_role",
  member: "authenticated",
  tenant: "mailpipe_tenant",
  worker: "mailpipe_worker",
} as const;
export type ActorName = keyof typeof actors;

/** Who never reaches a table, written as one. */
const outsiders = ["anon", "authenticated", "service_role"];

/**
 * Which rows of a table each actor reaches with each verb, and no WHERE clause. One line for a table and those actors
 * that may do the same there:
 *
 *   -     nothing: refused with 42501, or a view that cannot be written
 *   none  the statement may be made, and reaches no row
 *   own   rows of the pinned organization and environment
 *   org   rows of the organization, whatever their environment
 *   self  her own row
 *   all   every row
 *
 * A tenant is pinned by its key, a worker by the project's secret, a member by her token's claims.
 */
export const matrix = `
                                                       select  insert  update  delete  truncate
  api_keys             outsiders                       -       -       -       -       -
  api_keys             member                          org     -       -       -       -
  api_keys             tenant                          own     own     -       -       -
  api_keys             worker                          all     -       -       -       -
  attachments          outsiders                       -       -       -       -       -
  attachments          member                          org     -       -       -       -
  attachments          tenant                          own     own     -       -       -
  attachments          worker                          all     all     -       -       -
  attempts             outsiders                       -       -       -       -       -
  attempts             member                          org     -       -       -       -
  attempts             tenant                          own     -       -       -       -
  attempts             worker                          all     all     all     -       -
  audit                outsiders                       -       -       -       -       -
  audit                member                          org     -       -       -       -
  audit                tenant                          org     org     -       -       -
  audit                worker                          -       all     -       -       -
  audit_seals          outsiders,worker                -       -       -       -       -
  audit_seals          member,tenant                   org     -       -       -       -
  data_keys            outsiders,member,tenant,worker  -       -       -       -       -
  deletions            outsiders,member                -       -       -       -       -
  deletions            tenant                          own     own     own     -       -
  deletions            worker                          all     -       all     all     -
  deliveries           outsiders                       -       -       -       -       -
  deliveries           member                          org     -       -       -       -
  deliveries           tenant                          own     own     own     -       -
  deliveries           worker                          all     all     all     -       -
  early_events         outsiders,member,tenant         -       -       -       -       -
  early_events         worker                          all     all     -       all     -
  events               outsiders                       -       -       -       -       -
  events               member                          org     -       -       -       -
  events               tenant                          own     own     -       -       -
  events               worker                          all     all     all     -       -
  export_parts         outsiders,member                -       -       -       -       -
  export_parts         tenant                          org     -       -       -       -
  export_parts         worker                          all     all     -       -       -
  exports              outsiders,member                -       -       -       -       -
  exports              tenant                          org     org     -       -       -
  exports              worker                          all     -       all     all     -
  idempotency_records  outsiders,member                -       -       -       -       -
  idempotency_records  tenant                          own     own     own     -       -
  idempotency_records  worker                          all     -       -       all     -
  inbound_requests     outsiders,member                -       -       -       -       -
  inbound_requests     tenant                          own     own     -       -       -
  inbound_requests     worker                          all     -       all     -       -
  invitations          outsiders,member,worker         -       -       -       -       -
  invitations          tenant                          org     org     org     -       -
  jobs                 outsiders,member                -       -       -       -       -
  jobs                 tenant                          own     own     own     own     -
  jobs                 worker                          all     all     all     all     -
  key_usage            outsiders,worker                -       -       -       -       -
  key_usage            member                          org     -       -       -       -
  key_usage            tenant                          own     -       -       -       -
  key_uses             outsiders,member,tenant,worker  -       -       -       -       -
  mailboxes            outsiders                       -       -       -       -       -
  mailboxes            member                          org     -       -       -       -
  mailboxes            tenant                          own     own     own     own     -
  mailboxes            worker                          all     -       -       -       -
  master_key_rotation  outsiders,member,tenant,worker  -       -       -       -       -
  master_keys          outsiders,member,tenant,worker  -       -       -       -       -
  members              outsiders                       -       -       -       -       -
  members              member                          self    -       -       -       -
  members              tenant                          org     -       org     org     -
  members              worker                          all     -       -       -       -
  messages             outsiders                       -       -       -       -       -
  messages             member                          org     -       -       -       -
  messages             tenant                          own     own     -       -       -
  messages             worker                          all     all     all     -       -
  organizations        outsiders                       -       -       -       -       -
  organizations        member                          org     -       -       -       -
  organizations        tenant                          org     -       org     -       -
  organizations        worker                          all     -       -       -       -
  providers            outsiders                       -       -       -       -       -
  providers            member                          org     -       -       -       -
  providers            tenant                          own     own     own     -       -
  providers            worker                          all     -       -       -       -
  rate_windows         outsiders,member,tenant,worker  -       -       -       -       -
  recipients           outsiders                       -       -       -       -       -
  recipients           member                          org     -       -       -       -
  recipients           tenant                          own     own     -       -       -
  recipients           worker                          all     all     all     -       -
  saved_windows        outsiders,member,tenant,worker  -       -       -       -       -
  settings             outsiders,member,tenant,worker  -       -       -       -       -
  threads              outsiders                       -       -       -       -       -
  threads              member                          org     -       -       -       -
  threads              tenant                          own     own     own     -       -
  threads              worker                          all     all     all     -       -
  webhook_endpoints    outsiders                       -       -       -       -       -
  webhook_endpoints    member                          org     -       -       -       -
  webhook_endpoints    tenant                          own     own     own     -       -
  webhook_endpoints    worker                          all     -       all     -       -
`;

const [, header = "", ...body] = matrix.split("\n");

/** The verbs as the matrix heads its columns. */
export const columns = header.trim().split(/\s+/);

/** The matrix spread out: one line for each table and actor. */
export function cells(): string[] {
  return lines(body.join("\n")).flatMap((line) => {
    const [table = "", who = "", ...words] = line.split(" ");
    const names = who.split(",").flatMap((name) => (name === "outsiders" ? outsiders : [name]));
    return names.map((name) => [table, name, ...words].join(" "));
  }).sort();
}
