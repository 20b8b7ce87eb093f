/** Injection token of the service's Logger. */
export const LOGGER = Symbol('logger');
/** Injection token of the service's Clock. */
export const CLOCK = Symbol('clock');
