import { crc32c } from "../protocol/crc32c.ts";

const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const MAX_TIMESTAMP_AT = 35;
const LOG_APPEND_TIME = 0x08;

/**
 * Makes a batch say that all its records are of `timestamp`, for topics with `message.timestamp.type=LogAppendTime`.
 * The records stay as they are; readers go by the header. The checksum covers the header, so it is computed anew.
 */
export function setLogAppendTime(batch: Uint8Array, timestamp: number): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setInt16(ATTRIBUTES_AT, view.getInt16(ATTRIBUTES_AT) | LOG_APPEND_TIME);
  view.setBigInt64(MAX_TIMESTAMP_AT, BigInt(timestamp));
  view.setUint32(CRC_AT, crc32c(batch, ATTRIBUTES_AT));
}
