import type { MetadataSnapshot } from "../../src/metadata/metadata-batch.ts";
import { crc32c } from "../../src/protocol/crc32c.ts";
import { CorruptMessageError } from "../../src/protocol/errors.ts";
import { Reader } from "../../src/protocol/reader.ts";
import { Writer } from "../../src/protocol/writer.ts";

/** What is kept of a cluster beside its log. */
export interface ClusterState {
  readonly clusterId: string;
  readonly controllerEpoch: number;
  /** Where the log ends, so that a log that lost its end is noticed. */
  readonly endOffset: number;
}

/** Of both rows; raised when they change, so that an older server refuses what it does not understand. */
const FORMAT = 1;

const CRC_BYTES = 4;

export function encodeState(state: ClusterState): Buffer {
  const writer = new Writer();
  writer.int8(FORMAT);
  writer.uuid(state.clusterId);
  writer.int32(state.controllerEpoch);
  writer.int64(state.endOffset);
  return sealed(writer);
}

export function decodeState(row: Uint8Array): ClusterState {
  const reader = unsealed(row, "state");
  const state = { clusterId: reader.uuid(), controllerEpoch: reader.int32(), endOffset: reader.int64() };
  reader.expectEnd();
  return state;
}

export function encodeSnapshot({ endOffset, epoch, records }: MetadataSnapshot): Buffer {
  const writer = new Writer(records.length + 64);
  writer.int8(FORMAT);
  writer.int64(endOffset);
  writer.int32(epoch);
  writer.bytes(records);
  return sealed(writer);
}

export function decodeSnapshot(row: Uint8Array): MetadataSnapshot {
  const reader = unsealed(row, "snapshot");
  const endOffset = reader.int64();
  const epoch = reader.int32();
  return { endOffset, epoch, records: reader.bytes(reader.remaining) };
}

/** The row with its checksum behind it. */
function sealed(writer: Writer): Buffer {
  const content = writer.finish();
  const row = Buffer.alloc(content.length + CRC_BYTES);
  row.set(content);
  row.writeUInt32BE(crc32c(content), content.length);
  return row;
}

function unsealed(row: Uint8Array, name: string): Reader {
  const content = row.subarray(0, -CRC_BYTES);
  const crc = row.length > CRC_BYTES ? new Reader(row, content.length).uint32() : undefined;
  if (crc !== crc32c(content)) throw new CorruptMessageError(`the ${name} fails its checksum`);
  const reader = new Reader(content);
  const format = reader.int8();
  if (format !== FORMAT) throw new CorruptMessageError(`the ${name} has format ${format}, where ${FORMAT} is expected`);
  return reader;
}
