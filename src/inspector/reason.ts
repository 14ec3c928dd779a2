import { visibleText } from "./visible-text.ts";

const CHARACTERS_SHOWN = 300;

/** Why something failed, for people. An aggregate error is worth the reasons that it holds. */
export function reasonOf(error: unknown): string {
  return visibleText(wordsOf(error), CHARACTERS_SHOWN);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  return inner.length > 0 ? inner.map(wordsOf).join("; ") : error.message;
}
