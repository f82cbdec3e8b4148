import { signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { queryOf, read } from "../api/call.js";
import type { Jobs } from "../api/types.js";
import { go, to } from "../app/router.js";
import { Icon } from "../parts/icon.js";
import { Modal } from "../parts/modal.js";
import { type Command, fixedCommands, jobCommands, matches } from "./commands.js";

/** Whether the palette is open. */
export const paletteOpen = signal(false);

/** How many jobs are offered. */
const MOST_JOBS = 6;

/** Finds pages, jobs, runs and actions by the typed text. */
export const Palette = (): VNode | null => (paletteOpen.value ? <Box /> : null);

function Box(): VNode {
  const typed = useSignal("");
  const chosen = useSignal(0);
  const jobs = useJobs(typed.value);
  const close = (): void => {
    paletteOpen.value = false;
  };
  const found = commandsFor(typed.value, jobs);
  const at = Math.min(chosen.value, found.length - 1);
  const take = (command: Command | undefined): void => {
    if (command === undefined) return;
    close();
    // The dialog returns the focus first; an action then opens its own dialog.
    setTimeout(() => command.run());
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") chosen.value = (at + 1) % found.length;
    else if (event.key === "ArrowUp") chosen.value = (at - 1 + found.length) % found.length;
    else if (event.key === "Enter") take(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal label="Find and do" class="palette" onClose={close}>
      <div class="ask">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="Find a job, a page or an action"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found.length === 0 ? undefined : `palette-${at}`}
          placeholder="Find a job, a page or an action"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={typed.value}
          onInput={({ currentTarget }) => {
            typed.value = currentTarget.value;
            chosen.value = 0;
          }}
          onKeyDown={key}
        />
      </div>
      <div class="found" id="palette-list" role="listbox" aria-label="What was found">
        {found.map((command, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the focus and takes the keys.
          <div
            id={`palette-${i}`}
            key={command.label}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            ref={i === at ? scrollTo : null}
            onClick={() => take(command)}
          >
            <Icon name={command.icon} />
            <span class="cut">{command.label}</span>
            {command.hint !== undefined && <span class="end">{command.hint}</span>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="nothing dim">Nothing has this name.</p>}
    </Modal>
  );
}

const scrollTo = (item: HTMLElement | null): void => item?.scrollIntoView({ block: "nearest" });

function commandsFor(typed: string, jobs: readonly string[]): readonly Command[] {
  const text = typed.trim();
  const fixed = fixedCommands().filter(({ label }) => matches(label, text));
  if (text === "") return fixed;
  const isRun = /@\d{4}-\d\d-\d\dT/.test(text);
  const run: readonly Command[] = isRun
    ? [{ label: text, icon: "runs", hint: "run", run: () => go(to.run(text)) }]
    : [];
  const ofJobs = jobs.map(jobCommands);
  const first = ofJobs.map(([job]) => job).filter((job) => job !== undefined);
  return [...run, ...first, ...fixed, ...ofJobs.flatMap((commands) => commands.slice(1))];
}

/** The jobs whose name contains the typed text. A late answer to an earlier text is ignored. */
function useJobs(typed: string): readonly string[] {
  const jobs = useSignal<readonly string[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    const q = typed.trim();
    if (q === "") jobs.value = [];
    else {
      read<Jobs>(`jobs${queryOf({ limit: MOST_JOBS, q })}`, abort.signal).then(
        (answer) => {
          if (!abort.signal.aborted) jobs.value = answer.jobs.map(({ name }) => name);
        },
        () => {},
      );
    }
    return () => abort.abort();
  }, [typed]);
  // The jobs of a shorter text stay until the answer comes: Enter must not take one that does not match.
  const q = typed.trim().toLowerCase();
  return jobs.value.filter((name) => name.toLowerCase().includes(q));
}
