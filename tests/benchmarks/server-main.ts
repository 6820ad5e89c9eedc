/** The program of a server under measurement. */
import { startService } from '../../infrastructure/composition/service.ts';
import { parseConfig } from '../../infrastructure/config/config.ts';
import { startNaiveServer } from './naive-server.ts';
import { startRawServer } from './raw-server.ts';
import type { ServerMessage, ServerStart } from './server-process.ts';

type Environment = ServerStart['environment'];

const KINDS: Readonly<
  Record<ServerStart['kind'], (environment: Environment) => Promise<{ readonly url: string }>>
> = {
  service: (environment) => startService(parseConfig(environment)),
  raw: startRawServer,
  naive: startNaiveServer,
};

const tell = (message: ServerMessage): void => void process.send?.(message);

process.once('message', ({ kind, environment }: ServerStart) => {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    tell({ cpuMicroseconds: user + system, heapBytes: process.memoryUsage().heapUsed });
  });
  // Nothing here is worth an orderly end: the server's databases go with it.
  process.once('disconnect', () => process.exit());
  void KINDS[kind](environment).then(({ url }) => tell({ url }));
});
