import { describe, expect, test } from "vitest";
import { World } from "../../testing/world.js";
import { queueKey, type Ticket } from "./schema.js";
import { leaveQueue, queueOps } from "./view.js";

test("a ticket leaves a queue even when another ticket enters the queue at that moment", async () => {
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

describe("notices of a change of a queue", () => {
  /** `a1` is a ticket of the session `a`. */
  const queueOf = (tokens: string): Ticket[] =>
    tokens.split(" ").flatMap((token) => (token === "" ? [] : [{ session: token.charAt(0), token }]));

  /** The tickets that get a notice from a change: as the first, or (in parentheses) as near. */
  function told(before: string, after: string): string {
    const values = queueOps("a", queueOf(before), queueOf(after)).flatMap((op) => ("put" in op ? [op.value] : []));
    const calls = values.flatMap((value) => ("token" in value && "session" in value ? [value] : []));
    return calls.map(({ token, ...call }) => ("near" in call ? `(${token})` : token)).join(" ");
  }

  test.each([
    ["", "a1", ""],
    ["a1", "a1 b1", ""],
    ["a1 b1", "b1", "b1"],
    ["a1 a2 b1", "a2 b1", "a2"],
    ["a1 b1 c1 d1", "b1 c1 d1", "b1"],
    ["a1 b1 c1 d1 e1 f1", "b1 c1 d1 e1 f1", "b1 (e1)"],
    ["a1 a2 b1 c1 d1 e1", "a2 b1 c1 d1 e1", "a2"],
    // One leaves from the middle, and two at once.
    ["a1 b1 c1 d1 e1 f1", "a1 b1 d1 e1 f1", "(e1)"],
    ["a1 b1 c1 d1 e1 e2 f1 g1", "a1 d1 e1 e2 f1 g1", "(e1) (f1)"],
    // The next ticket of the first session is near once the first is gone.
    ["a1 b1 c1 d1 e1 a2", "b1 c1 d1 e1 a2", "b1 (e1)"],
    ["a1 b1 c1 d1 a2", "b1 c1 d1 a2", "b1 (a2)"],
    // A ticket that has just entered knows its place.
    ["a1 b1 c1 d1 e1", "b1 c1 d1 f1", "b1"],
    ["a1", "", ""],
  ])("the queue %j becomes %j: %j are notified", (before, after, expected) => {
    expect(told(before, after)).toBe(expected);
  });
});
