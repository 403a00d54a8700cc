/**
 * One rule of the catalog as a query that finds its offences: none in what the migrations make. `offence` is SQL
 * that breaks the rule, and `finds` what the query must then show, so that a rule that sees nothing fails itself.
 */
export interface CatalogRule {
  sentence: string;
  /** Answers one column, `offence`. */
  query: string;
  offence: string;
  finds: string;
}

/** Both our schemas, for `in (…)` over a namespace's oid. */
export const OURS = "'mailpipe'::regnamespace, 'mailpipe_api'::regnamespace";

/** Roles the Data API and everybody else act as; oid 0 is PUBLIC. */
export const OUTSIDERS = "0, 'anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole";
