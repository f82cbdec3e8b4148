import type { Member } from "../scene/member.js";
import type { Scene } from "../scene/scene.js";
import { type Fault, GONE_WITHIN, MARGIN, ONE_PROCESS, TTL_FOR_THREAD } from "./fault.js";

/** How long a body holds its lock, in times to live: long enough that the fault, not the body, ends it. */
const LONG = 4;

/**
 * A time to live, in ms, so long that no session ends within the bound: only the check of the holder's
 * process can free the lock.
 */
const TTL_FOR_LOOK = 10_000;

/**
 * How long a body holds its lock, in ms: beyond the bound, but a body that ignores its signal must not delay
 * the cell.
 */
const HELD = 5_000;

const none: Fault = {
  name: "none",
  whyNot: () => undefined,
  async inject(scene) {
    await scene.sleep(1.5 * scene.ttl);
    return undefined;
  },
};

function stop(name: string, share: number): Fault {
  return {
    name,
    whyNot: () => undefined,
    async inject(scene) {
      const { member, run } = await scene.hold(LONG * scene.ttl);
      const since = scene.note(`worker ${member.index} is stopped`);
      await member.pause();
      await scene.sleep(share * scene.ttl);
      scene.note(`worker ${member.index} continues`);
      member.goOn();
      // If no other process can open the store, no lock is lost.
      return share < 1 || !scene.kind.shared
        ? undefined
        : { since, names: [run.name], bound: scene.ttl + MARGIN, struck: member };
    },
  };
}

const kill: Fault = {
  name: "holder kill -9",
  ttl: TTL_FOR_LOOK,
  whyNot: ({ lasting }) => (lasting ? undefined : "n/a: nothing outlives the process"),
  async inject(scene) {
    const { member, run } = await scene.hold(HELD);
    await member.pause();
    const since = scene.note(`worker ${member.index} is killed`);
    await member.kill();
    if (scene.kind.shared) return { since, names: [run.name], bound: GONE_WITHIN, struck: member };
    await scene.enlist();
    // No bound: the time includes the start of the process that replaces it.
    return { since, names: [run.name] };
  },
};

const block: Fault = {
  name: "event loop blocked, no thread",
  whyNot: () => undefined,
  async inject(scene) {
    const ms = 3 * scene.ttl;
    const { member, run } = await scene.hold(ms, { block: true });
    scene.note(`worker ${member.index} computes for ${ms} ms`);
    await computed(scene, member, run.id);
    if (!scene.kind.shared) return undefined;
    return { since: run.t, names: [run.name], bound: scene.ttl + MARGIN, struck: member };
  },
};

const blockWithThread: Fault = {
  name: "event loop blocked, heartbeat thread",
  plain: true,
  ttl: TTL_FOR_THREAD,
  whyNot: ({ shared }) => (shared ? undefined : `${ONE_PROCESS}, and no thread can open its store`),
  async inject(scene) {
    const ms = 1.8 * scene.ttl;
    const { member, run } = await scene.hold(ms, { block: true });
    scene.note(`worker ${member.index} computes for ${ms} ms`);
    await computed(scene, member, run.id);
    return { since: scene.now(), names: [run.name], kept: { member, id: run.id } };
  },
};

async function computed(scene: Scene, member: Member, id: string): Promise<void> {
  await scene.until(() => member.all("computed").some((it) => it.id === id), `worker ${member.index} has computed`);
}

const terminate: Fault = {
  name: "client SIGTERM",
  ttl: TTL_FOR_LOOK,
  whyNot: ({ lasting }) => (lasting ? undefined : "n/a: nothing outlives the process"),
  async inject(scene) {
    const { member, run } = await scene.hold(HELD);
    scene.note(`worker ${member.index} is sent a signal to end`);
    member.terminate();
    // It keeps the lock until its body has returned.
    await scene.until(() => member.all("exit").some(({ id }) => id === run.id), `the body of ${run.name} has ended`);
    const since = member.all("exit").find(({ id }) => id === run.id)?.t ?? scene.now();
    await endOf(scene, member.index);
    if (scene.kind.shared) return { since, names: [run.name], bound: GONE_WITHIN, struck: member };
    await scene.enlist();
    return { since, names: [run.name] };
  },
};

/** How many workers a deploy replaces, and the longest time between two of them, in ms. */
const DEPLOYS = 6;
const BETWEEN_DEPLOYS = 700;

/** Rolling restarts: a newer worker begins, and the oldest one is asked to end while its bodies clean up. */
const deploy: Fault = {
  name: "deploy",
  whyNot: ({ lasting }) => (lasting ? undefined : "n/a: nothing outlives the process"),
  async inject(scene) {
    for (let i = 0; i < DEPLOYS; i++) {
      const [oldest] = scene.living as [Member];
      if (scene.kind.shared) await scene.enlist();
      scene.note(`worker ${oldest.index} is sent a signal to end`);
      oldest.terminate();
      await endOf(scene, oldest.index);
      if (!scene.kind.shared) await scene.enlist();
      await scene.sleep(scene.between(0, BETWEEN_DEPLOYS));
    }
    return { since: scene.now(), names: scene.names };
  },
};

async function endOf(scene: Scene, index: number): Promise<void> {
  await scene.until(() => scene.members[index]?.over === true, `worker ${index} has ended`);
}

/** Faults of processes. */
export const processFaults: readonly Fault[] = [
  none,
  stop("holder stopped, shorter", 0.4),
  stop("holder stopped, longer", 1.8),
  kill,
  block,
  blockWithThread,
  terminate,
  deploy,
];
