import { domainEvents } from "./events/domains.ts";
import { endpointEvents } from "./events/endpoints.ts";
import { keyEvents } from "./events/keys.ts";
import { organizationEvents } from "./events/organization.ts";
import { receivedMailEvents } from "./events/received-mail.ts";
import { sentMailEvents } from "./events/sent-mail.ts";

/** Version of what `data` holds. It goes out in `x-mailpipe-payload-version`: Mailpipe's envelope has no room for it. */
export const payloadVersion = 1;

/** The catalogue: every event there is, by its type. The README's section is generated from it. */
export const events = {
  ...sentMailEvents,
  ...receivedMailEvents,
  ...domainEvents,
  ...keyEvents,
  ...organizationEvents,
  ...endpointEvents,
};

export type EventType = keyof typeof events;

/** Every event an endpoint can subscribe to; `*` is all of them. A test event is sent whatever it subscribed to. */
export const eventTypes = (Object.keys(events) as EventType[]).filter((type) => type !== "webhook.test");
