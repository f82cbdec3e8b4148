import type { KeyPress } from "../../../../output/terminal/keyboard.js";

/** A row that can be selected: a job, or several jobs with one problem. */
export interface Target {
  /** The id of the row. */
  readonly id: string;
  readonly name: string;
  /** The id of its running run. */
  readonly run?: string;
  /** The id of its retry series, if an attempt is pending. */
  readonly chain?: string;
  /** Whether its schedule is paused; `undefined` if it has none. */
  readonly paused?: boolean;
  /** If it is several jobs: their number, and what identifies the group. */
  readonly group?: { readonly jobs: number; readonly key: string };
}

/** The input line at the bottom of the screen. */
export interface Prompt {
  readonly act: "filter" | "cancel" | "pause";
  readonly target?: Target;
  readonly text: string;
}

/** The state of the view. */
export interface Ui {
  readonly view: "list" | "details" | "log" | "help";
  /** The selected row, and its job; `undefined` until the user selects one. */
  readonly selected: Pick<Target, "id" | "name"> | undefined;
  readonly filter: string;
  /** The group whose jobs have rows too. */
  readonly unfolded?: string | undefined;
  readonly prompt?: Prompt;
  /** The result of the last key, at the bottom of the screen. */
  readonly message: string;
  /** How many lines of a log are below the screen. */
  readonly scroll: number;
}

/** An action that a key triggers outside the view. */
export type Effect =
  | { readonly type: "end" }
  | { readonly type: "open"; readonly name: string }
  | { readonly type: "close" }
  | { readonly type: "resume"; readonly target: Target }
  | { readonly type: "cancel" | "pause"; readonly target: Target; readonly reason: string };

/** What is on the screen while a key is pressed. */
export interface Shown {
  readonly targets: readonly Target[];
  /** The job whose details are shown. */
  readonly open: Target | undefined;
  /** How many lines a page has. */
  readonly page: number;
  readonly isReadOnly: boolean;
}

interface Pressed {
  readonly ui: Ui;
  readonly effect?: Effect;
}

export const FIRST_LOOK: Ui = { view: "list", selected: undefined, filter: "", message: "", scroll: 0 };

/** The view after a key, and the action that it triggers. */
export function press(ui: Ui, key: KeyPress, shown: Shown): Pressed {
  if (key.ctrl && key.name === "c") return { ui, effect: { type: "end" } };
  if (ui.prompt !== undefined) return type(ui, ui.prompt, key);
  const plain = { ...ui, message: "" };
  if (ui.view === "help") return { ui: { ...plain, view: "list" } };
  if (key.text === "c" || key.text === "p") return act(plain, key.text, shown);
  return ui.view === "list" ? inList(plain, key, shown) : inDetails(plain, key, shown);
}

function inList(ui: Ui, key: KeyPress, { targets, page }: Shown): Pressed {
  const target = selectedOf(ui, targets);
  switch (key.text === "" || key.name === "return" ? key.name : key.text) {
    case "q":
      return { ui, effect: { type: "end" } };
    case "?":
    case "h":
      return { ui: { ...ui, view: "help" } };
    case "/":
      return { ui: { ...ui, prompt: { act: "filter", text: ui.filter } } };
    case "escape":
      return { ui: { ...ui, filter: "" } };
    case "return":
    case "enter":
    case "right":
    case "l": {
      if (target === undefined) return { ui: { ...ui, message: "nothing is selected" } };
      if (target.group !== undefined) {
        const { key: unfolded } = target.group;
        const selected = { id: target.id, name: target.name };
        return { ui: { ...ui, selected, unfolded: unfolded === ui.unfolded ? undefined : unfolded } };
      }
      const view = key.text === "l" ? "log" : "details";
      return { ui: { ...ui, view, scroll: 0 }, effect: { type: "open", name: target.name } };
    }
    default: {
      const at = target === undefined ? -1 : targets.indexOf(target);
      const to = Math.min(targets.length - 1, Math.max(0, at + (stepOf(key, page) ?? 0)));
      return { ui: { ...ui, selected: targets[to] ?? ui.selected } };
    }
  }
}

/** How far down a key moves; `undefined` for other keys. */
function stepOf({ name, text }: KeyPress, page: number): number | undefined {
  if (text === "j" || name === "down") return 1;
  if (text === "k" || name === "up") return -1;
  if (name === "pagedown" || text === " ") return page;
  if (name === "pageup") return -page;
  if (name === "home" || text === "g") return Number.NEGATIVE_INFINITY;
  return name === "end" || text === "G" ? Number.POSITIVE_INFINITY : undefined;
}

function inDetails(ui: Ui, key: KeyPress, { page }: Shown): Pressed {
  if (key.text === "q" || key.name === "escape" || key.name === "left" || key.name === "backspace")
    return { ui: { ...ui, view: "list", scroll: 0 }, effect: { type: "close" } };
  if (key.text === "l") return { ui: { ...ui, view: ui.view === "log" ? "details" : "log", scroll: 0 } };
  const step = stepOf(key, page);
  // Down is towards the end of the log. The frame knows how long the log is.
  return { ui: { ...ui, scroll: step === undefined ? ui.scroll : Math.max(0, ui.scroll - step) } };
}

function act(ui: Ui, key: "c" | "p", { targets, open, isReadOnly }: Shown): Pressed {
  const say = (message: string): Pressed => ({ ui: { ...ui, message } });
  const target = ui.view === "list" ? selectedOf(ui, targets) : open;
  if (isReadOnly) return say("--read-only: nothing can be changed");
  if (target === undefined) return say("nothing is selected");
  if (target.group !== undefined) return say(`these are ${target.group.jobs} jobs. Enter: select one of them`);
  if (key === "c") {
    if (target.run === undefined && target.chain === undefined) return say(`${target.name} does not run`);
    return { ui: { ...ui, prompt: { act: "cancel", target, text: "" } } };
  }
  if (target.paused === undefined) return say(`${target.name} has no schedule`);
  if (target.paused) return { ui, effect: { type: "resume", target } };
  return { ui: { ...ui, prompt: { act: "pause", target, text: "" } } };
}

/** Handles a key in the input line. */
function type(ui: Ui, prompt: Prompt, key: KeyPress): Pressed {
  const { prompt: _, ...done } = ui;
  const typed = (text: string): Pressed => ({
    ui: { ...ui, prompt: { ...prompt, text }, ...(prompt.act === "filter" && { filter: text }) },
  });
  if (key.name === "escape") return { ui: prompt.act === "filter" ? { ...done, filter: "" } : done };
  if (key.name === "return" || key.name === "enter") {
    const { act, target } = prompt;
    const reason = prompt.text.trim();
    if (act === "filter" || target === undefined) return { ui: done };
    if (reason === "") return { ui: { ...done, message: `a reason is needed: nothing was done` } };
    return { ui: done, effect: { type: act, target, reason } };
  }
  if (key.name === "backspace") return typed([...prompt.text].slice(0, -1).join(""));
  if (key.ctrl && key.name === "u") return typed("");
  return key.text === "" ? { ui } : typed(prompt.text + key.text);
}

/**
 * The selected row, or another row of its job. `undefined` if both are gone: a key pressed at that moment
 * must not act on another job.
 */
export function selectedOf({ selected }: Ui, targets: readonly Target[]): Target | undefined {
  if (selected === undefined) return targets[0];
  return targets.find(({ id }) => id === selected.id) ?? targets.find(({ name }) => name === selected.name);
}
