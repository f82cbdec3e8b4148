import type { VNode } from "preact";
import type { Job } from "../../api/types.js";
import { durationText } from "../../format/duration.js";
import { Section } from "../../parts/page.js";

const WIDTH = 400;
const HEIGHT = 72;
const SLOTS = 20;

interface DurationsProps {
  readonly durations: readonly number[];
  readonly usual: Job["usual"];
}

/** The durations of the last runs that completed, with what is usual. */
export function Durations({ durations, usual }: DurationsProps): VNode | null {
  if (durations.length < 2) return null;
  const top = Math.max(...durations, usual?.p95 ?? 0, 1);
  const y = (ms: number): number => HEIGHT - (ms / top) * HEIGHT;
  const step = WIDTH / SLOTS;
  const from = (SLOTS - Math.min(SLOTS, durations.length)) * step;
  const label = `Durations of the last ${durations.length} runs that completed: ${durations.map(durationText).join(", ")}`;
  return (
    <Section title="Durations" count={`last ${durations.length}`}>
      <figure class="durations">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
          {durations.slice(-SLOTS).map((ms, i) => (
            <rect
              x={from + i * step}
              y={Math.min(y(ms), HEIGHT - 2)}
              width={step - 3}
              height={Math.max(2, HEIGHT - y(ms))}
            >
              <title>{durationText(ms)}</title>
            </rect>
          ))}
          {usual && [usual.p50, usual.p95].map((ms) => <line x1="0" x2={WIDTH} y1={y(ms)} y2={y(ms)} />)}
        </svg>
        <figcaption class="dim">{usual && `p50 ${durationText(usual.p50)}, p95 ${durationText(usual.p95)}`}</figcaption>
      </figure>
    </Section>
  );
}
