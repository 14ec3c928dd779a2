/** What two tabs say to each other on a link's own channel, as JSON. */
export type LinkControl =
  /** The sender has made its end of channel `open`, and asks for a connection of the named listener on it. */
  | { readonly open: number; readonly listener: string }
  | { readonly opened: number }
  | { readonly refused: number; readonly reason: string };

/** Within which a link, and then a channel on it, must open; after that the relay is the better way. */
export const OPEN_TIMEOUT_MS = 3000;

const MAX_TEXT = 1024;

/** Undefined for whatever no well-meaning peer sends. */
export function parseLinkControl(text: unknown): LinkControl | undefined {
  if (typeof text !== "string" || text.length > MAX_TEXT) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { open, opened, refused, listener, reason } = value as Record<string, unknown>;
  if (isChannelId(open) && typeof listener === "string") return { open, listener };
  if (isChannelId(opened)) return { opened };
  if (isChannelId(refused) && typeof reason === "string") return { refused, reason };
  return undefined;
}

function isChannelId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65535;
}
