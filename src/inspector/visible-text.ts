/**
 * Topic names, keys, values and reasons come from other people. They are shown as text, but text can still lie: a
 * bidirectional override reorders what follows it, a control character hides. Such characters are spelled out, and
 * what is too long to read is cut.
 */

const CONTROL_PICTURES = 0x2400;
const DELETE_PICTURE = "\u2421";

/**
 * Unicode's control and format characters (among them the bidirectional and tag characters), line and paragraph
 * separators, and lone surrogates; but not the two joiners, which Persian and emoji need.
 */
const DECEPTIVE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** `text` with every deceptive character spelled out, cut after `limit` characters with a note of the whole length. */
export function visibleText(text: string, limit: number): string {
  if (text.length <= limit) return spellOut(text);
  return `${spellOut(cut(text, limit))}… (${text.length.toLocaleString("en")} characters)`;
}

/** A record's key or value: UTF-8 as text, anything else as hexadecimal bytes. */
export function visibleBytes(bytes: Uint8Array | null, limit: number): string {
  if (bytes === null) return "null";
  // Four bytes make at most one character pair, so this prefix always holds `limit` characters when the value does.
  const shown = bytes.subarray(0, 4 * limit);
  const text = decode(shown, shown.length < bytes.length);
  if (text === undefined) return visibleHex(bytes, Math.floor(limit / 3));
  if (shown.length === bytes.length && text.length <= limit) return spellOut(text);
  return `${spellOut(cut(text, limit))}… (${bytes.length.toLocaleString("en")} bytes)`;
}

function visibleHex(bytes: Uint8Array, limit: number): string {
  const hex = Array.from(bytes.subarray(0, limit), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > limit ? `${hex} … (${bytes.length.toLocaleString("en")} bytes)` : hex;
}

function decode(bytes: Uint8Array, more: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: more });
  } catch {
    return undefined;
  }
}

function cut(text: string, limit: number): string {
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

function spellOut(text: string): string {
  return text.replace(DECEPTIVE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
    if (code === 0x7f) return DELETE_PICTURE;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}
