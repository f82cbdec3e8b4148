import { expect, it } from "vitest";
import { DelayLine } from "./delay-line.js";

it("a delay line delivers in order, and nothing before its delay is over", async () => {
  const line = new DelayLine(0.5);
  const early: number[] = [];
  const order: number[] = [];
  const pass = (n: number): Promise<void> =>
    new Promise((resolve) => {
      const due = performance.now() + 0.5;
      line.pass(() => {
        if (performance.now() < due) early.push(n);
        order.push(n);
        resolve();
      });
    });
  const burst = Array.from({ length: 50 }, (_, n) => pass(n));
  // Something that arrives in the same turn, and something that a delivery passes on.
  await Promise.all([...burst, pass(50).then(() => pass(51))]);
  await pass(52);
  expect(order).toEqual(Array.from({ length: 53 }, (_, n) => n));
  expect(early).toEqual([]);
});
