import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import deleteData from "../../functions/delete-data/index.ts";
import exportData from "../../functions/export-data/index.ts";
import runDataJobs from "../../functions/run-data-jobs/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask } from "../support/ask.ts";
import { runAllDataJobs } from "../support/data-jobs.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { readSteps, type Steps } from "./readme-block.ts";

let scratch: string;
let api: Api;
let tenant: Tenant;
let steps: Steps;

beforeAll(async () => {
  keepLog();
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "mailpipe-leaving-")));
  api = await startApi();
  await api.serveFunctions({
    "delete-data": deleteData,
    "export-data": exportData,
    "run-data-jobs": runDataJobs,
  });
  tenant = await foundTenant(api);
  const attachments = [{
    filename: "../../out of here.txt",
    content: Buffer.from("hello").toString("base64"),
  }];
  const body = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t", attachments };
  await ask(sendMail, "send-mail", { token: tenant.test, body });
  steps = await readSteps("leaving", scratch, {
    PROJECT_URL: api.url,
    OWNER_SESSION: tenant.owner.access_token,
    ORGANIZATION_ID: tenant.organization_id,
  });
});
afterAll(async () => {
  await api?.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function paused(): Promise<unknown> {
  const [row] = await api.database.sql("postgres")`
    select sending_paused from mailpipe.organizations where id = ${tenant.organization_id}
  `;
  return row?.["sending_paused"];
}

describe("the README's steps of leaving, in order", () => {
  test("there are six", () => expect(steps.count).toBe(6));

  test("1. and 2. an export starts, and says how far it is", async () => {
    await steps.run(1);
    await runAllDataJobs(api);
    await expect.poll(() => steps.run(2), { timeout: 20_000 }).toContain('"state":"ready"');
    expect(await steps.run(2)).toContain('"messages":1');
  });

  test("3. every part is saved under its name inside the folder, with the sum it should have", async () => {
    await steps.run(3);
    const manifest = JSON.parse(readFileSync(join(scratch, "export/manifest.json"), "utf8"));
    for (const { name } of manifest.parts) expect(existsSync(join(scratch, "export", name))).toBe(true);
    const [id] = await api.database.sql("postgres")<{ path: string }[]>`
      select concat(message_id, '/', id) as path from mailpipe.attachments
    `;
    const saved = join(scratch, "export/attachments", id?.path ?? "", ".._.._out of here.txt");
    expect(readFileSync(saved, "utf8")).toBe("hello");
  });

  test("4. to 6. a deletion is counted, confirmed, and undone", async () => {
    expect(await steps.run(4)).toContain('"messages":1');
    expect(await paused()).toBe(false);
    expect(await steps.run(5)).toContain('"state":"waiting"');
    expect(await paused()).toBe(true);
    expect(await steps.run(6)).toContain('"state":"undone"');
    expect(await paused()).toBe(false);
  });
});
