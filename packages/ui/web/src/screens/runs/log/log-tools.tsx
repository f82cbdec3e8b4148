import type { Signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { addressOf } from "../../../app/base.js";
import { number } from "../../../format/duration.js";
import { singleKeys } from "../../../palette/keys.js";
import { Icon } from "../../../parts/icon.js";
import type { Search } from "./search.js";

interface ToolsProps {
  readonly id: string;
  readonly search: Search;
  readonly found: Signal<string>;
  readonly current: Signal<number>;
  readonly follow: Signal<boolean>;
  /** Whether more lines may come. */
  readonly live: boolean;
  readonly wrap: Signal<"on" | "off">;
  readonly jump: (step: 1 | -1) => void;
}

/** Searches, follows, wraps and downloads a log. */
export function LogTools({ id, search, found, current, follow, live, wrap, jump }: ToolsProps): VNode {
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      const { target, ctrlKey, metaKey, altKey } = event;
      const isText = target instanceof HTMLElement && target.closest("input, textarea, select, dialog") !== null;
      if (event.key !== "f" || isText || ctrlKey || metaKey || altKey || singleKeys.value === "off" || !live) return;
      follow.value = !follow.value;
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [live]);
  const total = search.matches.length;
  const at = search.matches.indexOf(current.value) + 1;
  return (
    <div class="log-tools">
      <input
        type="search"
        class="input find-field"
        data-find
        aria-label="Search the log"
        placeholder="Search the log"
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => {
          found.value = currentTarget.value.toLowerCase();
          current.value = -1;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") jump(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <span class="dim nowrap" role="status">
        {found.value !== "" && (total === 0 ? "none" : `${at === 0 ? "" : `${number(at)} of `}${number(total)}`)}
      </span>
      <span class="end">
        <Toggle icon="wrap" label="Wrap" on={wrap.value === "on"} set={(on) => (wrap.value = on ? "on" : "off")} />
        <Toggle
          icon="follow"
          label="Follow"
          on={live && follow.value}
          set={(on) => (follow.value = on)}
          no={live ? undefined : "This run has ended."}
        />
        <a
          class="button"
          href={addressOf(`api/v1/runs/${encodeURIComponent(id)}/log.txt`)}
          download
          aria-label="Download"
        >
          <Icon name="download" />
          <span class="word">Download</span>
        </a>
      </span>
    </div>
  );
}

interface ToggleProps {
  readonly icon: "wrap" | "follow";
  readonly label: string;
  readonly on: boolean;
  readonly set: (on: boolean) => void;
  /** Why it is not possible now. */
  readonly no?: string | undefined;
}

const Toggle = ({ icon, label, on, set, no }: ToggleProps): VNode => (
  <button
    type="button"
    class="button"
    aria-pressed={on}
    aria-label={label}
    aria-disabled={no !== undefined}
    title={no}
    onClick={() => {
      if (no === undefined) set(!on);
    }}
  >
    <Icon name={icon} />
    <span class="word">{label}</span>
  </button>
);
