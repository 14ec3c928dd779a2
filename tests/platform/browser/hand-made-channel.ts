/** Stands for an RTCDataChannel where there is no WebRTC: it sends when told to, and its events come when told to. */
export class HandMadeChannel extends EventTarget {
  readyState: RTCDataChannelState = "connecting";
  binaryType = "blob";
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  /** Of all that was ever given to it, and the most that ever waited in it. */
  takenBytes = 0;
  mostBufferedBytes = 0;
  readonly sent: Uint8Array[] = [];

  get asChannel(): RTCDataChannel {
    return this as unknown as RTCDataChannel;
  }

  open(): void {
    this.readyState = "open";
    this.dispatchEvent(new Event("open"));
  }

  send(message: Uint8Array | ArrayBuffer): void {
    if (this.readyState !== "open") throw new DOMException("not open", "InvalidStateError");
    const bytes = new Uint8Array(message).slice();
    this.sent.push(bytes);
    this.takenBytes += bytes.length;
    this.bufferedAmount += bytes.length;
    this.mostBufferedBytes = Math.max(this.mostBufferedBytes, this.bufferedAmount);
  }

  /** The network takes so many bytes. */
  drain(bytes = this.bufferedAmount): void {
    const before = this.bufferedAmount;
    this.bufferedAmount = Math.max(0, before - bytes);
    const isLow = this.bufferedAmount <= this.bufferedAmountLowThreshold;
    if (isLow && before > this.bufferedAmountLowThreshold) this.dispatchEvent(new Event("bufferedamountlow"));
  }

  bring(data: ArrayBuffer | string): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  /** The peer, or the network, closed it. */
  end(): void {
    this.readyState = "closed";
    this.dispatchEvent(new Event("close"));
  }

  close(): void {
    if (this.readyState !== "closed") this.readyState = "closing";
  }
}
