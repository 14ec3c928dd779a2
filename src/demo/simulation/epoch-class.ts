import { styleSheet } from "../../inspector/element.ts";

const COLOURS = 8;

/** Epochs take turns at eight colours; neighbours never look alike. */
export function epochClass(epoch: number): string {
  return epoch < 0 ? "no-epoch" : `epoch-${epoch % COLOURS}`;
}

const rules = Array.from({ length: COLOURS }, (_, index) => `.epoch-${index} { --epoch: var(--epoch-${index}); }`);

/** Gives `--epoch` the colour of the class. */
export const epochLook = styleSheet(`${rules.join("\n")}\n.no-epoch { --epoch: var(--cross); }`);
