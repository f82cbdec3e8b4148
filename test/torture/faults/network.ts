import type { TcpProxy } from "@ojm/conformance";
import type { Member } from "../member.js";
import type { Scene } from "../scene.js";
import type { Heal, StoreKind } from "../stores/store.js";
import { type Fault, MARGIN } from "./fault.js";

const whyNot = ({ networked }: StoreKind): string | undefined => (networked ? undefined : "n/a: no network");

function network(scene: Scene, member: Member): TcpProxy {
  const way = scene.store.network?.(member.index);
  if (way === undefined) throw new Error("this store has no network");
  return way;
}

/** Something goes wrong on the way of one worker for longer than the TTL. */
function onOneWay(name: string, who: "holder" | "waiter", harm: (way: TcpProxy) => Promise<Heal>): Fault {
  return {
    name,
    whyNot,
    async inject(scene) {
      const { member, run } = await scene.hold(4 * scene.ttl);
      const target = who === "holder" ? member : scene.pick(scene.living.filter((other) => other !== member));
      const since = scene.note(`${name}: worker ${target.index}`);
      const heal = await harm(network(scene, target));
      await scene.sleep(1.8 * scene.ttl);
      await heal();
      scene.note(`${name}: over`);
      return who === "holder" ? { since, names: [run.name], bound: scene.ttl + MARGIN } : undefined;
    },
  };
}

/** Connections break for both sides to see, and new ones hang. */
async function cut(way: TcpProxy): Promise<Heal> {
  const heal = await way.partition();
  way.cut();
  return heal;
}

/** What each round trip takes longer, in ms. */
const SLOW = 200;

const slow: Fault = {
  name: `network slow by ${SLOW} ms`,
  whyNot,
  async inject(scene) {
    scene.note("the network is slow");
    const heals: Heal[] = [];
    for (const member of scene.living) heals.push(await network(scene, member).delay(SLOW / 2));
    await scene.hold(scene.ttl);
    await scene.sleep(2 * scene.ttl);
    for (const heal of heals) await heal();
    scene.note("the network is fast");
    return undefined;
  },
};

/** What happens to the network. */
export const networkFaults: readonly Fault[] = [
  onOneWay("network cut to the holder", "holder", cut),
  onOneWay("network cut to a waiter", "waiter", cut),
  onOneWay("network half-open to the holder", "holder", (way) => way.partition()),
  onOneWay("replies to the holder lost", "holder", (way) => way.dropReplies()),
  slow,
];
