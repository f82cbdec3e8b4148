import { expectNoMore } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { painter } from "../../../output/color.js";
import { type KeyPress, listenToKeys } from "../../../output/terminal/keyboard.js";
import { Screen, type Size } from "../../../output/terminal/screen.js";
import { storeWords, withScheduler } from "../../../store/open.js";
import { expectTerminal, onScreen } from "../ps/watch.js";
import { doing, perform } from "./actions.js";
import { Details } from "./data/details.js";
import { LiveStore, type StoreSnapshot } from "./data/live-store.js";
import { detailsBody } from "./view/details.js";
import { type Body, frame, helpBody, listBody, pageOf, targetsOf } from "./view/frame.js";
import { listLines, targetOf } from "./view/list.js";
import { type Effect, FIRST_LOOK, press, type Ui } from "./view/ui.js";

/** Shows the state of a store, live, until the user presses q. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  expectTerminal("ojm top", "ojm ps and ojm jobs print the same");
  const paint = painter(given);
  const isReadOnly = given.flags.has("read-only");
  const store = await storeWords(given);
  return withScheduler(given, async (scheduler, manager) => {
    const closing = new AbortController();
    let ui: Ui = FIRST_LOOK;
    let details: Details | undefined;
    let size: Size = { columns: 80, rows: 24 };
    const live = new LiveStore(store, manager, () => {
      details?.changed();
      screen.changed();
    });
    const bodyOf = (snapshot: StoreSnapshot, now: number): Body => {
      if (ui.view === "help") return helpBody(size);
      if (ui.view === "list" || details === undefined) return listBody(snapshot, ui, now, size, paint);
      const body = detailsBody(details, ui, { columns: size.columns, page: pageOf(size) }, paint);
      ui = { ...ui, scroll: body.scroll };
      return body;
    };
    const screen: Screen = new Screen((now, current) => {
      size = current;
      const snapshot = live.snapshot(now);
      return frame(snapshot, ui, bodyOf(snapshot, now), now, size, paint);
    });
    const act = (effect: Effect): void => {
      if (effect.type === "end") {
        closing.abort();
        return;
      }
      if (effect.type === "open" || effect.type === "close") {
        details?.end();
        details = undefined;
        if (effect.type === "open") details = new Details(effect.name, manager, scheduler, () => screen.changed());
        return;
      }
      ui = { ...ui, message: doing(effect) };
      void perform(effect, manager, scheduler).then((message) => {
        ui = { ...ui, message };
        screen.changed();
      });
    };
    const onKey = (key: KeyPress): void => {
      const now = Date.now();
      const snapshot = live.snapshot(now);
      const targets = targetsOf(listLines(snapshot, ui, now, size.columns, paint));
      const open = details && { id: details.name, ...targetOf(details.name, snapshot) };
      const pressed = press(ui, key, { targets, open, page: pageOf(size), isReadOnly });
      ui = pressed.ui;
      if (pressed.effect !== undefined) act(pressed.effect);
      screen.redraw();
    };
    let stopKeys = (): void => {};
    const shown = {
      enter: () => {
        screen.enter();
        stopKeys = listenToKeys(onKey);
      },
      leave: () => {
        stopKeys();
        details?.end();
        screen.leave();
      },
    };
    return onScreen(shown, closing, () => live.follow(closing.signal));
  });
}
