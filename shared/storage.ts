import { createHash } from "node:crypto";
import { StorageClient } from "@supabase/storage-js";
import { apiUrl, secretKeyHeaders } from "./environment.ts";
import { ApiError } from "./errors.ts";

/** Bytes as they lie in the bucket; `key` is `<organization>/<environment>/<sha256>`. */
export interface StoredBytes {
  key: string;
  sha256: string;
  size_bytes: number;
}

/** Whose bytes they are. */
export interface Tenant {
  organization_id: string;
  environment: string;
}

function bucket() {
  return new StorageClient(`${apiUrl()}/storage/v1`, secretKeyHeaders()).from("mailpipe");
}

/** SHA-256 as 64 hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Writes bytes under their own hash, so the same bytes are one object. Always octet-stream: nothing a tenant stores
 * is ever shown by a browser. Throws `storage_unavailable`.
 */
export async function storeBytes(tenant: Tenant, bytes: Uint8Array): Promise<StoredBytes> {
  const sha256 = sha256Hex(bytes);
  const key = `${tenant.organization_id}/${tenant.environment}/${sha256}`;
  const { error } = await bucket().upload(key, bytes as unknown as ArrayBuffer, {
    contentType: "application/octet-stream",
    upsert: true,
  });
  if (error !== null) throw new ApiError("storage_unavailable");
  return { key, sha256, size_bytes: bytes.byteLength };
}

/** Reads an object. Throws `storage_unavailable`. */
export async function readStored(key: string): Promise<Uint8Array> {
  const { data, error } = await bucket().download(key);
  if (error !== null) throw new ApiError("storage_unavailable");
  return new Uint8Array(await data.arrayBuffer());
}

/** Reads an object, or null where there is none: Storage answers 400 then, and 404 in the body. Throws `storage_unavailable`. */
export async function readIfStored(key: string): Promise<Uint8Array | null> {
  const { data, error } = await bucket().download(key);
  if (error === null) return new Uint8Array(await data.arrayBuffer());
  if ((error as { statusCode?: string }).statusCode === "404") return null;
  throw new ApiError("storage_unavailable");
}

/** An object to link to, and the name it is saved under. */
export interface Download {
  key: string;
  filename: string;
}

/** How long a link opens, in seconds. */
export const linkSeconds = 3600;

/** A name from a mail may hold a path, or characters that show it as another. */
function savedAs(filename: string): string {
  return encodeURIComponent(filename.replace(/[/\\\p{C}]/gu, "_"));
}

/**
 * Links that open for an hour and save a file, in the order asked for; null where there is no such object any more.
 * Throws `storage_unavailable`.
 */
export async function downloadLinks(files: Download[]): Promise<(string | null)[]> {
  if (files.length === 0) return [];
  const { data, error } = await bucket().createSignedUrls(files.map(({ key }) => key), linkSeconds);
  if (error !== null) throw new ApiError("storage_unavailable");
  return data.map((link, index) =>
    link.signedUrl ? `${link.signedUrl}&download=${savedAs(files[index]?.filename ?? "")}` : null
  );
}

/** Removes objects; those already gone are no error. Throws `storage_unavailable`. */
export async function removeStored(keys: string[]): Promise<void> {
  if (keys.length === 0) return;
  const { error } = await bucket().remove(keys);
  if (error !== null) throw new ApiError("storage_unavailable");
}
