import { describe, expect, test } from "vitest";
import type { RunControl } from "../index.js";
import { runText } from "../testing/run-file.js";

/**
 * Runs a file. Resolves to the exit code that its scripts requested, its success, its lines and its errors.
 */
async function exitOf(yaml: string): Promise<readonly [number | undefined, boolean, readonly string[], string]> {
  let control: RunControl | undefined;
  const { well, lines, err } = await runText(yaml, {
    onStart: (started) => {
      control = started;
    },
  });
  return [control?.exitCode, well, lines, err];
}

describe("exit(code), as in OpenAF", () => {
  test("exit(0) ends the run well: its script ends, and nothing more starts", async () => {
    const yaml = `jobs:
  - { name: A, exec: "log('A'); exit(0); log('never')", to: B, catch: "log('never')" }
  - { name: B, exec: "log('never')" }
todo: [A, B]
`;
    const [code, well, lines, err] = await exitOf(yaml);
    expect([code, well, lines]).toEqual([0, true, ["A"]]);
    expect(err).toContain('-- B: skipped, the script of "A" called exit(0)');
    expect(err).not.toContain("ERROR");
  });

  test("exit(3) fails its job, whose catch runs, and ends the run with that code", async () => {
    const yaml = `jobs:
  - { name: A, exec: "exit(3)", catch: "log('caught ' + exception.message)" }
  - { name: B, exec: "log('never')" }
todo: [A, B]
`;
    const [code, well, lines] = await exitOf(yaml);
    expect([code, well, lines]).toEqual([3, false, ["caught the script called exit(3)"]]);
  });

  test("exit asks the jobs that run to stop, in the file that runs this one too, and shutdown jobs run", async () => {
    const yaml = `ojob: { async: true }
jobs:
  - { name: Long, exec: "$set('runs', 1); try { sleep(60000) } catch (e) { log(e.code) }" }
  - { name: Ends, exec: "while (isUnDef($get('runs'))) sleep(5); $job('Inner')" }
  - { name: Inner, exec: "try { exit(0) } catch (e) { log(e.name); throw e }" }
  - { name: Last, type: shutdown, exec: "log('last')" }
todo: [Long, Ends, Last]
`;
    const [code, well, lines] = await exitOf(yaml);
    expect([code, well]).toEqual([0, true]);
    expect([...lines].sort()).toEqual(["CANCELLED", "ExitError", "last"]);
  });

  test("the first exit counts, and a code that a process cannot have is an error", async () => {
    const yaml = `jobs:
  - { name: A, exec: "try { exit('x') } catch (e) { log(e.message) } exit(2)", catch: exit(4) }
todo: [A]
`;
    expect((await exitOf(yaml)).slice(0, 3)).toEqual([2, false, ["exit takes a whole number from 0 to 255, not x"]]);
  });

  test("exit(-1) is 255, as the system has it", async () => {
    const yaml = "jobs: [{ name: A, exec: exit(-1) }]\ntodo: [A]\n";
    expect((await exitOf(yaml)).slice(0, 2)).toEqual([255, false]);
  });
});
