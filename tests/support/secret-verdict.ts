import { readEvidence, readSecrets, type Seeded, type Source, sources } from "./evidence.ts";
import { type AllowedPlace, allowedPlaces } from "./allowed-places.ts";
import { secretKinds } from "./secret-kinds.ts";
import { type Hit, SecretSearch } from "./secret-search.ts";

/** What a run's search came to: nothing to complain of, or a sentence for each leak and each gap. */
export interface Verdict {
  summary: string;
  complaints: string[];
}

function allowanceOf(hit: Hit, allowances: readonly AllowedPlace[]): AllowedPlace | undefined {
  return allowances.find(({ source, place, kind }) =>
    source === hit.source && kind === hit.kind && place.test(hit.place)
  );
}

// Never the secret itself: a test log is read by many.
function sentence({ source, place, kind, by }: Hit): string {
  const whose = by === null ? "that no test noted" : `seeded by ${by}`;
  return `${source}: ${place} holds in plain a secret (${kind}) ${whose}.`;
}

function gaps(secrets: readonly Seeded[], texts: ReadonlyMap<Source, number>): string[] {
  const seeded = new Set(secrets.map(({ kind }) => kind));
  return [
    ...secretKinds.filter((kind) => !seeded.has(kind)).map((kind) =>
      `The whole suite ran and noted no secret of the kind "${kind}", so nothing was searched for it.`
    ),
    ...sources.filter((source) => !texts.has(source)).map((source) =>
      `The whole suite ran and kept no ${source}, so none was searched.`
    ),
  ];
}

function summary(secrets: readonly Seeded[], texts: ReadonlyMap<Source, number>, bytes: number): string {
  const distinct = new Set(secrets.map(({ text }) => text)).size;
  const beside = (["error body", "function log", "stored object"] as const).filter((source) =>
    texts.has(source)
  );
  return [
    // Each database is asked once what is running in it.
    `Searched for ${distinct} secrets in ${texts.get("pg_stat_activity") ?? 0} databases`,
    "the server's log and statements",
    ...beside.map((source) => `${texts.get(source)} × ${source}`),
    `${(bytes / 1e6).toFixed(1)} MB in all.`,
  ].join(", ");
}

/** Searches all that a run kept for all that it seeded. `whole` asks also that nothing was left out or is allowed in vain. */
export function judge(folder: string, whole: boolean, allowances = allowedPlaces): Verdict {
  const secrets = readSecrets(folder);
  const search = new SecretSearch(secrets);
  const texts = new Map<Source, number>();
  const hits = new Map<string, Hit>();
  let bytes = 0;
  for (const said of readEvidence(folder)) {
    texts.set(said.source, (texts.get(said.source) ?? 0) + 1);
    bytes += said.text.length;
    for (const hit of search.hits(said)) hits.set(sentence(hit), hit);
  }
  const needed = new Set([...hits.values()].map((hit) => allowanceOf(hit, allowances)));
  const idle = allowances.filter((each) => !needed.has(each)).map(({ source, place }) =>
    `allowed-places.ts allows ${source} ${place}, and nothing needs it.`
  );
  const leaks = [...hits].filter(([, hit]) => allowanceOf(hit, allowances) === undefined).map(([words]) =>
    words
  );
  return {
    summary: summary(secrets, texts, bytes),
    complaints: [...leaks, ...(whole ? [...gaps(secrets, texts), ...idle] : [])],
  };
}
