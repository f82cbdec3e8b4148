import { computed, signal } from "@preact/signals";
import type { ActName, Me, Role, SignIn } from "../api/types.js";

/** The user. Undefined until the server has answered. */
export const me = signal<Me | undefined>(undefined);

/** Whether a tick without an outcome is overdue. */
export const isOverdue = (due: number, now: number): boolean =>
  due < now - (me.value?.overdueAfter ?? Number.POSITIVE_INFINITY);

/** Whether the session has ended on the server. */
export const signedOut = signal(false);

/** How the user signs in again. Undefined if the pages are part of another program. */
export const signInBy = signal<SignIn | undefined>(undefined);

const RANK: Readonly<Record<Role, number>> = { read: 0, operate: 1, admin: 2 };

const rank = computed(() => (me.value === undefined || me.value.readOnly ? 0 : RANK[me.value.role]));

/** Whether the user may take an action. The server checks it again. */
export const may = (act: ActName): boolean => rank.value >= (act === "unlock" || act === "queue-discard" ? 2 : 1);
