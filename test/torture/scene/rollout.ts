import { seeded } from "../../../packages/core/src/testing-kit/test-clock.js";
import type { Version } from "./events.js";
import type { Member } from "./member.js";
import type { Scene } from "./scene.js";

/** The longest pause before a replacement, in ms. */
const LONGEST_PAUSE = 500;

/** How often to check whether the fault has let go of a worker, in ms. */
const CHECK = 20;

/** The version of the worker `index` when the cell begins: the versions alternate. The seed decides how. */
export function firstVersion(seed: number, index: number): Version {
  return (index + seed) % 2 === 0 ? "current" : "base";
}

export const otherVersion = (version: Version): Version => (version === "base" ? "current" : "base");

/** How many workers a rollout starts. */
export const replacements = (workers: number): number => 2 * workers;

/** One place of the deployment: the worker in it, and how often it still changes its version. */
interface Place {
  member: Member;
  left: number;
}

/**
 * Replaces each worker by one of the other version, and then again by one of its own: a deploy that is rolled
 * back. The seed decides how much of that comes before, during and after the fault.
 */
export class Rollout {
  readonly #scene: Scene;
  readonly #chance: () => number;
  readonly #places: readonly Place[];
  readonly #before: number;
  readonly #during: number;

  constructor(scene: Scene, seed: number) {
    this.#scene = scene;
    // Not the chance of the scene: the fault draws from it at the same time.
    this.#chance = seeded(seed * 1_019);
    this.#places = scene.members.map((member) => ({ member, left: 2 }));
    const all = replacements(scene.members.length);
    // At least one of them is left for the time after the fault.
    this.#before = Math.floor(this.#chance() * (all / 2 + 1));
    this.#during = Math.min(1 + Math.floor(this.#chance() * 2), all - 1 - this.#before);
  }

  async before(): Promise<void> {
    for (let i = 0; i < this.#before; i++) await this.#step();
  }

  /** Replaces workers that `fault` does not use. Resolves to what it resolves to. */
  async during<T>(fault: Promise<T>): Promise<T> {
    const replaced = (async () => {
      for (let i = 0; i < this.#during; i++) await this.#step();
    })();
    // A fault that fails explains more than the replacement that it stopped.
    const [injected, steps] = await Promise.allSettled([fault, replaced]);
    if (injected.status === "rejected") throw injected.reason;
    if (steps.status === "rejected") throw steps.reason;
    return injected.value;
  }

  async after(): Promise<void> {
    while (this.#places.some(({ left }) => left > 0)) await this.#step();
  }

  async #step(): Promise<void> {
    await this.#scene.sleep(this.#chance() * LONGEST_PAUSE);
    for (;;) {
      const place = this.#next();
      if (place !== undefined) return this.#replace(place);
      await this.#scene.sleep(CHECK);
    }
  }

  /** A worker that the fault does not use: one that is not upgraded yet, or one to roll back. */
  #next(): Place | undefined {
    const scene = this.#scene;
    // In a store of one process, the fault may have replaced its worker.
    if (!scene.kind.shared) for (const place of this.#places) place.member = scene.living[0] ?? place.member;
    // The place of a worker that was killed is filled again, too.
    const isFree = (member: Member): boolean =>
      !scene.isClaimed(member) && (member.isAtWork || (scene.kind.shared && member.over));
    const free = this.#places.filter(({ member, left }) => left > 0 && isFree(member));
    const most = Math.max(...free.map(({ left }) => left));
    const due = free.filter(({ left }) => left === most);
    return due.length === 0 ? undefined : due[Math.floor(this.#chance() * due.length)];
  }

  /** Where several processes can open the store, the new worker may start before the old one ends. */
  async #replace(place: Place): Promise<void> {
    const scene = this.#scene;
    const { member } = place;
    place.left -= 1;
    member.leaves();
    const isFirst = scene.kind.shared && this.#chance() < 0.5;
    const start = async (): Promise<void> => {
      place.member = await scene.enlist(otherVersion(member.version));
      scene.note(`worker ${place.member.index} (${place.member.version}) replaces worker ${member.index}`);
    };
    if (isFirst) await start();
    if (!member.over) {
      scene.note(`worker ${member.index} (${member.version}) is sent a signal to end`);
      member.terminate();
      await scene.until(() => member.over, `worker ${member.index} has ended`);
    }
    if (!isFirst) await start();
  }
}
