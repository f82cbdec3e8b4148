import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type { ActRequest } from "../api/types.js";
import { serverNow } from "../format/clock.js";
import { zoneFor } from "../format/zone.js";
import { publishNews } from "../live/news.js";
import { Icon } from "../parts/icon.js";
import { Modal } from "../parts/modal.js";
import { Prose } from "../parts/prose.js";
import { toast } from "../parts/toasts.js";
import { actOf, asked, perform } from "./acts.js";
import { ArgsField, argsIn, LENGTHS, RangeFields, timeIn, UntilField } from "./fields.js";

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
  const close = (): void => {
    asked.value = undefined;
  };
  const send = async (dryRun: boolean): Promise<void> => {
    if (form.current === null || busy.value || !form.current.reportValidity()) return;
    busy.value = true;
    error.value = undefined;
    try {
      const answer = await perform(name, target, {
        ...requestOf(new FormData(form.current), zone),
        ...(dryRun && { dryRun }),
      });
      if (dryRun) {
        preview.value = answer.done;
      } else {
        toast(answer);
        publishNews([target.name]);
        close();
      }
    } catch (thrown) {
      error.value = thrown instanceof Error ? thrown.message : String(thrown);
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
        {act.range === true && <RangeFields zone={zone} />}
        {act.until === true && <UntilField />}
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
        {act.args === true && <ArgsField args={target.again?.args} />}
        {preview.value !== undefined && <Note tone="info" text={preview.value} job={target.name} />}
        {error.value !== undefined && <Note tone="failed" text={error.value} job={target.name} />}
        <div class="buttons">
          <button type="button" class="button" onClick={close}>
            Close
          </button>
          {act.range === true && (
            <button type="button" class="button" aria-disabled={busy.value} onClick={() => void send(true)}>
              What would it do?
            </button>
          )}
          {/* Not `disabled`: that would take the focus away, and with it the keys. `send` checks `busy`. */}
          <button
            type="submit"
            class={act.danger === true ? "button danger" : "button solid"}
            aria-disabled={busy.value}
          >
            {act.label}
          </button>
        </div>
      </form>
    </Modal>
  );
}

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

function requestOf(fields: FormData, zone: string): ActRequest {
  const text = (name: string): string => String(fields.get(name) ?? "");
  const args = argsIn(text("args"));
  const length = LENGTHS.find(([label]) => label === text("length"))?.[1];
  return {
    reason: text("reason").trim(),
    ...(args && { args }),
    ...(length !== undefined && { until: Math.round(serverNow() + length) }),
    ...(fields.has("from") && { from: timeIn(text("from"), zone), to: timeIn(text("to"), zone) }),
    ...(fields.has("again") && { again: true }),
  };
}
