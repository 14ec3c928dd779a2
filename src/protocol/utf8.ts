/**
 * UTF-8 for the wire, written out because the core compiles without a platform's TextEncoder. Both directions are
 * lenient, like Java's and so like Kafka's: a malformed sequence is read as U+FFFD, a lone surrogate written as "?".
 */
const REPLACEMENT = 0xfffd;
const QUESTION_MARK = 0x3f;

/** `String.fromCharCode` puts its arguments on the stack, so long strings are built in pieces of this many units. */
const CHUNK_UNITS = 4096;

/**
 * The last ASCII text of each small length. The same topic and client names come in message after message, and knowing
 * one again is cheaper than making it.
 */
const MOST_KNOWN = 64;
const knownTexts: (string | undefined)[] = [];

/** The number of bytes that {@link writeUtf8} will write. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) length += 1;
    else if (!isSurrogate(unit)) length += 2;
    else if (isPairAt(text, index)) {
      length += 2;
      index++;
    }
  }
  return length;
}

/** Writes `text` at `position`, where the target must have room, and returns the position behind it. */
export function writeUtf8(text: string, target: Uint8Array, position: number): number {
  for (let index = 0; index < text.length; index++) {
    let point = text.charCodeAt(index);
    if (isSurrogate(point)) {
      if (isPairAt(text, index)) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (text.charCodeAt(++index) & 0x3ff);
      } else {
        point = QUESTION_MARK;
      }
    }
    if (point < 0x80) {
      target[position++] = point;
    } else if (point < 0x800) {
      target[position++] = 0xc0 | (point >> 6);
      target[position++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      target[position++] = 0xe0 | (point >> 12);
      target[position++] = 0x80 | ((point >> 6) & 0x3f);
      target[position++] = 0x80 | (point & 0x3f);
    } else {
      target[position++] = 0xf0 | (point >> 18);
      target[position++] = 0x80 | ((point >> 12) & 0x3f);
      target[position++] = 0x80 | ((point >> 6) & 0x3f);
      target[position++] = 0x80 | (point & 0x3f);
    }
  }
  return position;
}

/** The bytes of `text`. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(text, bytes, 0);
  return bytes;
}

/** The text of `bytes` between `start` and `end`. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const known = end - start <= MOST_KNOWN ? knownTexts[end - start] : undefined;
  if (known !== undefined && isAt(known, bytes, start)) return known;
  let ascii = start;
  while (ascii < end && bytes[ascii]! < 0x80) ascii++;
  if (ascii === end && end - start <= CHUNK_UNITS) {
    const text = fromUnits(bytes.subarray(start, end));
    if (text.length <= MOST_KNOWN) knownTexts[text.length] = text;
    return text;
  }
  return decodeSlowly(bytes, start, end);
}

function decodeSlowly(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  const units: number[] = [];
  let position = start;
  while (position < end) {
    const lead = bytes[position]!;
    const size = sequenceSize(bytes, position, end);
    if (size === 1) units.push(lead);
    else if (size === 2) units.push(((lead & 0x1f) << 6) | (bytes[position + 1]! & 0x3f));
    else if (size === 3) {
      units.push(((lead & 0x0f) << 12) | ((bytes[position + 1]! & 0x3f) << 6) | (bytes[position + 2]! & 0x3f));
    } else if (size === 4) {
      const point =
        ((lead & 0x07) << 18) |
        ((bytes[position + 1]! & 0x3f) << 12) |
        ((bytes[position + 2]! & 0x3f) << 6) |
        (bytes[position + 3]! & 0x3f);
      units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff));
    } else units.push(REPLACEMENT);
    position += Math.max(1, Math.abs(size));
    if (units.length >= CHUNK_UNITS) {
      text += fromUnits(units);
      units.length = 0;
    }
  }
  return text + fromUnits(units);
}

/**
 * The size of the well-formed sequence at `position`, or, negated, how many bytes of a malformed one a single U+FFFD
 * stands for: the longest prefix of some valid sequence (the WHATWG and Java rule).
 */
function sequenceSize(bytes: Uint8Array, position: number, end: number): number {
  const lead = bytes[position]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte's range excludes overlong forms, surrogates and points above U+10FFFF.
  let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let index = 1; index < size; index++) {
    const next = position + index < end ? bytes[position + index]! : -1;
    if (next < low || next > high) return -index;
    low = 0x80;
    high = 0xbf;
  }
  return size;
}

function isAt(text: string, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

function fromUnits(units: ArrayLike<number>): string {
  return String.fromCharCode.apply(null, units as number[]);
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function isPairAt(text: string, index: number): boolean {
  const first = text.charCodeAt(index);
  const second = text.charCodeAt(index + 1);
  return first <= 0xdbff && second >= 0xdc00 && second <= 0xdfff;
}
