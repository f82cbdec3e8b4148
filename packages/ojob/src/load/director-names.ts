/* The jobs of oJob Director. */

export const DIRECTOR_INIT = "oJob Director init";
export const DIRECTOR_CHECK = "oJob Director check";
export const DIRECTOR_CHECKIN = "oJob Director checkin";
export const DIRECTOR_CHECKOUT = "oJob Director checkout";
export const DIRECTOR_WAIT = "oJob Director wait";
