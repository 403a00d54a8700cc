/** One promise of the repository: a sentence, and what breaks it under a root folder. */
export interface Rule {
  /** The step's name in `npm run check`, word for word. */
  sentence: string;
  /** One line per offence, `file:line what is wrong and what to do`; empty when the rule holds. */
  check(root: string): string[] | Promise<string[]>;
}
