import type { JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { Scheduler } from "@ojm/schedule";
import type { Paint } from "../../../output/color.js";
import type { KeyPress } from "../../../output/terminal/keyboard.js";
import type { Size } from "../../../output/terminal/screen.js";
import { author } from "../../act/reason.js";
import { Details } from "./data/details.js";
import type { LiveStore, Picture } from "./data/live-store.js";
import { detailsBody } from "./view/details.js";
import { type Body, frame, helpBody, listBody, pageOf, targetsOf } from "./view/frame.js";
import { listLines, targetOf } from "./view/list.js";
import { type Effect, FIRST_LOOK, press, type Target, type Ui } from "./view/ui.js";

/** An action of the user on a job. */
export type Act = Extract<Effect, { readonly type: "cancel" | "pause" | "resume" }>;

/** Does the action, and resolves to its outcome as a line. */
export async function perform(act: Act, manager: JobManager, scheduler: Scheduler): Promise<string> {
  const { name, run, chain } = act.target;
  try {
    if (act.type === "resume")
      return (await scheduler.resume(name, { author: author() }))
        ? `${name} is resumed`
        : `${name} was not paused any more`;
    const { reason } = act;
    if (act.type === "pause") {
      await scheduler.pause(name, { reason, author: author() });
      return `${name} is paused: its ticks are skipped until somebody presses p again`;
    }
    const wanted = run ?? chain;
    if (wanted === undefined) return `${name} does not run any more`;
    const outcome = await manager.cancel(wanted, { reason, author: author() });
    if (!outcome.requested) return `${wanted} does not run any more`;
    if (run === undefined && outcome.ended) return `${name} is not tried again`;
    if (outcome.ended) return `${run} is ${outcome.run?.status ?? "over"}`;
    return `${run} was asked to stop, and still runs. To take its lock: ${ojmCommand("unlock", name)}`;
  } catch (error) {
    // The screen stays open: its last line shows the error.
    return `nothing was done: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The message during the action: a cancel waits for the end of the run. */
export function doing({ type, target: { name, run } }: Act): string {
  return type === "cancel" ? `asking ${run ?? name} to stop …` : type === "pause" ? `pausing ${name} …` : "";
}

/** What a {@link Session} needs. */
export interface SessionParts {
  readonly live: Pick<LiveStore, "picture">;
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  readonly paint: Paint;
  readonly isReadOnly: boolean;
  readonly end: () => void;
  readonly draw: (isAtOnce: boolean) => void;
}

/** The state of the screen, and the actions of the keys. */
export class Session {
  readonly #parts: SessionParts;
  #ui: Ui = FIRST_LOOK;
  #details: Details | undefined;
  #size: Size = { columns: 80, rows: 24 };

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Called when the store changed. */
  changed(): void {
    this.#details?.changed();
    this.#parts.draw(false);
  }

  close(): void {
    this.#details?.end();
  }

  frame(now: number, size: Size): string[] {
    this.#size = size;
    const picture = this.#parts.live.picture(now);
    return frame(picture, this.#ui, this.#body(picture, now, size), now, size, this.#parts.paint);
  }

  press(key: KeyPress): void {
    const now = Date.now();
    const picture = this.#parts.live.picture(now);
    const { paint, isReadOnly } = this.#parts;
    const targets = targetsOf(listLines(picture, this.#ui, now, this.#size.columns, paint));
    const open = this.#openTarget(picture);
    const { ui, effect } = press(this.#ui, key, { targets, open, page: pageOf(this.#size), isReadOnly });
    this.#ui = ui;
    if (effect !== undefined) this.#do(effect);
    this.#parts.draw(true);
  }

  #body(picture: Picture, now: number, size: Size): Body {
    const { paint } = this.#parts;
    if (this.#ui.view === "help") return helpBody(size);
    if (this.#ui.view === "list" || this.#details === undefined) return listBody(picture, this.#ui, now, size, paint);
    const page = pageOf(size);
    const body = detailsBody(this.#details, this.#ui, { columns: size.columns, page }, paint);
    this.#ui = { ...this.#ui, scroll: body.scroll };
    return body;
  }

  #openTarget(picture: Picture): Target | undefined {
    const name = this.#details?.name;
    return name === undefined ? undefined : { id: name, ...targetOf(name, picture) };
  }

  #do(effect: Effect): void {
    const { manager, scheduler, end, draw } = this.#parts;
    if (effect.type === "end") {
      end();
      return;
    }
    if (effect.type === "open" || effect.type === "close") {
      this.#details?.end();
      this.#details =
        effect.type === "open" ? new Details(effect.name, manager, scheduler, () => draw(false)) : undefined;
      return;
    }
    this.#ui = { ...this.#ui, message: doing(effect) };
    void perform(effect, manager, scheduler).then((message) => {
      this.#ui = { ...this.#ui, message };
      draw(false);
    });
  }
}
