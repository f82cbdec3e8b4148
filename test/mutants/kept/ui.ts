import type { Kept } from "../types.js";
import { of } from "./rows.js";

const UI = "packages/ui/src";
const CLI = "packages/cli/src/commands";

/** By hand, over who may use the UI, what its streams cost and show, and what its actions take. */
export const ui: Kept = {
  named: [
    ...of(
      `${UI}/security/sessions.ts`,
      [`${UI}/security/tokens.test.ts`],
      [
        "UI01 only the last session that was ended is known",
        "this.#ended.set(id, now + LIFE);",
        "this.#ended.clear();\n    this.#ended.set(id, now + LIFE);",
        "a second logout makes the first cookie good again",
      ],
    ),
    ...of(
      `${UI}/api/acts.ts`,
      [`${UI}/api/acts.test.ts`],
      [
        "UI02 the UI takes a lock from any holder",
        "const { unlocked, run } = await manager.unlock(name, { reason, author, fence: lock.fence });",
        "const { unlocked, run } = await manager.unlock(name, { reason, author });",
        "a run that began after the page was drawn loses its lock, and the next one begins beside it",
      ],
      [
        "UI03 the end of a hold takes the lock from any holder",
        "const { unlocked } = await manager.unlock(name, { reason, author, fence: lock.fence });",
        "const { unlocked } = await manager.unlock(name, { reason, author });",
        "a run that began after the page was drawn loses its lock, and the next one begins beside it",
      ],
    ),
    ...of(
      `${CLI}/act/unlock.ts`,
      [`${CLI}/operator.test.ts`],
      [
        "UI04 ojm unlock takes a lock from any holder",
        "author: author(), fence: lock.fence });",
        "author: author() });",
        "a run that began since loses its lock, and the next one begins beside it",
      ],
    ),
    ...of(
      `${UI}/live/stream.ts`,
      [`${UI}/live/stream.test.ts`],
      [
        "UI05 a stream whose client does not read has no limit",
        "if ((this.#controller.desiredSize ?? 0) <= 0) this.close();\n    else this.#controller",
        "this.#controller",
        "a browser that was suspended fills the memory of the server",
      ],
    ),
    ...of(
      `${UI}/live/stream.ts`,
      [`${UI}/live/events.test.ts`],
      [
        "UI06 the end of a log comes before its last lines",
        "      batch.flush();\n      if (!signal.aborted) this.#send",
        "      if (!signal.aborted) this.#send",
        "the page shows a log without its last lines, which have the reason of a failure",
      ],
      [
        "UI07 all logs of a stream are resumed behind the longest one",
        "line: Math.max(line, had[i] ?? 0)",
        "line: Math.max(line, ...had)",
        "after a moment without a network, lines of the shorter logs are missing",
      ],
    ),
    ...of(
      `${UI}/api/streams.ts`,
      [`${UI}/live/events.test.ts`],
      [
        "UI08 the streams of all together have no limit",
        "if (own >= OF_ONE || this.#open.size >= OF_ALL) {",
        "if (own >= OF_ONE) {",
        "many sessions use up the memory and the file handles of the server",
      ],
    ),
  ],
  equivalent: [],
  slow: [],
  last: [],
};
