export * from './c0re/index.js';
export { validate } from './validate.js';
