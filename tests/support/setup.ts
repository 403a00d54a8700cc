import type { TestProject } from "vitest/node";
import { startTestServer, type TestServer } from "./test-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    server: TestServer;
  }
}

/** Starts one PostgreSQL for the whole run, in a child process, and stops it when the run ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, stop } = await startTestServer("migrated");
  project.provide("server", server);
  return stop;
}
