import type { VNode } from "preact";
import { count, durationText } from "../format/duration.js";

const WIDTH = 100;
const HEIGHT = 20;
const SLOTS = 20;

/** The durations of the last runs as bars, the oldest first. */
export function Spark({ durations }: { readonly durations: readonly number[] }): VNode | null {
  if (durations.length === 0) return null;
  const longest = Math.max(...durations, 1);
  const width = WIDTH / SLOTS;
  const from = (SLOTS - Math.min(SLOTS, durations.length)) * width;
  const last = durations.at(-1) ?? 0;
  const label = `${count(durations.length, "run")}, the longest ${durationText(longest)}, the last ${durationText(last)}`;
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <title>{label}</title>
      {durations.slice(-SLOTS).map((each, i) => {
        const height = Math.max(1.5, (each / longest) * HEIGHT);
        return <rect x={from + i * width} y={HEIGHT - height} width={width - 1.5} height={height} rx="0.75" />;
      })}
    </svg>
  );
}
