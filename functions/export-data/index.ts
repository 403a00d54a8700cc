import { accepted, ok } from "../../shared/answers.ts";
import type { Facts } from "../../shared/database.ts";
import { route } from "../../shared/route.ts";
import { PageQuery } from "../../shared/schemas/fields.ts";
import { Export, ExportWithParts } from "../../shared/schemas/exports.ts";
import { serve } from "../../shared/serve.ts";
import { downloadLinks, linkSeconds } from "../../shared/storage.ts";
import { wake } from "../../shared/wake.ts";

type Part = Facts & { number: number; name: string; storage_key: string };

async function withLinks(parts: Part[]): Promise<Facts[]> {
  const expires_at = new Date(Date.now() + linkSeconds * 1000).toISOString();
  const files = parts.map(({ storage_key, name }) => ({ key: storage_key, filename: name }));
  const links = await downloadLinks(files);
  return parts.map(({ storage_key: _, ...part }, index) => ({
    ...part,
    url: links[index] ?? null,
    expires_at,
  }));
}

/** Everything the organization has, to take away: rows, mail and files, without secrets. */
export default serve("export-data", {
  POST: route({
    summary: "Starts an export of the whole organization",
    access: { scope: "data:export" },
    answer: Export,
    status: 202,
    async run({ caller, call }) {
      const started = await call("start_export", { p_caller: caller });
      wake("run-data-jobs");
      return accepted(started);
    },
  }),
  "GET /:id": route({
    summary: "Shows how far an export is and, once it is ready, links to its parts",
    access: { scope: "data:export" },
    query: PageQuery,
    answer: ExportWithParts,
    status: 200,
    async run({ caller, params, query, call }) {
      const wanted = { p_caller: caller, p_id: params["id"], p_request: query };
      const { parts, ...shown } = await call("get_export", wanted);
      const page = (parts as Part[]).slice(0, query.limit);
      const has_more = (parts as Part[]).length > page.length;
      const next = has_more ? String(page.at(-1)?.number) : null;
      return ok({ ...shown, parts: await withLinks(page), has_more, next });
    },
  }),
});
