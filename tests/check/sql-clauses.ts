import { closing } from "./sql-statements.ts";
import type { Token } from "./sql-tokens.ts";

/** Something in a file's layout, by line. */
export interface Remark {
  line: number;
  text: string;
}

/** What we know of the query the current parenthesis (or the statement itself) holds. */
interface Frame {
  /** The verb, once it was seen. */
  query: string | undefined;
  /** Opened and closed on one line, where a short query may stay whole. */
  inline: boolean;
  /** A statement that only names clauses: create, alter, grant. */
  definition: boolean;
  /** Between `on conflict` and `do`, where `where` picks an index. */
  conflict: boolean;
  /** Depth of `case … end`, whose `then` and `else` end no statement. */
  cases: number;
}

const definitions = /^(create|alter|drop|grant|revoke|comment|truncate)$/;
const joinWords = /^(left|right|full|inner|outer|cross|natural)$/;
const plain = /^(where|having|limit|returning|union|except|intersect)$/;

function frame(inline: boolean): Frame {
  return { query: undefined, inline, definition: false, conflict: false, cases: 0 };
}

function verbOf(word: string, before: string, after: string): boolean {
  if (word === "select" || word === "perform" || word === "values") return true;
  if (word === "update") return !/^(for|do|on|or|before|after|key)$/.test(before);
  return (word === "insert" || word === "merge") ? after === "into" : word === "delete" && after === "from";
}

/** Whether a word opens a clause of the query it stands in. */
function opensClause(word: string, before: string, after: string, { query, conflict }: Frame): boolean {
  if (query === undefined) return false;
  if (word === "from") return before !== "distinct" && before !== "delete";
  if (word === "where") return !conflict;
  if (word === "group" || word === "order") return after === "by";
  if (word === "on") return after === "conflict";
  if (word === "set") return query === "update" && before !== "update";
  if (word === "using") return query === "delete";
  if (word === "values") return query === "insert" && before !== "default";
  if (word === "for") return /^(update|share|no|key)$/.test(after);
  return word === "select" || word === "join" || plain.test(word);
}

function endsStatement(word: string, { cases }: Frame): boolean {
  return word === ";" || (cases === 0 && /^(then|loop|else|begin|declare)$/.test(word));
}

/** Follows one program and remarks on every clause that does not begin its line. */
class ClauseReader {
  readonly remarks: Remark[] = [];
  private readonly frames: Frame[] = [frame(false)];
  private readonly words: string[];
  private readonly tokens: Token[];

  constructor(tokens: Token[]) {
    this.tokens = tokens;
    this.words = tokens.map((
      { kind, text },
    ) => (kind === "word" || kind === "mark" ? text.toLowerCase() : ""));
  }

  read(): Remark[] {
    this.tokens.forEach((_, index) => this.step(index));
    return this.remarks;
  }

  private step(index: number): void {
    const word = this.words[index] ?? "";
    const current = this.frames.at(-1) ?? frame(false);
    if (word === "(") {
      const close = this.tokens[closing(this.tokens, index)];
      this.frames.push(frame(current.inline || close?.line === this.tokens[index]?.line));
    } else if (word === ")") {
      if (this.frames.length > 1) this.frames.pop();
    } else if (endsStatement(word, current)) {
      this.frames[this.frames.length - 1] = frame(current.inline);
    } else this.readWord(index, word, current);
  }

  private readWord(index: number, word: string, current: Frame): void {
    const before = this.words[index - 1] ?? ";";
    const after = this.words[index + 1] ?? "";
    const starts = /^(;|)$/.test(before) && current.query === undefined;
    if (starts && definitions.test(word)) current.definition = true;
    if (current.definition && before === "as" && /^(select|with)$/.test(word)) current.definition = false;
    if (word === "case" && before !== "end") current.cases++;
    if (word === "end" && current.cases > 0) current.cases--;
    if (current.definition) return;
    if (opensClause(word, before, after, current)) this.mustLead(index, word, current);
    else if (current.query === undefined && verbOf(word, before, after)) current.query = word;
    if (word === "conflict" && before === "on") current.conflict = true;
    if (word === "do") current.conflict = false;
  }

  private mustLead(index: number, word: string, { inline }: Frame): void {
    let first = index;
    while (word === "join" && joinWords.test(this.words[first - 1] ?? "")) first--;
    const line = this.tokens[first]?.line ?? 0;
    const leads = this.tokens[first - 1]?.lastLine !== line;
    if (!inline && !leads) this.remarks.push({ line, text: `"${word}" does not begin its line` });
  }
}

/** Every clause of one program (a file, or one function's body) that shares its line with what stands before it. */
export function remarksOnClauses(tokens: Token[]): Remark[] {
  return new ClauseReader(tokens.filter((token) => token.kind !== "comment")).read();
}
