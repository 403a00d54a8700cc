import { readdirSync } from "node:fs";
import type { EdgeFunction, ListedRoute } from "../../shared/serve.ts";
import type { Api } from "./api.ts";
import type { Question } from "./ask.ts";
import type { Tenant } from "./tenant.ts";

/** A route with the function it belongs to. */
export interface FunctionRoute {
  fn: EdgeFunction;
  slug: string;
  route: ListedRoute;
}

/** Every route of every function there is, so that a new one is in each test that asks for all. */
export async function everyRoute(): Promise<FunctionRoute[]> {
  const folder = new URL("../../functions/", import.meta.url);
  const found: FunctionRoute[] = [];
  for (const slug of readdirSync(folder).sort()) {
    const { default: fn } = await import(new URL(`${slug}/index.ts`, folder).href) as {
      default: EdgeFunction;
    };
    found.push(...fn.routes.map((route) => ({ fn, slug, route })));
  }
  return found;
}

/** The route's path with every parameter replaced; ids are those of `tenant`'s organization or of nothing. */
export function pathOf({ route }: FunctionRoute, tenant: Tenant): string {
  const id = route.path.startsWith("organizations") ? tenant.organization_id : `prv_${"0".repeat(26)}`;
  return route.path.replace("{kind}", "mime").replace("{id}", id).replace(/\{\w+\}/g, "nothing");
}

/** A credential that opens the route: an owner's session, the project's secret for workers, none where none is asked. */
export function openingOf({ route: { access } }: FunctionRoute, api: Api, tenant: Tenant): Question {
  if ("worker" in access) return { headers: { apikey: api.secretKey } };
  return "connection" in access || "public" in access ? {} : { token: tenant.owner.access_token };
}
