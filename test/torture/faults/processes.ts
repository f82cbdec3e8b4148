import type { Scene } from "../scene.js";
import { type Fault, MARGIN, ONE_PROCESS, TTL_FOR_THREAD } from "./fault.js";

/** Long enough that the fault, and not the body, decides when it ends. */
const LONG = 4;

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
      const since = scene.note(`worker ${member.index} stands still`);
      await member.pause();
      await scene.sleep(share * scene.ttl);
      scene.note(`worker ${member.index} goes on`);
      member.goOn();
      // Where nobody else can open the store, nothing is lost.
      return share < 1 || !scene.kind.shared ? undefined : { since, names: [run.name], bound: scene.ttl + MARGIN };
    },
  };
}

const kill: Fault = {
  name: "holder kill -9",
  whyNot: ({ lasting }) => (lasting ? undefined : "n/a: nothing outlives the process"),
  async inject(scene) {
    const { member, run } = await scene.hold(LONG * scene.ttl);
    await member.pause();
    const since = scene.note(`worker ${member.index} is killed`);
    await member.kill();
    if (scene.kind.shared) return { since, names: [run.name], bound: 1_000 };
    await scene.enlist();
    // Counted with the start of the process that takes its place.
    return { since, names: [run.name] };
  },
};

const block: Fault = {
  name: "event loop blocked, no thread",
  whyNot: () => undefined,
  async inject(scene) {
    const ms = 1.8 * scene.ttl;
    const { member, run } = await scene.hold(ms, { block: true });
    scene.note(`worker ${member.index} computes for ${ms} ms`);
    return scene.kind.shared ? { since: run.t, names: [run.name], bound: ms + MARGIN } : undefined;
  },
};

const blockWithThread: Fault = {
  ...block,
  name: "event loop blocked, heartbeat thread",
  plain: true,
  ttl: TTL_FOR_THREAD,
  whyNot: ({ shared }) => (shared ? undefined : `${ONE_PROCESS}, and no thread can open its store`),
};

const terminate: Fault = {
  name: "client SIGTERM",
  whyNot: ({ lasting }) => (lasting ? undefined : "n/a: nothing outlives the process"),
  async inject(scene) {
    const { member, run } = await scene.hold(LONG * scene.ttl);
    const since = scene.note(`worker ${member.index} is told to end`);
    member.terminate();
    await endOf(scene, member.index);
    if (scene.kind.shared) return { since, names: [run.name], bound: 1_000 };
    await scene.enlist();
    return { since, names: [run.name] };
  },
};

async function endOf(scene: Scene, index: number): Promise<void> {
  await scene.until(() => scene.members[index]?.over === true, `worker ${index} has ended`);
}

/** What happens to the processes. */
export const processFaults: readonly Fault[] = [
  none,
  stop("holder stopped, shorter", 0.4),
  stop("holder stopped, longer", 1.8),
  kill,
  block,
  blockWithThread,
  terminate,
];
