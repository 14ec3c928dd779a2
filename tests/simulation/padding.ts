/** What values are filled up with, behind what they say. No value contains it. */
export const PADDING = "~";

export function withoutPadding(text: string): string {
  const end = text.indexOf(PADDING);
  return end < 0 ? text : text.slice(0, end);
}
