import type { NodeName } from "../../platform/simulated/network.ts";

export interface Frame {
  readonly from: NodeName;
  readonly to: NodeName;
  readonly bytes: number;
  readonly sentUs: number;
  readonly dueUs: number;
}

/** More of them at once are no longer seen one by one. */
const FRAMES_KEPT = 600;

/** The frames that are on their way, and those that set out since somebody looked last. */
export class Traffic {
  #frames: Frame[] = [];
  #fresh: Frame[] = [];

  add(frame: Frame): void {
    if (this.#fresh.length < FRAMES_KEPT) this.#fresh.push(frame);
    this.#frames.push(frame);
    if (this.#frames.length > 2 * FRAMES_KEPT) this.#forgetArrived(frame.sentUs);
  }

  inFlight(nowUs: number): readonly Frame[] {
    this.#forgetArrived(nowUs);
    return this.#frames;
  }

  takeFresh(): readonly Frame[] {
    return this.#fresh.splice(0);
  }

  #forgetArrived(nowUs: number): void {
    this.#frames = this.#frames.filter(({ dueUs }) => dueUs > nowUs).slice(-FRAMES_KEPT);
  }
}
