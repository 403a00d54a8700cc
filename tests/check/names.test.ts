import { test } from "vitest";
import { namesSpeak } from "./names.ts";
import { expectOffenceThenFix } from "./tree.ts";

test("a file or folder named after nothing in particular is named", async () => {
  await expectOffenceThenFix(
    namesSpeak,
    { "shared/utils.ts": "", "tests/helpers/clock.ts": "", "supabase/migrations/misc.sql": "" },
    ["shared/utils.ts", "supabase/migrations/misc.sql", "tests/helpers/clock.ts"],
    { "shared/keys.ts": "", "shared/common-names.ts": "", "tests/support/clock.ts": "" },
  );
});
