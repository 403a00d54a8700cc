const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Text without what Postgres text and jsonb refuse: NUL, and half a surrogate pair. Everything else stays. */
export function storableText(text: string): string {
  return text.replaceAll("\0", "").replace(loneSurrogate, "");
}

/** The same on one line: control characters and line breaks become blanks; cut to a length. */
export function storableLine(text: string, length: number): string {
  return storableText(storableText(text).replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim().slice(0, length));
}
