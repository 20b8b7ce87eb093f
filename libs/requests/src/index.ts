export * from './broker/index.js';
export * from './c0re/index.js';
export * from './harness/index.js';
export { validate } from './validate.js';
