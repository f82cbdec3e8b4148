import { expect, test } from "vitest";
import { GuardedProcess } from "./guarded-process.js";

test("a command that is over listens to the output of ojm no more: twelve attempts would warn of a leak", async () => {
  const listeners = (): number[] =>
    [process.stdout, process.stderr].flatMap((stream) =>
      ["drain", "error"].map((event) => stream.listenerCount(event)),
    );
  const run = async (): Promise<void> => {
    const command = new GuardedProcess(["true"], process.env, () => {});
    command.begin();
    expect(await command.ended).toMatchObject({ code: 0 });
  };
  await run();
  const before = listeners();
  await run();
  await expect.poll(listeners).toEqual(before);
});
