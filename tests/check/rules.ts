import { tableGenerated } from "./access-table.ts";
import { adaptersApart, clientsKept, functionsApart, sharedBelow } from "./boundaries.ts";
import { changelogComplete } from "./changelog.ts";
import { compiles, entrypointsCheck, formattedByDeno, lintedByDeno } from "./compilers.ts";
import { docstringsPresent } from "./docstrings.ts";
import { environmentKept } from "./environment-access.ts";
import { catalogueGenerated } from "./event-catalogue.ts";
import { configured, described, tested } from "./inventory.ts";
import { lockComplete } from "./lock.ts";
import { machineUnnamed } from "./machine-traces.ts";
import { namesSpeak } from "./names.ts";
import { documentGenerated } from "./openapi-document.ts";
import { pinsAgree } from "./pins.ts";
import type { Rule } from "./rule.ts";
import { sizesKept } from "./sizes.ts";
import { doorsGuarded, functionsSettled, parametersPrefixed } from "./sql-functions.ts";
import { constraintsNamed, migrationsExplained, sqlLaidOut, transactionsLeft } from "./sql.ts";

/** Every step of `npm run check`, in the order it is told. */
export const rules: Rule[] = [
  compiles,
  entrypointsCheck,
  formattedByDeno,
  lintedByDeno,
  sqlLaidOut,
  migrationsExplained,
  functionsSettled,
  constraintsNamed,
  parametersPrefixed,
  transactionsLeft,
  doorsGuarded,
  functionsApart,
  sharedBelow,
  clientsKept,
  adaptersApart,
  environmentKept,
  configured,
  tested,
  described,
  tableGenerated,
  catalogueGenerated,
  documentGenerated,
  pinsAgree,
  lockComplete,
  namesSpeak,
  sizesKept,
  docstringsPresent,
  changelogComplete,
  machineUnnamed,
];
