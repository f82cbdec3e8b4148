import { signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { actOf, ask, type Target } from "../acts/acts.js";
import { queryOf, read } from "../api/call.js";
import type { ActName, Audit, Jobs, Locks } from "../api/types.js";
import { may, me } from "../app/me.js";
import { go, PAGES, to } from "../app/router.js";
import { signOut } from "../app/sign-in.js";
import { nextTheme } from "../app/theme.js";
import { zoneChoice } from "../format/zone.js";
import { Icon, type IconName } from "../parts/icon.js";
import { views } from "../parts/lists/views.js";
import { Modal } from "../parts/modal.js";

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
  const others = useOthers(typed.value);
  const close = (): void => {
    paletteOpen.value = false;
  };
  const found = commandsFor(typed.value, jobs, others);
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
    <Modal label="Command palette" class="palette" onClose={close}>
      <div class="ask row">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="Find a job, a page or an action"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found.length === 0 ? undefined : `palette-${at}`}
          placeholder="Find a job, a run, a host, a user, a page or an action"
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
      <div class="found" id="palette-list" role="listbox" aria-label="Results">
        {found.map((command, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the focus and takes the keys.
          <div
            id={`palette-${i}`}
            key={`${command.hint} ${command.label}`}
            role="option"
            class="row"
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
      {found.length === 0 && <p class="nothing dim">No matches.</p>}
    </Modal>
  );
}

const scrollTo = (item: HTMLElement | null): void => item?.scrollIntoView({ block: "nearest" });

function commandsFor(typed: string, jobs: readonly string[], { hosts, authors }: Others): readonly Command[] {
  const text = typed.trim();
  const fixed = fixedCommands().filter(({ label }) => matches(label, text));
  if (text === "") return fixed;
  const run: Command = { label: text, icon: "runs", hint: "run", run: () => go(to.run(text)) };
  const pages = jobs.map((name): Command => ({ label: name, icon: "jobs", hint: "job", run: () => go(to.job(name)) }));
  const whys = jobs.map(
    (name): Command => ({
      label: `Why is ${name} not running?`,
      icon: "info",
      hint: "why",
      run: () => go(to.why(name)),
    }),
  );
  const places = [
    ...hosts.map((host) => link(host, "locks", "host", to.runs(queryOf({ host })))),
    ...authors.map((author) => link(author, "audit", "user", `${to.audit()}${queryOf({ q: author })}`)),
  ];
  const runs = /@\d{4}-\d\d-\d\dT/.test(text) ? [run] : [];
  return [...runs, ...manyOf(text), ...pages, ...places, ...fixed, ...whys];
}

const link = (label: string, icon: IconName, hint: string, path: string): Command => ({
  ...{ label, icon, hint },
  run: () => go(path),
});

/** The actions that can be typed before a pattern. */
const TYPED: Readonly<Record<string, ActName>> = {
  ...{ run: "run-now", pause: "pause", resume: "resume", hold: "hold", cancel: "cancel" },
  maintenance: "maintenance",
};

/** The action on all jobs of a pattern, such as `pause billing/*`. */
function manyOf(text: string): readonly Command[] {
  const [, word = "", pattern = ""] = /^(\w+) (\S*\*\S*)$/.exec(text) ?? [];
  const act = Object.hasOwn(TYPED, word) ? TYPED[word] : undefined;
  if (act === undefined || !may(act)) return [];
  const target = act === "maintenance" ? { name: pattern } : { name: pattern, names: [pattern] };
  return [{ label: text, icon: actOf(act, target).icon, hint: "action", run: () => ask(act, target) }];
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

interface Others {
  readonly hosts: readonly string[];
  readonly authors: readonly string[];
}

/** How many hosts and authors are offered, each. */
const MOST_OTHERS = 3;

/** Of how many actions the authors are offered. */
const ACTIONS = 50;

/** The hosts of processes, and the users who did something, whose name contains the typed text. */
function useOthers(typed: string): Others {
  const hosts = useSignal<readonly string[]>([]);
  const authors = useSignal<readonly string[]>([]);
  const text = typed.trim().toLowerCase();
  // One letter fits most of them, and would read the store for nothing.
  const isEnough = text.length > 1;
  useEffect(() => {
    if (!isEnough) return;
    read<Locks>("locks").then(
      ({ instances }) => (hosts.value = [...new Set(instances.map(({ host }) => host))]),
      () => {},
    );
  }, [isEnough]);
  useEffect(() => {
    const abort = new AbortController();
    if (isEnough) {
      read<Audit>(`audit${queryOf({ limit: ACTIONS, q: text })}`, abort.signal).then(
        ({ entries }) => {
          // Without the address that follows the name.
          const names = entries.flatMap(({ author }) => author?.replace(/ \(.*\)$/, "") ?? []);
          authors.value = [...new Set(names)];
        },
        () => {},
      );
    }
    return () => abort.abort();
  }, [text]);
  const fitting = (all: readonly string[]): readonly string[] =>
    isEnough ? all.filter((one) => one.toLowerCase().includes(text)).slice(0, MOST_OTHERS) : [];
  return { hosts: fitting(hosts.value), authors: fitting(authors.value) };
}

interface Command {
  readonly label: string;
  readonly icon: IconName;
  readonly hint?: string;
  run(): void;
}

interface Subject {
  readonly acts: readonly ActName[];
  readonly target: Target;
}

const NOTHING: Subject = { acts: [], target: { name: "" } };

/** The subject of the current page: its actions come first. */
const subject = signal(NOTHING);

/** Sets the subject of the page, again if one of `deps` changes. */
export function useSubject(of: Subject | undefined, deps: readonly unknown[]): void {
  useEffect(() => {
    subject.value = of ?? NOTHING;
    return () => {
      subject.value = NOTHING;
    };
  }, deps);
}

/** The commands that do not depend on what is typed. */
function fixedCommands(): readonly Command[] {
  const { acts, target } = subject.value;
  const own = acts.map((name): Command => {
    const { label, icon } = actOf(name, target);
    return { label: `${label}: ${target.name}`, icon, hint: "action", run: () => ask(name, target) };
  });
  const pages = PAGES.map(
    ({ path, label, icon, key }): Command => ({ label, icon, hint: `g ${key}`, run: () => go(path) }),
  );
  const zones = (["local", "utc", "job"] as const).map(
    (zone): Command => ({
      label: `Times in ${zone === "local" ? "my time zone" : zone === "utc" ? "UTC" : "the time zone of each job"}`,
      icon: "globe",
      run: () => (zoneChoice.value = zone),
    }),
  );
  const saved = views.value.map(({ name, path }) => link(name, "link", "view", path));
  const out: Command = { label: "Sign out", icon: "locks", run: () => void signOut() };
  return [
    ...own,
    ...pages,
    ...saved,
    ...zones,
    { label: "Switch theme", icon: "auto", run: nextTheme },
    ...(me.value?.signIn === "password" ? [out] : []),
  ];
}

/** Whether a label contains all typed characters, in this order. `bkp` finds `backup`. */
function matches(label: string, typed: string): boolean {
  let at = 0;
  const text = label.toLowerCase();
  for (const letter of typed.toLowerCase().replaceAll(" ", "")) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
