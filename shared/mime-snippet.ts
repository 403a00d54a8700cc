import { storableText } from "./storable-text.ts";

const length = 200;
/** As much of a body as a snippet is looked for in: enough to get past a mail's style sheet. */
const looked = 100_000;
const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** Drops what stands between an opening and its closing tag, to the end when it is never closed. Linear. */
function without(html: string, tag: string): string {
  const pieces = html.split(new RegExp(`<${tag}\\b`, "i"));
  return pieces.map((piece, index) => {
    if (index === 0) return piece;
    const end = piece.search(new RegExp(`</${tag}\\s{0,9}>`, "i"));
    return end === -1 ? "" : piece.slice(end);
  }).join(" ");
}

function visibleText(html: string): string {
  const visible = ["head", "style", "script", "title"].reduce(
    without,
    html.replace(/<!--[^]*?(?:-->|$)/g, " "),
  );
  return visible.replace(/<[^<>]*>/g, " ").replace(/&(#?\w{1,10});/g, (whole, name: string) => {
    const code = /^#(\d+)$/.exec(name)?.[1] ??
      (/^#x([0-9a-f]+)$/i.test(name) ? Number(`0${name.slice(1)}`) : undefined);
    const point = Number(code);
    return entities[name] ?? (point > 31 && point <= 0x10ffff ? String.fromCodePoint(point) : whole);
  });
}

/** The first 200 characters to show in a list: of the text, else of what the HTML shows, on one line. */
export function snippetOf(text: string | null, html: string | null): string {
  const plain = (text ?? "").slice(0, looked);
  const source = plain.trim() === "" && html !== null ? visibleText(html.slice(0, looked)) : plain;
  const line = storableText(source).replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return [...line.slice(0, 2 * length)].slice(0, length).join("");
}
