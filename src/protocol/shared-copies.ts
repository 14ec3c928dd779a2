/**
 * Makes copies of brief sequences of bytes that share buffers of `bufferBytes`, because making a buffer costs several
 * times what filling it does; what is longer than `mostBytes` gets one of its own. A copy keeps its whole buffer in
 * memory, and must not be transferred.
 */
export function sharedCopies(bufferBytes: number, mostBytes: number): (bytes: Uint8Array) => Uint8Array<ArrayBuffer> {
  let buffer = new Uint8Array(0);
  let used = 0;
  return (bytes) => {
    const { length } = bytes;
    if (length > mostBytes) return new Uint8Array(bytes);
    if (used + length > buffer.length) {
      buffer = new Uint8Array(bufferBytes);
      used = 0;
    }
    const at = used;
    used = at + length;
    buffer.set(bytes, at);
    return buffer.subarray(at, used);
  };
}
