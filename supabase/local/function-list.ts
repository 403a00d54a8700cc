/** One function as supabase/config.toml declares it. */
export interface DeclaredFunction {
  slug: string;
  /** Path of its entry file, relative to the folder of config.toml. */
  entrypoint: string;
}

/**
 * The `[functions.<slug>]` sections of a config.toml. It reads the plain `key = value` lines this repository
 * uses, not all of TOML. Throws where a section has no entrypoint, or lets the platform check tokens
 * (`verify_jwt` is true unless it says false): this stack has no such gateway, so what ran here would not
 * be what is deployed.
 */
export function declaredFunctions(configToml: string): DeclaredFunction[] {
  return [...sections(configToml)].map(([slug, values]) => {
    if (values.get("verify_jwt") !== "false") {
      throw new Error(`config.toml: [functions.${slug}] needs verify_jwt = false`);
    }
    const entrypoint = /^"(.+)"$/.exec(values.get("entrypoint") ?? "")?.[1];
    if (entrypoint === undefined) {
      throw new Error(`config.toml: [functions.${slug}] needs entrypoint = "<path>"`);
    }
    return { slug, entrypoint };
  });
}

function sections(configToml: string): Map<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of configToml.split(/\r?\n/)) {
    const header = /^\s*\[(?<name>[^\]]+)\]/.exec(line)?.groups?.name;
    const slug = header && /^functions\.(?<slug>[a-z0-9-]+)$/.exec(header)?.groups?.slug;
    if (slug) found.set(slug, current = new Map());
    else if (header) current = undefined;
    const pair = /^\s*(?<key>\w+)\s*=\s*(?<value>"[^"]*"|[^#\s]+)/.exec(line)?.groups;
    if (pair?.key && pair.value) current?.set(pair.key, pair.value);
  }
  return found;
}
