import { expectNoMore } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { painter } from "../../../output/color.js";
import { listenToKeys } from "../../../output/terminal/keyboard.js";
import { Screen } from "../../../output/terminal/screen.js";
import { storeWords, withScheduler } from "../../../store/open.js";
import { expectTerminal, onScreen } from "../ps/watch.js";
import { LiveStore } from "./data/live-store.js";
import { Session } from "./session.js";

/** Shows the state of a store, live, until the user presses q. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  expectTerminal("ojm top", "ojm ps and ojm jobs print the same");
  const paint = painter(given);
  const store = await storeWords(given);
  return withScheduler(given, async (scheduler, manager) => {
    const closing = new AbortController();
    const live = new LiveStore(store, manager, () => session.changed());
    const session: Session = new Session({
      live,
      manager,
      scheduler,
      paint,
      isReadOnly: given.flags.has("read-only"),
      end: () => closing.abort(),
      draw: (isAtOnce) => (isAtOnce ? screen.redraw() : screen.changed()),
    });
    const screen = new Screen((now, size) => session.frame(now, size));
    let stopKeys = (): void => {};
    const shown = {
      enter: () => {
        screen.enter();
        stopKeys = listenToKeys((key) => session.press(key));
      },
      leave: () => {
        stopKeys();
        session.close();
        screen.leave();
      },
    };
    return onScreen(shown, closing, () => live.follow(closing.signal));
  });
}
