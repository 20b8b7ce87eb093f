import { readFileSync, writeFileSync } from 'node:fs';

import { SECURITY_PAGE, withEscapeTable } from './escape-table.js';

// Run after the list of attempts was changed.
writeFileSync(SECURITY_PAGE, withEscapeTable(readFileSync(SECURITY_PAGE, 'utf8')));
