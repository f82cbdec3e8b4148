import { expect, test } from "vitest";
import { World } from "../testing/world.js";

test("a warning says once what the record of a run cannot hold of its result", async () => {
  const { manager } = await new World().manager();
  const warnings: Error[] = [];
  const listener = (warning: Error): void => void warnings.push(warning);
  process.on("warning", listener);
  const result = (): unknown => ({ at: new Date(0), total: 5n, send: () => 1 });
  await manager.run("lossy", result);
  await manager.run("lossy", result);
  // Node emits warnings in the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", listener);
  expect(warnings.map(({ name, message }) => [name, message])).toEqual([
    [
      "OjmWarning",
      'the record of "lossy" cannot hold its result as it is: ' +
        "result.total is a bigint: kept as a text; result.send is a function: left out",
    ],
  ]);
});
