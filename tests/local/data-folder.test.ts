import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSecrets, refuseOtherMigrations, rememberMigrations } from "../../supabase/local/data-folder.ts";

let base: string;
let folder: string;
let migrations: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "mailpipe-data-"));
  folder = join(base, "data");
  migrations = join(base, "migrations");
  await mkdir(migrations);
  await writeFile(join(migrations, "1_first.sql"), "select 1;");
});
afterEach(() => rm(base, { recursive: true }));

describe("the data folder", () => {
  it("generates its secrets once, for its owner alone, and other ones for another folder", async () => {
    const secrets = await openSecrets(folder);
    expect(await openSecrets(folder)).toEqual(secrets);
    expect((await stat(join(folder, "secrets.json"))).mode & 0o777).toBe(0o600);
    expect((await openSecrets(join(base, "other"))).secret_key).not.toBe(secrets.secret_key);
  });

  it("is accepted by the migrations that made it, and by later ones", async () => {
    await refuseOtherMigrations(folder, migrations);
    await rememberMigrations(folder, migrations);
    await writeFile(join(migrations, "2_second.sql"), "select 2;");
    await refuseOtherMigrations(folder, migrations);
  });

  it.each([
    ["edited", () => writeFile(join(migrations, "1_first.sql"), "select 3;")],
    ["removed", () => rm(join(migrations, "1_first.sql"))],
  ])("is refused in one sentence when a migration that made it was %s", async (_what, change) => {
    await rememberMigrations(folder, migrations);
    await change();
    await expect(refuseOtherMigrations(folder, migrations)).rejects.toThrow(
      `The data folder ${folder} was made by another version of Mailpipe (1_first.sql differs): ` +
        "move it away, or choose another with MAILPIPE_DATA.",
    );
  });
});
