import { assert } from "./assert.ts";
import { arrayCodec, bytesCodec, stringCodec } from "./field-codecs.ts";
import type { Codec, Layout } from "./field-codecs.ts";
import { UnsupportedVersionError } from "./errors.ts";
import type { Reader } from "./reader.ts";
import { structCodec } from "./struct-codec.ts";
import type { Writer } from "./writer.ts";

/**
 * A language of values for Kafka's messages. One declaration serves every version of a message: the order of the
 * fields is their order on the wire, and combinators say in which versions a field exists and what its value is in
 * the others. The type of a message follows from its declaration.
 *
 *     api({
 *       key: 23, name: "OffsetForLeaderEpoch", versions: [2, 4], flexibleFrom: 4,
 *       request: { replicaId: since(3, int32, -2), topics: array({ topic: string, … }) },
 *       response: { … },
 *     })
 *
 * "Flexible" versions (KIP-482) have compact strings and arrays and a tag buffer behind every struct; that is a matter
 * of the version alone, and no field mentions it. A decoded message always has all fields, in every version. When
 * encoding, a field with a fallback may be left out, and a field that the version lacks is left away silently.
 */

/** The value of a field, and its declaration as data, which the tests walk. */
export interface Field<Decoded, Encodable = Decoded> {
  readonly shape: Shape;
  /** The reader and writer of this field in one version. */
  codec(layout: Layout): Codec<Decoded, Encodable>;
}

/** A field that can be null from some version on. */
export interface NullableField<Decoded, Encodable = Decoded> extends Field<Decoded, Encodable> {
  nullableFrom(version: number): Field<Decoded | null, Encodable | null>;
}

/** A field that some versions lack, or that is tagged: a decoder fills in its fallback, an encoder may leave it out. */
export interface OptionalField<Decoded, Encodable = Decoded> extends Field<Decoded, Encodable> {
  readonly presence: Presence;
}

/** In which versions, and how, a field is on the wire. Bounds are inclusive. */
export interface Presence {
  readonly from: number;
  readonly to: number;
  /** Set when the field travels in the tag buffer, where it is left out while it equals its fallback. */
  readonly tag?: number;
  readonly fallback: unknown;
}

export type Shape =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: "string" | "bytes"; readonly nullableFrom: number }
  | { readonly kind: "array"; readonly nullableFrom: number; readonly of: Shape }
  | { readonly kind: "struct"; readonly nullableFrom: number; readonly members: readonly Member[] };

export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly presence?: Presence;
}

type PrimitiveKind = "int8" | "int16" | "uint16" | "int32" | "int64" | "float64" | "boolean" | "uuid";

/** The members of a struct, in wire order. */
export interface Fields {
  readonly [name: string]: Field<unknown>;
}

type DecodedOf<F> = F extends Field<infer Decoded, unknown> ? Decoded : never;
type EncodableOf<F> = F extends { codec(layout: Layout): { write(writer: Writer, value: infer Encodable): void } }
  ? Encodable
  : never;

type OptionalNames<F extends Fields> = {
  [Name in keyof F]: F[Name] extends OptionalField<unknown> ? Name : never;
}[keyof F];

export type DecodedStruct<F extends Fields> = { readonly [Name in keyof F]: DecodedOf<F[Name]> };
export type EncodableStruct<F extends Fields> = Flat<
  { readonly [Name in Exclude<keyof F, OptionalNames<F>>]: EncodableOf<F[Name]> } & {
    readonly [Name in OptionalNames<F>]?: EncodableOf<F[Name]> | undefined;
  }
>;
type Flat<T> = { [Name in keyof T]: T[Name] };

/** A version that never comes. */
const NEVER = Number.POSITIVE_INFINITY;

/** The two functions are given one by one: engines make little of a method that is looked up by a name they do not know. */
function primitive<T extends number | boolean | string>(
  kind: PrimitiveKind,
  size: number,
  read: (reader: Reader) => T,
  write: (writer: Writer, value: T) => void,
): Field<T> {
  const codec: Codec<T, T> = { minSize: size, cost: 1, read, write };
  return { shape: { kind }, codec: () => codec };
}

export const int8 = primitive("int8", 1, (reader) => reader.int8(), (writer, value) => writer.int8(value));
export const int16 = primitive("int16", 2, (reader) => reader.int16(), (writer, value) => writer.int16(value));
export const uint16 = primitive("uint16", 2, (reader) => reader.uint16(), (writer, value) => writer.uint16(value));
export const int32 = primitive("int32", 4, (reader) => reader.int32(), (writer, value) => writer.int32(value));
/** A 64-bit integer as a number; beyond 2^53 it is refused in both directions. */
export const int64 = primitive("int64", 8, (reader) => reader.int64(), (writer, value) => writer.int64(value));
export const float64 = primitive("float64", 8, (reader) => reader.float64(), (writer, value) => writer.float64(value));
export const boolean = primitive("boolean", 1, (reader) => reader.boolean(), (writer, value) => writer.boolean(value));
/** A uuid in its canonical 36-character lower-case form. */
export const uuid = primitive("uuid", 16, (reader) => reader.uuid(), (writer, value) => writer.uuid(value));

function nullable<Decoded, Encodable>(
  shape: (nullableFrom: number) => Shape,
  codec: (layout: Layout, canBeNull: boolean) => Codec<Decoded, Encodable>,
): NullableField<Exclude<Decoded, null>, Exclude<Encodable, null>> {
  const from = (nullableFrom: number): Field<Decoded, Encodable> => ({
    shape: shape(nullableFrom),
    codec: (layout) => codec(layout, layout.version >= nullableFrom),
  });
  // Below `nullableFrom` the codec refuses null in both directions, which is what narrows the type.
  return { ...from(NEVER), nullableFrom: from } as NullableField<unknown> as NullableField<
    Exclude<Decoded, null>,
    Exclude<Encodable, null>
  >;
}

/** Text of at most 32,767 bytes of UTF-8. */
export const string = nullable<string | null, string | null>(
  (nullableFrom) => ({ kind: "string", nullableFrom }),
  stringCodec,
);
export const nullableString = string.nullableFrom(0);

/** Bytes with a length; decoded as a view of the message. */
export const bytes = nullable<Uint8Array | null, Uint8Array | null>(
  (nullableFrom) => ({ kind: "bytes", nullableFrom }),
  bytesCodec,
);
export const nullableBytes = bytes.nullableFrom(0);

/** Record batches, undecoded: a view of the message, or null for none. */
export const records = nullableBytes;

type ElementDecoded<E> = E extends Fields ? DecodedStruct<E> : DecodedOf<E>;
type ElementEncodable<E> = E extends Fields ? EncodableStruct<E> : EncodableOf<E>;

/** A list; an object literal as element stands for a struct. */
export function array<const E extends Field<unknown> | Fields>(
  element: E,
): NullableField<readonly ElementDecoded<E>[], readonly ElementEncodable<E>[]> {
  const of = isField(element) ? element : struct(element);
  return nullable<readonly unknown[] | null, readonly unknown[] | null>(
    (nullableFrom) => ({ kind: "array", nullableFrom, of: of.shape }),
    (layout, canBeNull) => arrayCodec(of.codec(layout), layout, canBeNull),
  ) as NullableField<readonly ElementDecoded<E>[], readonly ElementEncodable<E>[]>;
}

/** A list that may be null. */
export function nullableArray<const E extends Field<unknown> | Fields>(
  element: E,
): Field<readonly ElementDecoded<E>[] | null, readonly ElementEncodable<E>[] | null> {
  return array(element).nullableFrom(0);
}

/** Several fields in wire order. */
export function struct<const F extends Fields>(fields: F): NullableField<DecodedStruct<F>, EncodableStruct<F>> {
  const members = Object.entries(fields).map(([name, field]) => ({ name, field, ...presenceOf(field) }));
  const shapes = members.map(({ name, field, presence }) => ({
    name,
    shape: field.shape,
    ...(presence === undefined ? {} : { presence }),
  }));
  return nullable<Record<string, unknown> | null, Record<string, unknown> | null>(
    (nullableFrom) => ({ kind: "struct", nullableFrom, members: shapes }),
    (layout, canBeNull) => structCodec(members, layout, canBeNull),
  ) as NullableField<unknown> as NullableField<DecodedStruct<F>, EncodableStruct<F>>;
}

/** A struct that may be null (KIP-893: one byte before it tells). */
export function nullableStruct<const F extends Fields>(
  fields: F,
): Field<DecodedStruct<F> | null, EncodableStruct<F> | null> {
  return struct(fields).nullableFrom(0);
}

/** A field that can be null from `version` on. */
export function nullableSince<Decoded, Encodable>(
  version: number,
  field: NullableField<Decoded, Encodable>,
): Field<Decoded | null, Encodable | null> {
  return field.nullableFrom(version);
}

/** A field of every version that an encoder may leave out. */
export function optional<Decoded, Encodable>(
  field: Field<Decoded, Encodable>,
  fallback: NoInfer<Decoded>,
): OptionalField<Decoded, Encodable> {
  return between(0, NEVER, field, fallback);
}

/** A field of `version` and later ones. */
export function since<Decoded, Encodable>(
  version: number,
  field: Field<Decoded, Encodable>,
  fallback: NoInfer<Decoded>,
): OptionalField<Decoded, Encodable> {
  return between(version, NEVER, field, fallback);
}

/** A field of the versions up to and including `lastVersion`. */
export function until<Decoded, Encodable>(
  lastVersion: number,
  field: Field<Decoded, Encodable>,
  fallback: NoInfer<Decoded>,
): OptionalField<Decoded, Encodable> {
  return between(0, lastVersion, field, fallback);
}

/** A field of the versions from `from` to `to`, both included. */
export function between<Decoded, Encodable>(
  from: number,
  to: number,
  field: Field<Decoded, Encodable>,
  fallback: NoInfer<Decoded>,
): OptionalField<Decoded, Encodable> {
  return { ...field, presence: { from, to, fallback: Object.freeze(fallback) } };
}

/**
 * A field in the tag buffer of flexible versions, there only while it differs from its fallback. A fallback of null
 * is not on the wire at all, whether the field itself can be null or not.
 */
export function tagged<Decoded, Encodable, Fallback extends Decoded | null>(
  tag: number,
  field: Field<Decoded, Encodable>,
  fallback: Fallback,
  sinceVersion = 0,
): OptionalField<Decoded | (null extends Fallback ? null : never), Encodable | (null extends Fallback ? null : never)> {
  const presence = { from: sinceVersion, to: NEVER, tag, fallback: Object.freeze(fallback) };
  return { ...field, presence } as OptionalField<unknown> as OptionalField<
    Decoded | (null extends Fallback ? null : never),
    Encodable | (null extends Fallback ? null : never)
  >;
}

/** First and last version, both included. */
export type VersionRange = readonly [first: number, last: number];

/** A structure with a version of its own. */
export interface Message<Decoded = unknown, Encodable = unknown> {
  readonly name: string;
  readonly versions: VersionRange;
  /** The first flexible version, which need not exist yet. */
  readonly flexibleFrom: number;
  readonly shape: Shape;
  /** The reader and writer of one version; throws UnsupportedVersionError. */
  codec(version: number): Codec<Decoded, Encodable>;
}

export type Decoded<M> = M extends { codec(version: number): { read(reader: Reader): infer D } } ? D : never;
export type Encodable<M> = M extends { codec(version: number): { write(writer: Writer, value: infer E): void } }
  ? E
  : never;

interface MessageDeclaration<F extends Fields> {
  readonly name: string;
  readonly versions: VersionRange;
  readonly flexibleFrom: number;
  readonly fields: F;
}

/** A versioned structure that is no request or response, such as a metadata record. */
export function message<const F extends Fields>(
  declaration: MessageDeclaration<F>,
): Message<DecodedStruct<F>, EncodableStruct<F>> {
  const { name, versions, flexibleFrom } = declaration;
  const body = struct(declaration.fields);
  const codecs = new Map<number, Codec<DecodedStruct<F>, EncodableStruct<F>>>();
  return {
    name,
    versions,
    flexibleFrom,
    shape: body.shape,
    codec(version) {
      if (!Number.isInteger(version) || version < versions[0] || version > versions[1]) {
        throw new UnsupportedVersionError(name, version, versions);
      }
      const known = codecs.get(version) ?? body.codec({ version, flexible: version >= flexibleFrom });
      codecs.set(version, known);
      return known;
    },
  };
}

/** A request and its response. */
export interface Api<Q = unknown, QInit = unknown, R = unknown, RInit = unknown> {
  readonly key: number;
  readonly name: string;
  /** The versions that the schema describes. */
  readonly versions: VersionRange;
  /** The versions to offer in ApiVersions where they differ from those served; the file of such an API says why. */
  readonly advertised: VersionRange;
  readonly flexibleFrom: number;
  readonly request: Message<Q, QInit>;
  readonly response: Message<R, RInit>;
}

/** A decoded request or response: every field is there. */
export type Request<A extends { readonly request: Message }> = Decoded<A["request"]>;
export type Response<A extends { readonly response: Message }> = Decoded<A["response"]>;
/** A request or response to encode: fields with a fallback may be left out. */
export type RequestInit<A extends { readonly request: Message }> = Encodable<A["request"]>;
export type ResponseInit<A extends { readonly response: Message }> = Encodable<A["response"]>;

interface ApiDeclaration<Q extends Fields, R extends Fields> {
  readonly key: number;
  readonly name: string;
  readonly versions: VersionRange;
  readonly advertised?: VersionRange;
  readonly flexibleFrom: number;
  readonly request: Q;
  readonly response: R;
}

export function api<const Q extends Fields, const R extends Fields>(
  declaration: ApiDeclaration<Q, R>,
): Api<DecodedStruct<Q>, EncodableStruct<Q>, DecodedStruct<R>, EncodableStruct<R>> {
  const { key, name, versions, advertised = versions, flexibleFrom } = declaration;
  assert(versions[0] <= versions[1], "versions are given as first and last");
  return {
    key,
    name,
    versions,
    advertised,
    flexibleFrom,
    request: message({ name: `${name} request`, versions, flexibleFrom, fields: declaration.request }),
    response: message({ name: `${name} response`, versions, flexibleFrom, fields: declaration.response }),
  };
}

function isField(element: Field<unknown> | Fields): element is Field<unknown> {
  return typeof element["codec"] === "function";
}

function presenceOf(field: Field<unknown>): { presence?: Presence } {
  const { presence } = field as Partial<OptionalField<unknown>>;
  return presence === undefined ? {} : { presence };
}
