/** Characters that fit into the box of a client. */
const LONGEST = 12;

/** What fits into the box. The end of a name tells it from others: "producer 0", "…member 3". */
export function shortName(name: string): string {
  const words = name.replaceAll("-", " ");
  if (words.length <= LONGEST) return words;
  const end = words.slice(1 - LONGEST);
  return `…${end.slice(end.indexOf(" ") + 1)}`;
}
