import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { second } from "../format/clock.js";
import { elapsedText } from "../format/duration.js";
import { connection } from "../live/live.js";
import { Icon } from "../parts/icon.js";
import { signedOut } from "./me.js";

/** A server that restarts is back within this time, in ms: do not alarm the user before that. */
const PATIENCE = 1_500;

/** Says that the shown data is old, why, and since when. */
export function Banner(): VNode | null {
  const { state, since } = connection.value;
  const isOld = state === "stale" || state === "away";
  const late = useSignal(false);
  useEffect(() => {
    late.value = false;
    if (!isOld) return undefined;
    const timer = setTimeout(() => {
      late.value = true;
    }, PATIENCE);
    return () => clearTimeout(timer);
  }, [isOld, since]);
  if (signedOut.value) return <SignedOut />;
  if (!isOld || (state === "away" && !late.value)) return null;
  const who = state === "stale" ? "The store does not answer." : "The server does not answer.";
  return (
    <div class="banner" role="status">
      <Icon name="away" />
      <b>
        Data from <Age since={since} /> ago, reconnecting.
      </b>
      <span>{who}</span>
    </div>
  );
}

/** A restarted server has no sessions. The data that was read before is still useful. */
const SignedOut = (): VNode => (
  <div class="banner" role="status">
    <Icon name="locks" />
    <b>You are signed out.</b>
    <span>
      The data is old. Open the address that <code>ojm ui</code> prints, or sign in to the program that has these pages:
      this one then updates too.
    </span>
  </div>
);

/** Screen readers must not read it each second. */
const Age = ({ since }: { readonly since: number }): VNode => (
  <span aria-live="off">{elapsedText(second.value - since)}</span>
);
