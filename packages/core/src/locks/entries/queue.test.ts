import { expect, test } from "vitest";
import { World } from "../../testing/world.js";
import { leaveQueue } from "./queue.js";
import { queueKey } from "./schema.js";

test("a ticket leaves a queue also when another ticket enters the queue at that moment", async () => {
  const world = new World();
  const [one, two] = [await world.locks(), await world.locks()];
  const [mine, other] = [
    { session: "1-session", token: "mine" },
    { session: "2-session", token: "other" },
  ];
  await one.channel.set(queueKey("a"), { waiting: [mine] });
  const read = one.way.read.bind(one.way);
  one.way.read = async (...args) => {
    const answer = await read(...args);
    one.way.read = read;
    await two.channel.set(queueKey("a"), { waiting: [mine, other] });
    return answer;
  };
  await leaveQueue(one.channel, "a", mine);
  expect(await one.channel.get(queueKey("a"))).toEqual({ waiting: [other] });
});
