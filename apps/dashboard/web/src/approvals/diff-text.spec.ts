import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { parseDiff, visible } from './diff-text.js';

const DIFF = `diff --git a/agent.yaml b/agent.yaml
index 1..2 100644
--- a/agent.yaml
+++ b/agent.yaml
@@ -1,2 +1,2 @@
 driver: command
-model: a
+model: b\u202e
\\ No newline at end of file
diff --git a/old.sh b/new.sh
similarity index 100%
rename from old.sh
rename to new.sh
diff --git a/blob b/blob
new file mode 100755
Binary files /dev/null and b/blob differ
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
--- a/odd
`;

describe(verifies('4.4', '7.3') + 'a diff as it is shown', () => {
  it('is cut into files, with what their lines do not tell', () => {
    expect(parseDiff(DIFF)).toEqual([
      {
        path: 'agent.yaml',
        notes: [],
        lines: [
          { sign: '@', text: '@@ -1,2 +1,2 @@' },
          { sign: ' ', text: 'driver: command' },
          { sign: '-', text: 'model: a' },
          { sign: '+', text: String.raw`model: b\u{202e}` },
          { sign: '@', text: 'No newline at end of file' },
        ],
      },
      { path: 'new.sh', notes: ['renamed from old.sh'], lines: [] },
      { path: 'blob', notes: ['new, executable', 'binary: not shown'], lines: [] },
      {
        path: 'gone',
        notes: ['deleted'],
        lines: [
          { sign: '@', text: '@@ -1 +0,0 @@' },
          { sign: '-', text: '-- a/odd' },
        ],
      },
    ]);
    expect(parseDiff('')).toEqual([]);
  });

  it('shows what cannot be seen', () => {
    expect(visible('a\u200bb\u2066c\td')).toBe('a\\u{200b}b\\u{2066}c\td');
  });
});
