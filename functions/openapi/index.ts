import { z } from "zod";
import { ok } from "../../shared/answers.ts";
import { openApiDocument } from "../../shared/openapi-document.ts";
import { route } from "../../shared/route.ts";
import { serve } from "../../shared/serve.ts";

/** The API's description, made from the same schemas the requests are checked with. */
export default serve("openapi", {
  GET: route({
    summary: "Describes this API as OpenAPI 3.1",
    access: { public: true },
    answer: z.record(z.string(), z.unknown()),
    status: 200,
    run: () => Promise.resolve(ok(openApiDocument)),
  }),
});
