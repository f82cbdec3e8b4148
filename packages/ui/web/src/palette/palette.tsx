import { signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { actOf, ask, offersOf, possible, type Target } from "../acts/acts.js";
import { queryOf, read } from "../api/call.js";
import type { ActName, Audit, Job, Jobs, Locks, Runs } from "../api/types.js";
import { may, me } from "../app/me.js";
import { go, PAGES, to } from "../app/router.js";
import { signOut } from "../app/sign-in.js";
import { nextTheme } from "../app/theme.js";
import { zoneChoice } from "../format/zone.js";
import { now } from "../live/live.js";
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
  const text = typed.value.trim();
  const jobs = useJobs(typedIn(text).q);
  const runs = useRuns(text);
  const others = useOthers(text.toLowerCase());
  const close = (): void => {
    paletteOpen.value = false;
  };
  const found = commandsFor(text, jobs, runs, others);
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
      {found.length === 0 && (
        <p class="nothing dim">
          No matches. Type a part of a name, or an action with it: “run invoice”, “pause billing/*”.
        </p>
      )}
    </Modal>
  );
}

const scrollTo = (item: HTMLElement | null): void => item?.scrollIntoView({ block: "nearest" });

function commandsFor(text: string, jobs: readonly Job[], runs: readonly string[], others: Others): readonly Command[] {
  const fixed = fixedCommands().filter(({ label }) => matches(label, text));
  if (text === "") return fixed;
  const { act, isWhy, q } = typedIn(text);
  const whys = jobs.map(({ name }) => link(`Why is ${name} not running?`, "info", "why", to.why(name)));
  return [
    ...runs.map((id) => link(id, "runs", "run", to.run(id))),
    ...(act === undefined ? [] : actsOn(act, q, jobs)),
    ...(isWhy ? whys : []),
    ...jobs.flatMap(({ name, queue }) => [
      link(name, "jobs", "job", to.job(name)),
      ...(queue ? [link(name, "queues", "queue", to.queue(name))] : []),
    ]),
    ...others.hosts.map((host) => link(host, "locks", "host", to.runs(queryOf({ host })))),
    ...others.authors.map((author) => link(author, "audit", "user", `${to.audit()}${queryOf({ q: author })}`)),
    ...fixed,
    ...(isWhy ? [] : whys),
  ];
}

const link = (label: string, icon: IconName, hint: string, path: string): Command => ({
  ...{ label, icon, hint },
  run: () => go(path),
});

const action = (act: ActName, target: Target, on = target.name): Command => {
  const { label, icon } = actOf(act, target);
  return { label: `${label}: ${on}`, icon, hint: "action", run: () => ask(act, target) };
};

/** The words that stand for an action before or after a part of a name. */
const TYPED: Readonly<Record<string, ActName | "why">> = {
  ...{ run: "run-now", pause: "pause", resume: "resume", hold: "hold", cancel: "cancel", unlock: "unlock" },
  ...{ backfill: "backfill", maintenance: "maintenance", why: "why" },
};

/** Those of them that can be taken on several jobs at once. */
const ON_MANY: ReadonlySet<ActName> = new Set(["run-now", "pause", "resume", "hold", "cancel"]);

/** What was typed: `invoice run`, `pause billing/*`, `why report`, or only a part of a name. */
function typedIn(text: string): { readonly act?: ActName; readonly isWhy: boolean; readonly q: string } {
  const words = text.split(/\s+/);
  const at = [0, words.length - 1].find((i) => Object.hasOwn(TYPED, words[i]?.toLowerCase() ?? ""));
  const act = at === undefined || words.length < 2 ? undefined : TYPED[words[at]?.toLowerCase() ?? ""];
  if (act === undefined || at === undefined) return { isWhy: false, q: text };
  const q = words.toSpliced(at, 1).join(" ");
  return act === "why" ? { isWhy: true, q } : { act, isWhy: false, q };
}

/** An action on each of the jobs on which it is possible now, and on all that match. */
function actsOn(act: ActName, q: string, jobs: readonly Job[]): readonly Command[] {
  if (!may(act)) return [];
  if (act === "maintenance") return [action(act, { name: q })];
  const fitting = jobs.filter((job) => possible(offersOf(job)).includes(act));
  const each = fitting.map(({ name, running: run, lock }) => action(act, { name, run, hold: lock?.hold }));
  const pattern = q.includes("*") ? q : `*${q}*`;
  const isForMany = ON_MANY.has(act) && (pattern === q || fitting.length > 1);
  return [...each, ...(isForMany ? [action(act, { name: pattern, names: [pattern] })] : [])];
}

/** The jobs whose name contains the typed text. A late answer to an earlier text is ignored. */
function useJobs(q: string): readonly Job[] {
  const jobs = useSignal<readonly Job[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    if (q === "" || q.includes("*")) jobs.value = [];
    else {
      read<Jobs>(`jobs${queryOf({ limit: MOST_JOBS, q })}`, abort.signal).then(
        (answer) => {
          if (!abort.signal.aborted) jobs.value = answer.jobs;
        },
        () => {},
      );
    }
    return () => abort.abort();
  }, [q]);
  // The jobs of a shorter text stay until the answer comes: Enter must not take one that does not match.
  return jobs.value.filter(({ name }) => name.toLowerCase().includes(q.toLowerCase()));
}

/** An id of a run, or the beginning of one with its day. */
const RUN = /^(.+)@(\d{4}-\d\d-\d\d\S*)$/;
const MIDNIGHT = "T00:00:00.000Z";

/** The ids of runs that begin with the typed text. */
function useRuns(text: string): readonly string[] {
  const ids = useSignal<readonly string[]>([]);
  const [, name, date = ""] = RUN.exec(text) ?? [];
  useEffect(() => {
    const abort = new AbortController();
    const from = Date.parse(`${date}${MIDNIGHT.slice(Math.max(0, date.length - 10))}`);
    if (name !== undefined && !Number.isNaN(from)) {
      const span = date.length < "2026-11-25T02".length ? 86_400_000 : 3_600_000;
      read<Runs>(`runs${queryOf({ name, from, to: from + span, limit: 200 })}`, abort.signal).then(
        ({ runs }) => {
          if (!abort.signal.aborted) ids.value = runs.map(({ id }) => id);
        },
        () => {},
      );
    }
    return () => abort.abort();
  }, [name, date]);
  const found = ids.value.filter((id) => id.startsWith(text)).slice(0, MOST_JOBS);
  // A whole id needs no answer.
  return date.length === 10 + MIDNIGHT.length && !found.includes(text) ? [text, ...found] : found;
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
function useOthers(text: string): Others {
  const hosts = useSignal<readonly string[]>([]);
  const authors = useSignal<readonly string[]>([]);
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
  const own = acts.map((name) => action(name, target));
  const maintenance: readonly (readonly [ActName, string])[] = [
    ...(now.value?.maintenance ?? []).map(({ names }) => ["end-maintenance", names] as const),
    ["maintenance", "*"],
  ];
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
    ...maintenance
      .filter(([act]) => may(act))
      .map(([act, name]) => action(act, { name }, name === "*" ? "everything" : name)),
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
