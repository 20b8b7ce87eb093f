import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const libs = fileURLToPath(new URL('../../../libs', import.meta.url));

// The page is built into dist/web, which the dashboard serves. Everything is a file of its own (no inlined fonts,
// styles or scripts), because the content security policy allows nothing else.
export default defineConfig({
  root: here,
  plugins: [react()],
  // An alias, not the condition `source`: that would also pick the TypeScript sources of packages that ship some.
  resolve: { alias: [{ find: /^#libs\/(.+)$/, replacement: `${libs}/$1/src/index.ts` }] },
  build: {
    outDir: fileURLToPath(new URL('../../../dist/web', import.meta.url)),
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
});
