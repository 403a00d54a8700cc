import { readEvidence, readSecrets, type Seeded, type Source, sources } from "./evidence.ts";
import { type AllowedPlace, allowedPlaces } from "./allowed-places.ts";
import { secretKinds } from "./secret-kinds.ts";
import { type Hit, SecretSearch } from "./secret-search.ts";

/** What a run's search came to: nothing to complain of, or a sentence for each leak and each gap. */
export interface Verdict {
  summary: string;
  complaints: string[];
}

function allowanceOf(hit: Hit): AllowedPlace | undefined {
  return allowedPlaces.find(({ source, place, kind }) =>
    source === hit.source && kind === hit.kind && place.test(hit.place)
  );
}

// Never the secret itself: a test log is read by many.
function sentence({ source, place, kind, by }: Hit): string {
  const whose = by === null ? "that no test noted" : `seeded by ${by}`;
  return `${source}: ${place} holds in plain a secret (${kind}) ${whose}.`;
}

function gaps(
  secrets: readonly Seeded[],
  texts: ReadonlyMap<Source, number>,
  allowed: ReadonlySet<AllowedPlace | undefined>,
): string[] {
  const seeded = new Set(secrets.map(({ kind }) => kind));
  return [
    ...secretKinds.filter((kind) => !seeded.has(kind)).map((kind) =>
      `The whole suite ran and noted no secret of the kind "${kind}", so nothing was searched for it.`
    ),
    ...sources.filter((source) => !texts.has(source)).map((source) =>
      `The whole suite ran and kept no ${source}, so none was searched.`
    ),
    ...allowedPlaces.filter((each) => !allowed.has(each)).map(({ source, place }) =>
      `allowed-places.ts allows ${source} ${place}, and nothing needs it.`
    ),
  ];
}

/** Searches all that a run kept for all that it seeded. `whole` asks also that every kind and place was there. */
export function judge(folder: string, whole: boolean): Verdict {
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
  const allowed = new Set([...hits.values()].map(allowanceOf));
  const leaks = [...hits].filter(([, hit]) => allowanceOf(hit) === undefined).map(([words]) => words);
  const distinct = new Set(secrets.map(({ text }) => text)).size;
  // Each database is asked once what is running in it.
  const databases = `${texts.get("pg_stat_activity") ?? 0} databases`;
  const beside = [...texts].filter(([source]) => /^(error|function|stored)/.test(source));
  const others = beside.map(([source, count]) => `${count} × ${source}`).join(", ");
  return {
    summary: `Searched for ${distinct} secrets in ${databases} and their server's log and statements` +
      `${others && `, ${others}`}: ${(bytes / 1e6).toFixed(1)} MB.`,
    complaints: [...leaks, ...(whole ? gaps(secrets, texts, allowed) : [])],
  };
}
