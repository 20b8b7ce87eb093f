/** What is injected by interface. */
export const CLOCK = Symbol('clock');
export const LOGGER = Symbol('logger');
export const CONTAINER_DRIVER = Symbol('container driver');
/** The driver with what was tried before it. */
export const CHOSEN_DRIVER = Symbol('chosen driver');
/** With what drivers are made. */
export const DRIVER_OPTIONS = Symbol('options of the container drivers');
