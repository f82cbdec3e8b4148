import { type Signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ActName, ActRequest, MaintenanceRequest, ManyResult } from "../api/types.js";
import { serverNow } from "../format/clock.js";
import { fromField, TIME_FIELD, toField } from "../format/wall.js";
import { zoneFor } from "../format/zone.js";
import { newsOfQueue, publishNews } from "../live/news.js";
import { jobOfRun, Meter } from "../parts/facts.js";
import { Icon } from "../parts/icon.js";
import { Modal } from "../parts/modal.js";
import { Prose, sentence } from "../parts/prose.js";
import { toast } from "../parts/toasts.js";
import { actOf, asked, perform, performMany, type Target } from "./acts.js";

/** The dialog of an action: what it does, to whom, and why. */
export function ActDialog(): VNode | null {
  const open = asked.value;
  return open === undefined ? null : <Form key={`${open.act} ${open.target.name}`} {...open} />;
}

function Form({ act: name, target }: NonNullable<typeof asked.value>): VNode {
  const act = actOf(name, target);
  const zone = zoneFor(target.name);
  const form = useRef<HTMLFormElement>(null);
  const busy = useSignal(false);
  const error = useSignal<string | undefined>(undefined);
  const preview = useSignal<string | undefined>(undefined);
  const many = useMany(name, target);
  /** Shows what it would do, to how many: the user has not written the reason yet. */
  const look = async (): Promise<void> => {
    try {
      if (many !== undefined) await many.look();
      if (act.field !== "maintenance" || form.current === null || busy.value) return;
      const request = requestOf(new FormData(form.current), zone, target);
      const { done } = await perform(name, target, { ...request, ...DRY });
      if (!busy.value) preview.value = sentence(done);
    } catch (thrown) {
      error.value = textOf(thrown);
    }
  };
  useEffect(() => void look(), []);
  const close = (): void => {
    many?.stop();
    asked.value = undefined;
  };
  const send = async (dryRun: boolean): Promise<void> => {
    if (form.current === null || busy.value || !form.current.reportValidity()) return;
    busy.value = true;
    error.value = undefined;
    try {
      const request = requestOf(new FormData(form.current), zone, target);
      if (many !== undefined) {
        preview.value = await many.act(request);
        if (asked.peek()?.target !== target) toast({ done: preview.value });
        return;
      }
      const answer = await perform(name, target, dryRun ? { ...request, dryRun } : request);
      if (dryRun) preview.value = sentence(answer.done);
      else {
        toast(answer);
        publishNews([target.queue === undefined ? target.name : newsOfQueue(target.name)]);
        close();
      }
    } catch (thrown) {
      error.value = textOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  const todo = many?.todo() ?? 1;
  const end = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The button that had the focus is gone.
    if (todo === 0) end.current?.focus();
  }, [todo]);
  return (
    <Modal label={act.title(target.name)} onClose={close}>
      <form
        ref={form}
        class="dialog"
        onChange={() => {
          if (act.field === "maintenance") void look();
        }}
        onKeyDown={(event) => {
          // A reason is one line, as a rule. In the parameters, Enter alone adds a line.
          const { key, target: field, ctrlKey, metaKey, shiftKey, isComposing } = event;
          const isReason = field instanceof HTMLTextAreaElement && field.name === "reason";
          if (key !== "Enter" || isComposing || !(ctrlKey || metaKey || (isReason && !shiftKey))) return;
          event.preventDefault();
          void send(false);
        }}
        onSubmit={(event) => {
          event.preventDefault();
          void send(false);
        }}
      >
        <h2>{act.title(target.name)}</h2>
        <p class={act.danger === true ? undefined : "dim"}>{act.does(target)}</p>
        {act.field === "range" && <RangeFields zone={zone} />}
        {(act.field === "until" || act.field === "maintenance") && <UntilField />}
        {act.field === "maintenance" && <MaintenanceFields names={target.name} />}
        <label class="field">
          <span>Reason</span>
          <textarea
            class="input"
            name="reason"
            required
            maxLength={1000}
            autofocus
            placeholder="For the audit log and other operators. Enter sends it"
          />
        </label>
        {act.field === "args" && <ArgsField again={target.again} />}
        {many !== undefined && <Results of={many.results.value} all={target.name} acting={busy.value} />}
        {preview.value !== undefined && <Note tone="info" text={`${preview.value}.`} job={target.name} />}
        {error.value !== undefined && <Note tone="failed" text={error.value} job={target.name} />}
        <div class="buttons">
          <button ref={end} type="button" class="button" onClick={close}>
            {many !== undefined && busy.value ? "Stop" : "Close"}
          </button>
          {act.field === "range" && (
            <button type="button" class="button" aria-disabled={busy.value} onClick={() => void send(true)}>
              Preview
            </button>
          )}
          {/* Not `disabled`: that would take the focus away, and with it the keys. `send` checks `busy`. */}
          {todo > 0 && (
            <button
              type="submit"
              class={`button ${act.danger === true ? "danger" : "solid"}`}
              aria-disabled={busy.value}
            >
              {act.label}
              {many?.isBegun() === true && ` (${todo} left)`}
            </button>
          )}
        </div>
      </form>
    </Modal>
  );
}

/** A request for what an action would do, which needs a reason like any other. */
const DRY = { reason: "what would it do?", dryRun: true } as const;

const textOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** What would be done to a name, or was done to it. */
interface Result extends ManyResult {
  /** Whether the action was taken. */
  readonly isOver?: boolean;
}

/** An action on several names, which is taken on each of them once. */
interface Many {
  readonly results: Signal<ReadonlyMap<string, Result>>;
  /** How many names are left, and whether some are not. */
  todo(): number;
  isBegun(): boolean;
  /** Asks what would be done. */
  look(): Promise<void>;
  /** Takes the action on those that are left, and says how many were done. */
  act(request: ActRequest): Promise<string>;
  stop(): void;
}

function useMany(act: ActName, { names }: Target): Many | undefined {
  const results = useSignal<ReadonlyMap<string, Result>>(new Map());
  const looked = useRef<Promise<void>>(undefined);
  const isStopped = useRef(false);
  if (names === undefined) return undefined;
  const note = (some: readonly Result[]): void => {
    results.value = new Map([...results.value, ...some.map((one) => [one.name, one] as const)]);
  };
  const done = (): readonly Result[] => [...results.value.values()].filter(({ isOver, error }) => isOver && !error);
  const left = (): readonly string[] => {
    const over = new Set(done().map(({ name }) => name));
    const all = results.value.size === 0 ? names : [...results.value.keys()];
    return all.filter((name) => !over.has(name));
  };
  const look = (): Promise<void> => {
    looked.current = performMany(act, names, DRY, (some) => {
      note(some);
      return !isStopped.current;
    });
    return looked.current;
  };
  return {
    ...{ results, look, todo: () => left().length },
    isBegun: () => [...results.value.values()].some(({ isOver }) => isOver),
    stop: () => {
      isStopped.current = true;
    },
    act: async (request) => {
      // A pattern means the names that were shown.
      await looked.current?.catch(() => {});
      const all = left();
      await performMany(act, all, request, (some) => {
        note(some.map((one) => ({ ...one, isOver: true })));
        publishNews(some.map(({ name, run = name }) => jobOfRun(run)));
        return !isStopped.current;
      });
      // A run that has started may still fail.
      return `${done().length} of ${results.value.size} ${act === "run-now" ? "started" : "succeeded"}`;
    },
  };
}

interface ResultsProps {
  readonly of: ReadonlyMap<string, Result>;
  /** How many there are, in words. */
  readonly all: string;
  readonly acting: boolean;
}

/** What would be done, or was done, to each name. */
function Results({ of, all, acting }: ResultsProps): VNode | null {
  if (of.size === 0) return null;
  const results = [...of.values()];
  const over = results.filter(({ isOver }) => isOver).length;
  return (
    <>
      {/* The end of the action says the same. */}
      {acting && over > 0 && (
        <div class="progress row">
          <Meter share={over / of.size} />
          <span class="dim">{`${over} of ${of.size} done`}</span>
        </div>
      )}
      <details class="results" open={of.size <= MOST_OPEN || (over > 0 && !acting)}>
        <summary>{all}</summary>
        <ul>
          {results.map(({ name, done, error, isOver, run }) => (
            <li key={name} data-tone={error === undefined ? undefined : "failed"} class={isOver ? undefined : "dim"}>
              <Prose
                text={error === undefined ? `${done}.` : `${name}: ${error}`}
                job={name}
                run={isOver ? run : undefined}
              />
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

/** A longer list is closed at first: the reason and the button must stay in sight. */
const MOST_OPEN = 8;

const MaintenanceFields = ({ names }: { readonly names: string }): VNode => (
  <>
    <label class="field">
      <span>Jobs and queues</span>
      <input class="input" name="names" defaultValue={names} required maxLength={1000} spellcheck={false} />
    </label>
    <label class="check row">
      <input type="checkbox" name="cancel" /> Also cancel the runs in progress
    </label>
  </>
);

interface NoteProps {
  readonly tone: "failed" | "info";
  readonly text: string;
  readonly job: string;
}

const Note = ({ tone, text, job }: NoteProps): VNode => (
  <div class="note" data-tone={tone} role={tone === "failed" ? "alert" : "status"}>
    <Icon name={tone === "failed" ? "warn" : "info"} />
    <div>
      <Prose text={text} job={job} />
    </div>
  </div>
);

function requestOf(fields: FormData, zone: string, { again }: Target): ActRequest & Partial<MaintenanceRequest> {
  const text = (name: string): string => String(fields.get(name) ?? "");
  const args = argsIn(text("args"));
  const length = LENGTHS.find(([label]) => label === text("length"))?.[1];
  return {
    reason: text("reason").trim(),
    ...(args && { args }),
    ...(length !== undefined && { until: Math.round(serverNow() + length) }),
    ...(fields.has("from") && { from: timeIn(text("from"), zone), to: timeIn(text("to"), zone) }),
    ...((fields.has("again") || again === "last") && { again: true }),
    ...(fields.has("names") && { names: text("names") }),
    ...(fields.has("cancel") && { cancel: true }),
  };
}

/** How long a pause or a hold may last, in ms. */
const LENGTHS: readonly (readonly [label: string, ms: number | undefined])[] = [
  ["1 hour", 3_600_000],
  ["4 hours", 14_400_000],
  ["8 hours", 28_800_000],
  ["1 day", 86_400_000],
  ["7 days", 604_800_000],
  ["Until ended by hand", undefined],
];

const UntilField = (): VNode => (
  <label class="field">
    <span>Duration</span>
    <select class="input" name="length">
      {LENGTHS.map(([label]) => (
        <option value={label}>{label}</option>
      ))}
    </select>
  </label>
);

const ArgsField = ({ again }: Pick<Target, "again">): VNode => (
  <label class="field">
    <span>Parameters as JSON{again === "last" && " (default: those of its last run)"}</span>
    <textarea
      class="input"
      name="args"
      placeholder='{ "region": "eu" }'
      spellcheck={false}
      defaultValue={typeof again === "object" ? again.args && JSON.stringify(again.args) : undefined}
    />
  </label>
);

/** The content of {@link ArgsField}. Throws if it is not a map in JSON. */
function argsIn(text: string): ActRequest["args"] {
  if (text.trim() === "") return undefined;
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch {
    // The error below covers any other text.
  }
  if (typeof args === "object" && args !== null && !Array.isArray(args)) return args as ActRequest["args"];
  throw new Error('The parameters are not a JSON object. Write them like { "region": "eu", "days": 7 }.');
}

/** A range of time, by default the last day. */
const RangeFields = ({ zone }: { readonly zone: string }): VNode => (
  <>
    <label class="field">
      <span>From ({zone})</span>
      <input {...TIME_FIELD} name="from" required defaultValue={toField(serverNow() - 86_400_000, zone)} />
    </label>
    <label class="field">
      <span>To</span>
      <input {...TIME_FIELD} name="to" required defaultValue={toField(serverNow(), zone)} />
    </label>
    <label class="check row">
      <input type="checkbox" name="again" /> Also ticks that already ran
    </label>
  </>
);

/** The time in such a field. Throws if it does not exist, such as 30 February. */
function timeIn(text: string, zone: string): number {
  const at = fromField(text, zone);
  if (at === undefined) throw new Error(`${text} is not a time. Write it as ${TIME_FIELD.placeholder}.`);
  return at;
}
