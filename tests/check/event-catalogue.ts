import { join } from "node:path";
import { z } from "zod";
import { events, type EventType } from "../../shared/schemas/events.ts";
import type { EventKind } from "../../shared/schemas/events/event-kind.ts";
import { sectionFaults, tableRow, writeSection } from "./readme-section.ts";
import type { Rule } from "./rule.ts";

const script = "event-catalogue.ts";
const width = 110;

/** As much of JSON Schema as the catalogue uses. */
interface Shape {
  type?: string | string[];
  format?: string;
  pattern?: string;
  enum?: string[];
  const?: string;
  anyOf?: Shape[];
  items?: Shape;
  properties?: Record<string, Shape>;
  required?: string[];
  description?: string;
}

const alternatives = (shape: Shape): Shape[] => shape.anyOf ?? [shape];
const unique = (texts: string[]): string[] => [...new Set(texts)];

/** A type in words a reader of the README needs no schema for. */
function typeInWords(shape: Shape): string {
  if (Array.isArray(shape.type)) {
    return shape.type.map((type) => typeInWords({ ...shape, type })).join(" or ");
  }
  if (shape.anyOf !== undefined) return unique(shape.anyOf.map(typeInWords)).join(" or ");
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum !== undefined && shape.enum.length <= 4) {
    return shape.enum.map((each) => JSON.stringify(each)).join(" or ");
  }
  if (shape.items !== undefined) return `list of ${typeInWords(shape.items)}`;
  if (shape.properties !== undefined) return `{ ${fieldsInWords(shape).join(", ")} }`;
  if (shape.type === "object") return "object of text";
  const prefix = /^\^([a-z]+_)\[/.exec(shape.pattern ?? "")?.[1];
  if (prefix !== undefined) return `${prefix}…`;
  if (shape.format === "date-time") return "time";
  if (shape.format === "uuid") return "UUID";
  return { string: "text", boolean: "true or false", integer: "number" }[shape.type ?? ""] ?? shape.type ??
    "anything";
}

/** Each field with its type; `?` where it is not always there. */
function fieldsInWords(shape: Shape): string[] {
  const branches = alternatives(shape);
  const names = unique(branches.flatMap(({ properties }) => Object.keys(properties ?? {})));
  return names.map((name) => {
    const always = branches.every(({ required }) => required?.includes(name));
    const found = branches.flatMap(({ properties }) => properties?.[name] ?? []);
    const description = unique(found.flatMap((each) => each.description ?? [])).join("; ");
    const told = [typeInWords({ anyOf: found.flatMap(alternatives) }), description].filter((text) =>
      text !== ""
    );
    return `\`${name}${always ? "" : "?"}\` (${told.join(": ")})`;
  });
}

/** The members of an object as JSON, as many in a line as it has room for. */
function filled(value: Record<string, unknown>): string[] {
  const members = Object.entries(value).map(([name, held]) => `${JSON.stringify(name)}: ${spaced(held)}`);
  const lines: string[] = [];
  for (const [index, member] of members.entries()) {
    const text = index === members.length - 1 ? member : `${member},`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length < width) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(`    ${text}`);
  }
  return lines;
}

/** JSON in one line, with spaces as people write it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, held]) => `${JSON.stringify(name)}: ${spaced(held)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** The whole of an event as it is posted, with the example of its `data`. */
export function exampleEvent(type: string, kind: Pick<EventKind, "example">): Record<string, unknown> {
  const created_at = "2026-11-24T10:00:03.412Z";
  return { id: "evt_01KXYW6R2S4V6X8Z1B3D5F7H9K", type, created_at, data: kind.example };
}

function exampleText(type: string, kind: EventKind): string {
  const { data, ...envelope } = exampleEvent(type, kind);
  const head = spaced(envelope).replace(/ \}$/, ",");
  return [head, '  "data": {', ...filled(data as Record<string, unknown>), "  }", "}"].join("\n");
}

function details(type: string, kind: EventKind): string {
  const shape = z.toJSONSchema(kind.data, { unrepresentable: "any" }) as Shape;
  const fields = fieldsInWords(shape).join(", ");
  return [
    `<details><summary><code>${type}</code></summary>`,
    `\`data\`: ${fields}.`,
    `\`\`\`json\n${exampleText(type, kind)}\n\`\`\``,
    "</details>",
  ].join("\n\n");
}

/** A table of all events, then each with its fields and an example. */
export function eventCatalogue(kinds: Record<string, EventKind>): string {
  const entries = Object.entries(kinds);
  const rows = entries.map(([type, { when }]) => tableRow([`\`${type}\``, when]));
  const table = [tableRow(["Event", "When it is sent"]), "| --- | --- |", ...rows].join("\n");
  return [table, ...entries.map(([type, kind]) => details(type, kind))].join("\n\n");
}

const text = () => eventCatalogue(events as Record<EventType, EventKind>);

/** The schemas say what an event holds, so the README only repeats them. */
export const catalogueGenerated: Rule = {
  sentence: "The README's catalogue of events is generated from their schemas",
  check: (root) => sectionFaults(root, "events", text(), script),
};

if (process.argv[1] === import.meta.filename && process.argv.includes("--write")) {
  const stopped = writeSection(join(import.meta.dirname, "../.."), "events", text());
  if (stopped.length > 0) {
    console.error(stopped.join("\n"));
    process.exitCode = 1;
  }
}
