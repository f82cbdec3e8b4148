import { settle, show, shown, zoom } from "../model/window.js";

/** The handlers of the pointer. */
export interface Pointed {
  hover(x: number, y: number): void;
  leave(): void;
  press(x: number): void;
}

/** A pointer that moved this far is dragging, in px. */
const DRAG = 4;

/** Pans and zooms with the pointer, the wheel and two fingers. */
export function followPointer(canvas: HTMLCanvasElement, { hover, leave, press }: Pointed): () => void {
  const down = new Map<number, { readonly x: number; readonly y: number }>();
  let from = { x: 0, range: shown.peek(), moved: false, apart: 0 };
  const xOf = (event: MouseEvent): number => event.clientX - canvas.getBoundingClientRect().left;
  const yOf = (event: MouseEvent): number => event.clientY - canvas.getBoundingClientRect().top;
  const apart = (): number => {
    const [a, b] = [...down.values()];
    return a === undefined || b === undefined ? 0 : Math.abs(a.x - b.x);
  };
  const begin = (x: number): void => {
    from = { x, range: shown.peek(), moved: from.moved, apart: apart() };
  };
  const listeners = {
    pointerdown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      down.set(event.pointerId, { x: xOf(event), y: yOf(event) });
      from.moved = false;
      begin(xOf(event));
    },
    pointermove: (event: PointerEvent) => {
      const [x, y] = [xOf(event), yOf(event)];
      if (!down.has(event.pointerId)) {
        hover(x, y);
        return;
      }
      down.set(event.pointerId, { x, y });
      const length = from.range.to - from.range.from;
      if (down.size > 1 && from.apart > 0) {
        from.moved = true;
        const factor = from.apart / Math.max(1, apart());
        const middle = from.range.from + length / 2;
        show({ from: middle - (length * factor) / 2, to: middle + (length * factor) / 2 }, true);
      } else if (from.moved || Math.abs(x - from.x) > DRAG) {
        if (!from.moved) canvas.setPointerCapture(event.pointerId);
        from.moved = true;
        leave();
        const by = ((from.x - x) / canvas.clientWidth) * length;
        show({ from: from.range.from + by, to: from.range.to + by }, true);
      }
    },
    pointerup: (event: PointerEvent) => {
      const wasDown = down.delete(event.pointerId);
      if (wasDown && !from.moved) {
        hover(xOf(event), yOf(event));
        press(xOf(event));
      }
      const [rest] = down.values();
      if (rest !== undefined) begin(rest.x);
      else if (wasDown && from.moved) settle();
    },
    pointercancel: (event: PointerEvent) => {
      if (down.delete(event.pointerId) && from.moved) settle();
    },
    pointerleave: leave,
    wheel: (event: WheelEvent) => {
      const { from: start, to } = shown.peek();
      if (event.ctrlKey || event.metaKey) {
        zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 160), xOf(event) / canvas.clientWidth);
      } else {
        const across = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
        if (Math.abs(across) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
        const by = (across / canvas.clientWidth) * (to - start);
        show({ from: start + by, to: to + by });
      }
      event.preventDefault();
    },
  };
  const each = Object.entries(listeners) as [string, EventListener][];
  for (const [name, listener] of each) canvas.addEventListener(name, listener, { passive: false });
  return () => {
    for (const [name, listener] of each) canvas.removeEventListener(name, listener);
  };
}
