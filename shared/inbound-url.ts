import { functionsUrl } from "./environment.ts";
import { inboundKindOf } from "./inbound/registry.ts";

/** Where a provider is told to post. Whoever holds the token can post, so it is shown once. */
export function inboundUrl(providerKind: string, token: string): string {
  return `${functionsUrl()}/receive-webhook/${inboundKindOf(providerKind)}/${token}`;
}
