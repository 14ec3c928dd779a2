import { message } from "../schema.ts";
import type { DecodedStruct, EncodableStruct, Fields, Message, VersionRange } from "../schema.ts";

/** A kind of record in the metadata log. */
export interface MetadataRecordSchema<Name extends string = string, Decoded = unknown, Encodable = unknown>
  extends Message<Decoded, Encodable> {
  readonly key: number;
  readonly name: Name;
}

/** Declares a record kind; all of them are flexible from version 0 on. */
export function metadataRecord<const Name extends string, const F extends Fields>(declaration: {
  readonly key: number;
  readonly name: Name;
  readonly versions: VersionRange;
  readonly fields: F;
}): MetadataRecordSchema<Name, DecodedStruct<F>, EncodableStruct<F>> {
  const { key, name } = declaration;
  return { ...message({ ...declaration, flexibleFrom: 0 }), key, name };
}
