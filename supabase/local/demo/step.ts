/** Prints one line. */
export type Tell = (line: string) => void;

/**
 * Does one step of the demo and tells it in one line with its time in milliseconds. `note` adds what is worth seeing
 * beside the title. What a step throws is thrown on, for runDemo to tell.
 */
export async function step<T>(
  tell: Tell,
  title: string,
  work: (note: (text: string) => void) => Promise<T>,
): Promise<T> {
  const began = performance.now();
  let noted = "";
  const told = (mark: string) => {
    const time = `${Math.round(performance.now() - began)} ms`;
    tell(`${mark} ${time.padStart(8)}  ${title}${noted && `: ${noted}`}`);
  };
  try {
    const result = await work((text) => noted = text);
    told("✔");
    return result;
  } catch (error) {
    told("✘");
    throw error;
  }
}
