import fc from "fast-check";

import type { Member, Message, Shape } from "../../src/protocol/schema.ts";

const characters = fc.constantFrom("a", "\0", "é", "\u07ff", "ࠀ", "\uffff", "\u{10000}", "\u{1f30d}", "\u202e");
const text = fc.array(characters, { maxLength: 8 }).map((parts) => parts.join(""));

/** Any decoded value of a message in one version, made by walking its schema. */
export function arbitraryMessage(message: Message, version: number): fc.Arbitrary<unknown> {
  return arbitraryOf(message.shape, version, version >= message.flexibleFrom);
}

function arbitraryOf(shape: Shape, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  const value = arbitraryValue(shape, version, flexible);
  return "nullableFrom" in shape && version >= shape.nullableFrom ? fc.option(value, { nil: null }) : value;
}

function arbitraryValue(shape: Shape, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case "int8":
      return fc.integer({ min: -0x80, max: 0x7f });
    case "int16":
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case "uint16":
      return fc.integer({ min: 0, max: 0xffff });
    case "int32":
      return fc.integer();
    case "int64":
      return fc.maxSafeInteger();
    case "float64":
      return fc.double();
    case "boolean":
      return fc.boolean();
    case "uuid":
      return fc.uuid();
    case "string":
      return text;
    case "bytes":
      return fc.uint8Array({ maxLength: 12 });
    case "array":
      return fc.array(arbitraryOf(shape.of, version, flexible), { maxLength: 3 });
    case "struct":
      return fc.record(
        Object.fromEntries(shape.members.map((member) => [member.name, arbitraryMember(member, version, flexible)])),
        { noNullPrototype: true },
      );
  }
}

function arbitraryMember({ shape, presence }: Member, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  if (presence === undefined) return arbitraryOf(shape, version, flexible);
  const fallback = fc.constant(presence.fallback);
  const isAbsent = version < presence.from || version > presence.to || (presence.tag !== undefined && !flexible);
  return isAbsent ? fallback : fc.oneof(fallback, arbitraryOf(shape, version, flexible));
}
