/** What stays longer than the house aims at, by the name the size step prints, each with its reason. */
export const longOnes: Record<string, string> = {};

/** API functions that call no `authenticate(`, by schema-qualified name, each with its reason. */
export const openToAll: Record<string, string> = {};
