import { assert, AssertionError } from "./assert.ts";
import type { Codec, Layout } from "./field-codecs.ts";
import { CorruptMessageError } from "./errors.ts";
import type { Reader } from "./reader.ts";
import type { Field, Presence } from "./schema.ts";
import type { Writer } from "./writer.ts";

/** More tagged fields than any struct of Kafka's will have; a tag buffer with more of them is an attack. */
const MAX_TAGGED_FIELDS = 1024;

export interface StructMember {
  readonly name: string;
  readonly field: Field<unknown>;
  readonly presence?: Presence;
}

interface Slot {
  readonly name: string;
  readonly codec: Codec<unknown, unknown>;
  /** Used where the value is left out; undefined for a field that must be given. */
  readonly fallback: unknown;
}

interface TaggedSlot extends Slot {
  readonly tag: number;
}

type Values = Record<string, unknown>;

/**
 * Reads and writes a struct in one version. Which members exist is settled here, once per version, so that the loops
 * over a message's bytes decide nothing any more.
 */
export function structCodec(
  members: readonly StructMember[],
  layout: Layout,
  canBeNull: boolean,
): Codec<Values | null, Values | null> {
  const inline: Slot[] = [];
  const tagged: TaggedSlot[] = [];
  const absent: Omit<Slot, "codec">[] = [];
  for (const { name, field, presence } of members) {
    const fallback = presence?.fallback;
    if (presence !== undefined && !isPresent(presence, layout)) absent.push({ name, fallback });
    else if (presence?.tag === undefined) inline.push({ name, codec: field.codec(layout), fallback });
    else tagged.push({ name, codec: field.codec(layout), fallback, tag: presence.tag });
  }
  tagged.sort((a, b) => a.tag - b.tag);
  const Blank = blankObject();

  return {
    minSize: canBeNull ? 1 : inline.reduce((size, { codec }) => size + codec.minSize, layout.flexible ? 1 : 0),
    cost: 1 + members.length,
    read(reader) {
      if (canBeNull && isNull(reader)) return null;
      // Always in the same order, so that all values of a struct share one layout in the engine.
      const values = new Blank();
      for (const { name, codec } of inline) values[name] = codec.read(reader);
      for (const { name, fallback } of tagged) values[name] = fallback;
      for (const { name, fallback } of absent) values[name] = fallback;
      if (layout.flexible) readTags(reader, tagged, values);
      return values;
    },
    write(writer, values) {
      if (canBeNull) writer.int8(values === null ? -1 : 1);
      else assert(values !== null, "this version of the struct cannot be null");
      if (values === null) return;
      for (const { name, codec, fallback } of inline) {
        const value = values[name] === undefined ? fallback : values[name];
        if (value === undefined) throw new AssertionError(`the field ${name} is missing`);
        codec.write(writer, value);
      }
      if (layout.flexible) writeTags(writer, tagged, values);
    },
  };
}

/**
 * Makes `{}`, from a constructor of its own: engines keep a count of the members that objects of one constructor get,
 * and so make room for all of them at once.
 */
function blankObject(): new () => Values {
  const Blank = function () {} as unknown as new () => Values;
  Blank.prototype = Object.prototype;
  return Blank;
}

/** Skips a tag buffer in which no tag is known. */
export function skipTags(reader: Reader): void {
  readTags(reader, [], {});
}

function isPresent(presence: Presence, layout: Layout): boolean {
  if (presence.tag !== undefined && !layout.flexible) return false;
  return layout.version >= presence.from && layout.version <= presence.to;
}

function isNull(reader: Reader): boolean {
  const marker = reader.int8();
  if (marker !== 1 && marker !== -1) throw new CorruptMessageError(`a struct is marked ${marker}, neither 1 nor -1`);
  return marker === -1;
}

function readTags(reader: Reader, slots: readonly TaggedSlot[], values: Values): void {
  const count = reader.unsignedVarint();
  if (count === 0) return;
  if (count > MAX_TAGGED_FIELDS) throw new CorruptMessageError(`${count} tagged fields exceed ${MAX_TAGGED_FIELDS}`);
  reader.spend(count);
  let previous = -1;
  for (let index = 0; index < count; index++) {
    const tag = reader.unsignedVarint();
    if (tag <= previous) throw new CorruptMessageError(`tag ${tag} follows tag ${previous}`);
    previous = tag;
    readTagged(reader, tag, slots, values);
  }
}

function readTagged(reader: Reader, tag: number, slots: readonly TaggedSlot[], values: Values): void {
  const size = reader.unsignedVarint();
  if (size > reader.remaining) throw new CorruptMessageError(`tag ${tag} announces ${size} bytes, more than follow`);
  const end = reader.position + size;
  const slot = slots.find((candidate) => candidate.tag === tag);
  if (slot === undefined) return reader.skip(size);
  values[slot.name] = slot.codec.read(reader);
  if (reader.position !== end) throw new CorruptMessageError(`tag ${tag} does not fill its ${size} bytes`);
}

function writeTags(writer: Writer, slots: readonly TaggedSlot[], values: Values): void {
  let count = 0;
  for (const slot of slots) if (isWritten(slot, values)) count++;
  writer.unsignedVarint(count);
  if (count === 0) return;
  for (const slot of slots) {
    if (!isWritten(slot, values)) continue;
    writer.unsignedVarint(slot.tag);
    writer.sized(() => slot.codec.write(writer, values[slot.name]));
  }
}

function isWritten({ name, fallback }: TaggedSlot, values: Values): boolean {
  return values[name] !== undefined && !isEqual(values[name], fallback);
}

/** Whether two plain values are the same. Makes no objects: frames of every fetch pass through here. */
function isEqual(value: unknown, fallback: unknown): boolean {
  if (Object.is(value, fallback)) return true;
  if (typeof value !== "object" || typeof fallback !== "object" || value === null || fallback === null) return false;
  let missing = 0;
  for (const name in fallback) if (Object.hasOwn(fallback, name)) missing++;
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue;
    if (!Object.hasOwn(fallback, name) || !isEqual((value as Values)[name], (fallback as Values)[name])) return false;
    missing--;
  }
  return missing === 0;
}
