/** What is injected by interface. */
export const CLOCK = Symbol('clock');
export const LOGGER = Symbol('logger');
export const CONTAINER_DRIVER = Symbol('container driver');
/** The driver with what was tried before it. */
export const CHOSEN_DRIVER = Symbol('chosen driver');
