import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import '@fontsource-variable/jetbrains-mono/wght-italic.css';
import './design/tokens.css';
import './design/base.css';
import './design/controls.css';
import './design/overlays.css';
import './design/cell.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app.js';
import { openHive } from './hive/store.js';
import { CrashGuard } from './shell/crash.js';

const root = document.querySelector('#root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <CrashGuard>
        <App />
      </CrashGuard>
    </StrictMode>,
  );
  void openHive();
}
