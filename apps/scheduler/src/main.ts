import { catchStopSignals } from '#libs/signals';

// Loading the service takes a moment, in which a SIGTERM must not kill it.
catchStopSignals();
await import('./service.js');
