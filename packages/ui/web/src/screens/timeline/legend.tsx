import type { VNode } from "preact";

const ITEMS: readonly (readonly [shape: string, word: string])[] = [
  ["completed", "completed"],
  ["failed", "failed"],
  ["timeout", "timed out"],
  ["lost", "lost"],
  ["hollow", "cancelled"],
  ["dashed", "nothing to do"],
  ["running", "running"],
  ["skipped", "tick skipped"],
  ["missed", "tick missed"],
  ["overdue", "tick overdue"],
  ["waiting", "tick waits"],
  ["next", "tick to come"],
];

/** The meaning of the shapes. */
export const Legend = (): VNode => (
  <ul class="legend" aria-label="What the shapes mean">
    {ITEMS.map(([shape, word]) => (
      <li key={word}>
        <svg viewBox="0 0 20 16" data-shape={shape} aria-hidden="true">
          <Shape of={shape} />
        </svg>
        {word}
      </li>
    ))}
  </ul>
);

function Shape({ of }: { readonly of: string }): VNode {
  if (of === "skipped") return <path d="M5.5 12 L10 3.5 L14.5 12 Z" />;
  if (of === "missed") return <path d="M10 1.5 a6.5 6.5 0 1 0 .01 0 M7 5 L13 11 M13 5 L7 11" />;
  if (of === "overdue") return <path d="M10 3.5 a4.5 4.5 0 1 0 .01 0 M10 5 V8 L12.5 9" />;
  if (of === "waiting") return <path d="M6 3.5 H14 L6 12.5 H14 Z" />;
  if (of === "next") return <circle cx="10" cy="8" r="3.5" />;
  const isTall = !["completed", "hollow", "dashed"].includes(of);
  return (
    <>
      <rect x="1" y={isTall ? 0.5 : 3} width="18" height={isTall ? 15 : 10} rx="3" />
      {of === "lost" && <path class="cut-out" d="M5 0 V16 M10 0 V16 M15 0 V16" />}
      {of === "timeout" && <path class="cut-out" d="M15.5 0 V16" />}
    </>
  );
}
