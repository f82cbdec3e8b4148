import type { ComponentChildren, VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface ModalProps {
  readonly label: string;
  readonly class?: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A dialog above the page. The browser keeps the focus in it, and closes it with Escape. */
export function Modal({ label, class: name, onClose, children }: ModalProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // In the same task as its elements: a key pressed in between would go to the page below.
  useLayoutEffect(() => {
    const from = document.activeElement;
    const { current: element } = dialog;
    element?.showModal();
    return () => {
      // While it is open, no element outside it can get the focus.
      element?.close();
      // An update may have removed the row whose button opened it.
      const isThere = from instanceof HTMLElement && from !== document.body && from.isConnected;
      (isThere ? from : document.querySelector<HTMLElement>("h1"))?.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={name}
      aria-label={label}
      onCancel={onClose}
      onKeyDown={(event) => {
        // The browser cancels the dialog a moment later: a key pressed right after Escape would be lost.
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => target === dialog.current && onClose()}
    >
      {children}
    </dialog>
  );
}
