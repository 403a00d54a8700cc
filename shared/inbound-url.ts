import { apiUrl } from "./environment.ts";

/** The kind of request a provider posts: an SMTP account receives as raw MIME, the others in their own format. */
export function receivesThrough(providerKind: string): string {
  return providerKind === "smtp" ? "mime" : providerKind;
}

/** Where a provider is told to post. Whoever holds the token can post, so it is shown once. */
export function inboundUrl(providerKind: string, token: string): string {
  return `${apiUrl()}/functions/v1/receive-webhook/${receivesThrough(providerKind)}/${token}`;
}
