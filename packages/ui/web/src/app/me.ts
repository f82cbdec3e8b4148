import { computed, signal } from "@preact/signals";
import type { ActName, Me, Role } from "../api/types.js";

/** Who looks. Undefined until the server said so. */
export const me = signal<Me | undefined>(undefined);

/** Whether the server no longer knows who looks. */
export const signedOut = signal(false);

const RANK: Readonly<Record<Role, number>> = { read: 0, operate: 1, admin: 2 };

const rank = computed(() => (me.value === undefined || me.value.readOnly ? 0 : RANK[me.value.role]));

/** Whether the reader may do that. The server checks it again. */
export const may = (act: ActName): boolean => rank.value >= (act === "unlock" ? 2 : 1);
