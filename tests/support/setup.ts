import { rmSync } from "node:fs";
import { DefaultReporter, type TestProject } from "vitest/node";
import { makeEvidence } from "./evidence.ts";
import { keepLeftovers } from "./leftovers.ts";
import { judge, type Verdict } from "./secret-verdict.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    server: TestServer;
    /** The folder where secrets are noted and what must hold none is kept (evidence.ts). */
    evidence: string;
  }
}

/**
 * Starts one PostgreSQL for the whole run, in a child process, and stops it when the run ends. Then all that the run
 * kept is searched for every secret it seeded, and a leak fails the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const evidence = makeEvidence();
  const { server, stop } = await startTestServer("migrated", evidence).catch((error) => {
    rmSync(evidence, { recursive: true });
    throw error;
  });
  project.provide("server", server);
  project.provide("evidence", evidence);
  return async () => {
    // Vitest reports an error thrown here and exits with zero all the same; the code it leaves as it finds it.
    const before = process.exitCode;
    process.exitCode = 1;
    try {
      await keepLeftovers(evidence, server).finally(stop);
      if (conclude(judge(evidence, await ranWhole(project)))) process.exitCode = before;
      repeatSummary(project);
    } finally {
      rmSync(evidence, { recursive: true });
    }
  };
}

/** True when nothing was left out, so that every kind of secret must have come up. */
async function ranWhole(project: TestProject): Promise<boolean> {
  const { dir, testNamePattern } = project.config;
  const { testFiles } = await project.globTestFiles();
  const ran = new Set(project.vitest.state.getFiles().map(({ filepath }) => filepath));
  return dir === undefined && testNamePattern === undefined && testFiles.every((file) => ran.has(file));
}

/** The runner's own summary once more, so that a run ends with it and not with ours. */
function repeatSummary({ vitest }: TestProject): void {
  // Not in Vitest's types, but where it keeps them.
  const { reporters } = vitest as unknown as { reporters: unknown[] };
  for (const reporter of reporters) {
    if (reporter instanceof DefaultReporter) {
      reporter.reportTestSummary(vitest.state.getFiles(), vitest.state.getUnhandledErrors(), 0);
    }
  }
}

/** Says what came of the search; true when nothing did. */
function conclude({ summary, complaints }: Verdict): boolean {
  for (const complaint of complaints) console.error(complaint);
  console.log(complaints.length === 0 ? `${summary} None was found.` : `${summary} The run failed.`);
  return complaints.length === 0;
}
