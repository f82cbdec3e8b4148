import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ActRequest, MaintenanceRequest } from "../api/types.js";
import { serverNow } from "../format/clock.js";
import { count } from "../format/duration.js";
import { fromField, TIME_FIELD, toField } from "../format/wall.js";
import { zoneFor } from "../format/zone.js";
import { newsOfQueue, publishNews } from "../live/news.js";
import { Icon } from "../parts/icon.js";
import { Modal } from "../parts/modal.js";
import { Prose } from "../parts/prose.js";
import { toast } from "../parts/toasts.js";
import { actOf, asked, type Performed, perform, type Target } from "./acts.js";

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
  const results = useSignal<Performed["results"]>(undefined);
  useEffect(() => {
    // Shows at once what it would do, to how many: the user has not written the reason yet.
    if (target.names !== undefined) void look();
  }, []);
  const look = async (): Promise<void> => {
    try {
      const answer = await perform(name, target, { reason: "what would it do?", dryRun: true });
      results.value ??= answer.results;
    } catch (thrown) {
      error.value = textOf(thrown);
    }
  };
  const close = (): void => (asked.value = undefined);
  const send = async (dryRun: boolean): Promise<void> => {
    if (form.current === null || busy.value || !form.current.reportValidity()) return;
    busy.value = true;
    error.value = undefined;
    try {
      const request = requestOf(new FormData(form.current), zone, target);
      const answer = await perform(name, target, dryRun ? { ...request, dryRun } : request);
      const isPartly = answer.results?.some((one) => one.error !== undefined) === true;
      results.value = answer.results;
      if (dryRun) preview.value = answer.done;
      else if (isPartly) {
        preview.value = `${answer.done}.`;
        publishNews([...(target.names ?? [])]);
      } else {
        toast(answer);
        publishNews(target.names ?? [target.queue === undefined ? target.name : newsOfQueue(target.name)]);
        close();
      }
    } catch (thrown) {
      error.value = textOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Modal label={act.title(target.name)} onClose={close}>
      <form
        ref={form}
        class="dialog"
        onKeyDown={(event) => {
          // In a text area, Enter alone adds a line.
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send(false);
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
            placeholder="For the audit, and for other operators"
          />
        </label>
        {act.field === "args" && <ArgsField again={target.again} />}
        {results.value !== undefined && <Results of={results.value} />}
        {preview.value !== undefined && <Note tone="info" text={preview.value} job={target.name} />}
        {error.value !== undefined && <Note tone="failed" text={error.value} job={target.name} />}
        <div class="buttons">
          <button type="button" class="button" onClick={close}>
            Close
          </button>
          {act.field === "range" && (
            <button type="button" class="button" aria-disabled={busy.value} onClick={() => void send(true)}>
              What would it do?
            </button>
          )}
          {/* Not `disabled`: that would take the focus away, and with it the keys. `send` checks `busy`. */}
          <button type="submit" class={`button ${act.danger === true ? "danger" : "solid"}`} aria-disabled={busy.value}>
            {act.label}
          </button>
        </div>
      </form>
    </Modal>
  );
}

const textOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** What would be done, or was done, to each name. */
const Results = ({ of }: { readonly of: NonNullable<Performed["results"]> }): VNode => (
  <details class="results" open={of.length <= MOST_OPEN}>
    <summary>{count(of.length, "job")}</summary>
    <ul>
      {of.map(({ name, done, error }) => (
        <li key={name} data-tone={error === undefined ? undefined : "failed"}>
          <Prose text={error === undefined ? `${done}.` : `${name}: ${error}`} job={name} />
        </li>
      ))}
    </ul>
  </details>
);

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
  ["until it is ended", undefined],
];

const UntilField = (): VNode => (
  <label class="field">
    <span>Ends after</span>
    <select class="input" name="length">
      {LENGTHS.map(([label]) => (
        <option value={label}>{label}</option>
      ))}
    </select>
  </label>
);

const ArgsField = ({ again }: Pick<Target, "again">): VNode => (
  <label class="field">
    <span>Parameters, as JSON{again === "last" && " (default: those of its last run)"}</span>
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
  throw new Error('The parameters are not a map in JSON. Write them like { "region": "eu", "days": 7 }.');
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
      <input type="checkbox" name="again" /> Also ticks that were run
    </label>
  </>
);

/** The time in such a field. Throws if it does not exist, such as 30 February. */
function timeIn(text: string, zone: string): number {
  const at = fromField(text, zone);
  if (at === undefined) throw new Error(`${text} is not a time. Write it as ${TIME_FIELD.placeholder}.`);
  return at;
}
