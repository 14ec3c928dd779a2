import type { PartitionView } from "./partition-view.ts";

/** The offsets that a strip shows; the end is exclusive. */
export interface OffsetWindow {
  readonly from: number;
  readonly to: number;
}

const LEAST = 40;
/** A copy that is farther behind than this is shown by an arrow: the tails of the others count more. */
const MOST = 640;
/** The window moves on by a part of its width, so that it stands still in between. */
const PARTS = 8;

/** As much of the tail as it takes to see every copy's end, in few sizes, so that the scale seldom changes. */
export function offsetWindow({ replicas, committed }: Pick<PartitionView, "replicas" | "committed">): OffsetWindow {
  const ends = replicas.map(({ logEndOffset }) => logEndOffset);
  const last = Math.max(committed, ...replicas.map(({ nextOffset }) => nextOffset));
  const wanted = (last - Math.min(last, ...ends)) * 1.25;
  let width = LEAST;
  while (width < wanted && width < MOST) width *= 2;
  const part = width / PARTS;
  const to = Math.max(width, Math.ceil((last + 1) / part) * part);
  return { from: to - width, to };
}
