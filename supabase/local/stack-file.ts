import { rm } from "node:fs/promises";
import { join } from "node:path";
import { keptFile } from "./data-folder.ts";

/** All a program needs to use a running stack, as stack.json has it. */
export interface StackFile {
  api_url: string;
  functions_url: string;
  /** As role `postgres`: no superuser, bypassrls. */
  db_url: string;
  publishable_key: string;
  secret_key: string;
  organization_id: string;
  keys: { live: string; test: string };
  /** The access token is an hour's, as Auth gives it; the password signs in again. */
  owner: { email: string; password: string; access_token: string };
  from: string;
  mailbox: string;
  inbound_url: string;
  inbound_secret: string;
  smtp: { host: string; port: number };
  mail_url: string;
}

const NAME = "stack.json";

/** Writes stack.json into `folder`, for its owner alone. */
export async function writeStackFile(folder: string, stack: StackFile): Promise<void> {
  await keptFile<StackFile>(folder, NAME).write(stack);
}

/** The stack.json in `folder`, or undefined where there is none. That it is there does not mean the stack runs. */
export async function readStackFile(folder: string): Promise<StackFile | undefined> {
  return await keptFile<StackFile>(folder, NAME).read();
}

/** Removes stack.json from `folder`, present or not. */
export async function removeStackFile(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true });
}
