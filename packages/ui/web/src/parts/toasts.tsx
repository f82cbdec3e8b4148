import { signal } from "@preact/signals";
import type { VNode } from "preact";
import type { ActAnswer } from "../api/types.js";
import { running } from "../live/live.js";
import { jobOfRun } from "./facts.js";
import { Icon } from "./icon.js";
import { Prose, sentence } from "./prose.js";
import { toned } from "./state.js";

interface Toast extends ActAnswer {
  readonly id: number;
}

const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** Shows what was done, for eight seconds. */
export function toast(answer: ActAnswer): void {
  const id = ++last;
  toasts.value = [...toasts.value, { ...answer, id }].slice(-4);
  setTimeout(() => remove(id), 8_000);
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

/** Shows the toasts. The region exists from the start: a screen reader misses one that is added later. */
export function Toasts(): VNode {
  return (
    <div class="toasts" role="status">
      {toasts.value.map((each) => (
        <Row key={each.id} {...each} />
      ))}
    </div>
  );
}

/** Green only once it is done: a run that was asked to stop may never obey. */
function Row({ id, done, run, pending = false }: Toast): VNode {
  const waits = pending && running.value?.has(run ?? "") !== false;
  const tone = waits ? "warn" : "completed";
  return (
    <div class="toast">
      <span {...toned(tone)}>
        <Icon name={tone} />
      </span>
      <span>
        <Prose text={pending && !waits ? `"${jobOfRun(run ?? "")}" has ended.` : `${sentence(done)}.`} run={run} />
      </span>
      <button type="button" class="tool" aria-label="Close" onClick={() => remove(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
