/** One measured figure with the bounds it must keep; without any it only informs. */
export interface Figure {
  name: string;
  value: number;
  atLeast?: number;
  atMost?: number;
  /** What this run measured it from, in words and numbers. */
  measured: string;
  /** What a reader wants to see beside it, printed below the table. */
  detail?: string;
}

/** True when the figure keeps its bounds. */
export function keeps({ value, atLeast = -Infinity, atMost = Infinity }: Figure): boolean {
  return value >= atLeast && value <= atMost;
}

function boundOf({ atLeast, atMost }: Figure): string {
  if (atLeast === undefined) return atMost === undefined ? "" : `at most ${atMost}`;
  return atLeast === atMost ? `exactly ${atLeast}` : `at least ${atLeast}`;
}

function row(figure: Figure): string {
  const bound = boundOf(figure);
  const verdict = bound === "" ? "" : keeps(figure) ? "met" : "NOT MET";
  const place = Number.isInteger(figure.value) ? 0 : 2;
  const cells = [
    figure.name.padEnd(56),
    figure.value.toFixed(place).padStart(7),
    bound.padEnd(13),
    verdict.padEnd(7),
  ];
  return `${cells.join("  ")}  ${figure.measured}`;
}

/** The figures as a table, a line each, and below it what goes with them. */
export function table(figures: Figure[]): string {
  const details = figures.flatMap(({ detail }) => detail === undefined ? [] : ["", detail, ""]);
  return [...figures.map(row), ...details].join("\n");
}
