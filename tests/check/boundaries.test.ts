import { test } from "vitest";
import { adaptersApart, clientsKept, functionsApart, sharedBelow } from "./boundaries.ts";
import { expectOffenceThenFix } from "./tree.ts";

const empty = "export {};\n";

test("a function that imports another function is named, however it imports", async () => {
  await expectOffenceThenFix(
    functionsApart,
    {
      "functions/list-keys/index.ts": 'import "./cursor.ts";\nexport * from "../issue-key/index.ts";\n',
      "functions/list-keys/cursor.ts": 'export const key = () => import("../issue-key/mint.ts");\n',
      "functions/revoke-key/index.ts": 'export type Key = import("../issue-key/index.ts").Key;\n',
      "functions/issue-key/index.ts": empty,
      "functions/issue-key/mint.ts": empty,
    },
    [
      "functions/list-keys/cursor.ts:1 imports functions/issue-key/mint.ts",
      "functions/list-keys/index.ts:2 imports functions/issue-key/index.ts",
      "functions/revoke-key/index.ts:1 imports functions/issue-key/index.ts",
    ],
    {
      "functions/list-keys/index.ts": 'import "./cursor.ts";\nimport "../../shared/keys.ts";\n',
      "functions/list-keys/cursor.ts":
        '// import "../issue-key/index.ts" in a comment is prose\nexport {};\n',
    },
  );
});

test("a shared module that imports a function is named", async () => {
  await expectOffenceThenFix(
    sharedBelow,
    { "shared/schemas/keys.ts": 'import type { Key } from "../../functions/issue-key/index.ts";\n' },
    ["shared/schemas/keys.ts:1 imports functions/issue-key/index.ts"],
    { "shared/schemas/keys.ts": 'import type { Key } from "../keys.ts";\n' },
  );
});

test("each door to the project stands in its own file", async () => {
  await expectOffenceThenFix(
    clientsKept,
    {
      "functions/whoami/index.ts": 'import { createClient } from "npm:@supabase/supabase-js@2.109.0";\n',
      "shared/credentials.ts": 'import { PostgrestClient } from "@supabase/postgrest-js";\n',
      "shared/jobs.ts":
        'import postgres from "postgres";\nimport { StorageClient } from "@supabase/storage-js/dist";\n',
      "shared/mailboxes.ts": 'import { AuthClient } from "@supabase/auth-js";\n',
    },
    [
      "functions/whoami/index.ts:1 imports npm:@supabase/supabase-js@2.109.0: only shared/database.ts may",
      "shared/credentials.ts:1 imports @supabase/postgrest-js",
      "shared/jobs.ts:1 imports postgres",
      "shared/jobs.ts:2 imports @supabase/storage-js/dist: only shared/storage.ts may",
      "shared/mailboxes.ts:1 imports @supabase/auth-js: only shared/sessions.ts and shared/credentials.ts may",
    ],
    {
      "shared/database.ts":
        'import { PostgrestClient } from "@supabase/postgrest-js";\nimport "postal-mime";\n',
      "shared/sessions.ts": 'import { AuthClient } from "@supabase/auth-js";\n',
      "shared/storage.ts": 'import { StorageClient } from "@supabase/storage-js";\n',
      "functions/whoami/index.ts": 'import "../../shared/postgres.ts";\n',
    },
  );
});

test("an adapter is reached by workers and providers alone, also through shared/", async () => {
  const shared = {
    "shared/sending.ts": 'import "./providers/registry.ts";\n',
    "shared/providers/registry.ts": 'import "./resend.ts";\nimport "./contract.ts";\n',
    "shared/providers/resend.ts": empty,
    "shared/providers/contract.ts": empty,
  };
  await expectOffenceThenFix(
    adaptersApart,
    { ...shared, "functions/send-mail/index.ts": 'import { send } from "../../shared/sending.ts";\n' },
    ["functions/send-mail/index.ts → shared/sending.ts → shared/providers/registry.ts"],
    {
      ...shared,
      "functions/send-mail/index.ts": 'import type { Verdict } from "../../shared/providers/contract.ts";\n',
      "functions/deliver-mail/index.ts": 'import { send } from "../../shared/sending.ts";\n',
      "functions/providers/index.ts": 'import "../../shared/providers/resend.ts";\n',
    },
  );
});
