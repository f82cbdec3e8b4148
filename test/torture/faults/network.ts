import type { TcpProxy } from "@ojm/conformance";
import type { Member } from "../scene/member.js";
import type { Scene } from "../scene/scene.js";
import type { StoreKind } from "../stores/store.js";
import { able, type Fault, MARGIN } from "./fault.js";
import type { Heal } from "./heal.js";

const whyNot = ({ networked }: StoreKind): string | undefined => (networked ? undefined : "n/a: no network");

function network(scene: Scene, member: Member): TcpProxy {
  return able(scene, "network")(member.index);
}

/** Harms the connection of one worker for longer than the time to live. */
function onOneWay(
  name: string,
  who: "holder" | "waiter",
  harm: (way: TcpProxy) => Promise<Heal>,
  bound: (ttl: number) => number = (ttl) => ttl + MARGIN,
): Fault {
  return {
    name,
    whyNot,
    async inject(scene) {
      const { member, run } = await scene.hold(4 * scene.ttl);
      const target = who === "holder" ? member : await scene.claim(member);
      const since = scene.note(`${name}: worker ${target.index}`);
      const over = scene.trouble(target);
      const heal = await harm(network(scene, target));
      await scene.sleep(1.8 * scene.ttl);
      await heal();
      over();
      scene.note(`${name}: over`);
      if (who === "waiter") return undefined;
      return { since, names: [run.name], bound: bound(scene.ttl), struck: member };
    },
  };
}

/** Breaks the connections visibly for both sides. New connections hang. */
async function cut(way: TcpProxy): Promise<Heal> {
  const heal = await way.partition();
  way.cut();
  return heal;
}

/**
 * The bound for lost replies. The next renewal is sent within a third of the time to live, reaches the store
 * and prolongs the session. Later renewals are refused.
 */
const afterLostReplies = (ttl: number): number => (4 / 3) * ttl + MARGIN;

/** How much longer each round trip takes, in ms. */
const SLOW = 200;

const slow: Fault = {
  name: `network slow by ${SLOW} ms`,
  whyNot,
  async inject(scene) {
    scene.note("the network is slow");
    const over = scene.trouble();
    const heals: Heal[] = [];
    for (const member of scene.living) heals.push(await network(scene, member).delay(SLOW / 2));
    await scene.hold(scene.ttl);
    await scene.sleep(2 * scene.ttl);
    for (const heal of heals) await heal();
    over();
    scene.note("the network is fast");
    return undefined;
  },
};

/** Faults of the network. */
export const networkFaults: readonly Fault[] = [
  onOneWay("network cut to the holder", "holder", cut),
  onOneWay("network cut to a waiter", "waiter", cut),
  onOneWay("network half-open to the holder", "holder", (way) => way.partition()),
  onOneWay("replies to the holder lost", "holder", (way) => way.dropReplies(), afterLostReplies),
  slow,
];
