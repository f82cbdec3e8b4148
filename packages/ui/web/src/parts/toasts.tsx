import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { Icon } from "./icon.js";
import { Prose } from "./prose.js";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly run?: string | undefined;
}

const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** Tells what was done. It can be read for eight seconds. */
export function toast(text: string, run?: string): void {
  const id = ++last;
  toasts.value = [...toasts.value, { id, text, run }].slice(-4);
  setTimeout(() => remove(id), 8_000);
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

/** Where they are shown. The region is there from the start: a screen reader misses one that comes later. */
export function Toasts(): VNode {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, text, run }) => (
        <div class="toast" key={id}>
          <span class="state" data-tone="completed">
            <Icon name="completed" />
          </span>
          <span>
            <Prose text={text} run={run} />
          </span>
          <button type="button" class="tool" aria-label="Close" onClick={() => remove(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
