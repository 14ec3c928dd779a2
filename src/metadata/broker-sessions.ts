import type { ClusterImage } from "./image.ts";

export type ConnectionId = number;

interface Session {
  /** The connection that the broker was heard on last; undefined once that is closed. */
  connectionId: ConnectionId | undefined;
  /** When the broker counts as gone unless it is heard before. */
  deadlineMs: number;
  /** The last offset of the metadata log that the broker is known to have applied. */
  metadataOffset: number;
  /** Since when the broker has been unfenced, as far as this controller knows; undefined while it is fenced. */
  activeSinceMs: number | undefined;
  /** The offset of the last record of its controlled shutdown. */
  leftAtOffset: number | undefined;
}

/**
 * Who was heard when. Soft state, not in the log: after a restart of the controller every unfenced broker gets a whole
 * session to be heard in, and every fenced one counts as gone since then. Only fencing rests on it, never safety.
 */
export class BrokerSessions {
  readonly #timeoutMs: number;
  readonly #sessions = new Map<number, Session>();
  readonly #goneSinceMs = new Map<number, number>();

  constructor(image: ClusterImage, timeoutMs: number, nowMs: number) {
    this.#timeoutMs = timeoutMs;
    for (const { brokerId, fenced } of image.brokers.values()) {
      if (fenced) {
        this.#goneSinceMs.set(brokerId, nowMs);
        continue;
      }
      const deadlineMs = nowMs + timeoutMs;
      this.#sessions.set(brokerId, {
        connectionId: undefined,
        deadlineMs,
        metadataOffset: -1,
        activeSinceMs: nowMs,
        leftAtOffset: undefined,
      });
    }
  }

  /** The broker has registered: what it applied before is forgotten. */
  registered(brokerId: number, connectionId: ConnectionId, nowMs: number): void {
    this.#sessions.delete(brokerId);
    this.#goneSinceMs.set(brokerId, nowMs);
    this.heard(brokerId, connectionId, -1, nowMs);
  }

  /** The broker spoke on this connection, which may be a new one. */
  heard(brokerId: number, connectionId: ConnectionId, metadataOffset: number, nowMs: number): void {
    const session = this.#sessions.get(brokerId);
    this.#sessions.set(brokerId, {
      connectionId,
      deadlineMs: nowMs + this.#timeoutMs,
      metadataOffset: Math.max(metadataOffset, session?.metadataOffset ?? -1),
      activeSinceMs: session?.activeSinceMs,
      leftAtOffset: session?.leftAtOffset,
    });
  }

  /** The broker on this connection has applied the metadata up to `metadataOffset`. */
  applied(brokerId: number, connectionId: ConnectionId, metadataOffset: number): void {
    const session = this.#sessions.get(brokerId);
    if (session?.connectionId !== connectionId) return;
    session.metadataOffset = Math.max(metadataOffset, session.metadataOffset);
  }

  /** The broker is in controlled shutdown. Returns the offset at which it first was. */
  leaving(brokerId: number, metadataOffset: number): number {
    const session = this.#sessions.get(brokerId);
    if (session === undefined) return metadataOffset;
    return (session.leftAtOffset ??= metadataOffset);
  }

  fenced(brokerId: number, nowMs: number): void {
    const session = this.#sessions.get(brokerId);
    if (session !== undefined) session.activeSinceMs = undefined;
    this.#goneSinceMs.set(brokerId, nowMs);
  }

  unfenced(brokerId: number, nowMs: number): void {
    const session = this.#sessions.get(brokerId);
    if (session !== undefined) session.activeSinceMs = nowMs;
    this.#goneSinceMs.delete(brokerId);
  }

  forget(brokerId: number): void {
    this.#sessions.delete(brokerId);
    this.#goneSinceMs.delete(brokerId);
  }

  isBound(brokerId: number, connectionId: ConnectionId): boolean {
    return this.#sessions.get(brokerId)?.connectionId === connectionId;
  }

  /** Whether the broker may be speaking, fenced or not: one that has just registered is. */
  isConnected(brokerId: number): boolean {
    return this.#sessions.get(brokerId)?.connectionId !== undefined;
  }

  /** The brokers whose connection this was. */
  closed(connectionId: ConnectionId): number[] {
    const brokers: number[] = [];
    for (const [brokerId, session] of this.#sessions) {
      if (session.connectionId !== connectionId) continue;
      session.connectionId = undefined;
      brokers.push(brokerId);
    }
    return brokers;
  }

  /** The unfenced brokers that were not heard for a whole session. */
  expired(nowMs: number): number[] {
    const brokers: number[] = [];
    for (const [brokerId, { activeSinceMs, deadlineMs }] of this.#sessions) {
      if (activeSinceMs !== undefined && deadlineMs <= nowMs) brokers.push(brokerId);
    }
    return brokers;
  }

  /** When the next session ends, `Infinity` if none does. */
  get nextExpiryMs(): number {
    // Asked after every event: nothing is copied for it.
    let next = Number.POSITIVE_INFINITY;
    for (const { activeSinceMs, deadlineMs } of this.#sessions.values()) {
      if (activeSinceMs !== undefined && deadlineMs < next) next = deadlineMs;
    }
    return next;
  }

  metadataOffset(brokerId: number): number {
    return this.#sessions.get(brokerId)?.metadataOffset ?? -1;
  }

  /** Since when the broker has been fenced, undefined while it is not. */
  goneSinceMs(brokerId: number): number | undefined {
    return this.#goneSinceMs.get(brokerId);
  }

  /** Since when the broker has been unfenced, undefined while it is not. */
  activeSinceMs(brokerId: number): number | undefined {
    return this.#sessions.get(brokerId)?.activeSinceMs;
  }
}
