import type { VNode } from "preact";
import type { Status } from "../api/types.js";
import { type State, stateOf } from "../format/states.js";
import { Icon } from "./icon.js";

/** The props of an element in the colour of a state. */
export const toned = (tone: State["tone"]): { class: string; "data-tone": string; style: { color: string } } => ({
  class: "state",
  "data-tone": tone,
  style: { color: `var(--s-${tone})` },
});

/** A state: its shape, its colour and its word. */
export function StateMark({ state: { tone, icon, word }, bare = false }: { state: State; bare?: boolean }): VNode {
  return (
    <span {...toned(tone)} title={bare ? word : undefined}>
      <Icon name={icon} spin={icon === "running"} />
      <span class={bare ? "hidden-text" : undefined}>{word}</span>
    </span>
  );
}

/** The state of a run. */
export const RunState = ({ status, bare = false }: { status: Status; bare?: boolean }): VNode => (
  <StateMark state={stateOf(status)} bare={bare} />
);
