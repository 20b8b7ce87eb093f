/** Injection tokens of what main.ts hands to the modules. */
export const LOGGER = Symbol('logger');
export const CLOCK = Symbol('clock');
