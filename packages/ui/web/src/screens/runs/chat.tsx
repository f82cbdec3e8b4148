import type { VNode } from "preact";
import type { RunDetail } from "../../api/types.js";
import { addressOf } from "../../app/base.js";
import { to } from "../../app/router.js";
import { copy } from "../../parts/copy.js";
import { processText } from "../../parts/facts.js";
import { Icon } from "../../parts/icon.js";
import { toast } from "../../parts/toasts.js";
import { plain } from "./log/ansi.js";
import { isLine, type Row } from "./log/log-model.js";

/** How many of the last lines of the log a message has. */
const LINES = 20;

/** A run as a message for a chat: how it ended, the last lines of its log, and its address. */
function messageOf({ id, name, status, startTime, endTime, holder, error }: RunDetail, rows: readonly Row[]): string {
  const what = `${name}: ${status} at ${new Date(endTime ?? startTime).toISOString()}, ${processText(holder)}`;
  const lines = rows.filter(isLine).slice(-LINES);
  return [
    error === undefined ? what : `${what}: ${plain(error)}`,
    ...(lines.length === 0 ? [] : ["```", ...lines.map(({ text }) => plain(text)), "```"]),
    addressOf(to.run(id)),
  ].join("\n");
}

interface ChatProps {
  readonly run: RunDetail;
  /** The rows of its log, read when the button is pressed. */
  readonly rows: () => readonly Row[];
}

/** A button that copies the run for a chat. */
export const CopyForChat = ({ run, rows }: ChatProps): VNode => (
  <button
    type="button"
    class="button"
    title="Copies how the run ended, the last lines of its log and a link"
    onClick={async () => {
      const isCopied = await copy(messageOf(run, rows()));
      toast({
        done: isCopied ? "copied the result, the last lines and a link" : "this browser does not allow copying here",
      });
    }}
  >
    <Icon name="link" />
    Copy for chat
  </button>
);
