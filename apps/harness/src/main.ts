import { HiveError } from '#libs/protocol';

import { readEnvironment } from './environment/environment.js';
import { EXIT } from './environment/exit-codes.js';
import { HiveClient } from './gateway/hive-client.js';
import { HttpDoor } from './gateway/http-door.js';
import { SocketRelay } from './gateway/socket-relay.js';
import { createLog, reasonOf } from './logging/log.js';
import { Harness } from './loop/harness.js';
import { systemClock } from './time/clock.js';

/** A stop that takes longer than this is forced; the next instance ends what is left (P4). */
const STOP_MS = 15_000;

async function main(): Promise<number> {
  const base = createLog({ name: 'harness' }, systemClock);
  try {
    const environment = readEnvironment(process.env);
    const log = createLog(
      { name: 'harness', agent: environment.agent, instance: environment.instance },
      systemClock,
      environment.logLevel,
    );
    const { gatewayUrl, gatewaySocket } = environment;
    const relay = gatewaySocket && (await SocketRelay.open(gatewayUrl, gatewaySocket));
    const door = new HttpDoor({
      url: gatewayUrl,
      socketPath: gatewaySocket,
      tokenFile: environment.tokenFile,
    });
    const harness = new Harness({
      environment,
      env: process.env,
      client: new HiveClient(door),
      clock: systemClock,
      log,
    });
    const stop = () => {
      harness.stop();
      setTimeout(() => {
        log.error('the stop took too long');
        process.exit(EXIT.stopped);
      }, STOP_MS).unref();
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    const code = await harness.run();
    door.close();
    if (relay) relay.close();
    return code;
  } catch (error) {
    const isConfig =
      error instanceof HiveError && ['invalid_config', 'driver_unavailable'].includes(error.code);
    base.error(isConfig ? 'the harness cannot start' : 'the harness broke', {
      reason: reasonOf(error),
      ...(isConfig || !(error instanceof Error) ? {} : { stack: error.stack }),
    });
    return isConfig ? EXIT.misconfigured : EXIT.broken;
  }
}

process.exit(await main());
