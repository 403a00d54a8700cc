const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Text without what Postgres text and jsonb refuse: NUL, and half a surrogate pair. Everything else stays. */
export function storableText(text: string): string {
  return text.replaceAll("\0", "").replace(loneSurrogate, "");
}
