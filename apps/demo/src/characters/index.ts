import type { Script } from './character.js';
import { manager } from './manager.js';
import { builder, forager, guard } from './workers.js';

/** The scripts of the demo's agents by their names. */
export const CHARACTERS: Readonly<Record<string, Script>> = { manager, forager, builder, guard };
