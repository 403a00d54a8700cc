import { StorageRefusal } from "./storage-errors.ts";

/** What a caller sends to be stored. */
export interface Upload {
  bytes: Uint8Array;
  mimetype: string;
  cacheControl: string;
  /** False: a name that exists is a duplicate. */
  upsert: boolean;
}

/** Reads an upload: storage-js sends a Blob as a form with the file in its unnamed field, else the bare body. */
export async function uploadOf(request: Request): Promise<Upload> {
  const upsert = request.headers.get("x-upsert") === "true";
  const mimetype = request.headers.get("content-type") ?? "application/octet-stream";
  if (!mimetype.startsWith("multipart/form-data")) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return { bytes, mimetype, cacheControl: request.headers.get("cache-control") ?? "no-cache", upsert };
  }
  const form = await request.formData();
  const file = form.get("");
  if (!(file instanceof Blob)) throw new StorageRefusal(400, "invalid_request", "The form has no file");
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { bytes, mimetype: file.type, cacheControl: `max-age=${String(form.get("cacheControl"))}`, upsert };
}
