/** The program of a server under measurement. */
import { pathToFileURL } from 'node:url';
import type * as container from '../../infrastructure/composition/container.ts';
import type * as tokens from '../../infrastructure/composition/tokens.ts';
import type * as config from '../../infrastructure/config/config.ts';
import { startRawFileServer } from './raw-file-server.ts';
import { startNaiveServer } from './naive-server.ts';
import { startRawServer } from './raw-server.ts';
import type { ServerMessage, ServerStart } from './server-process.ts';

const OWN_CHECKOUT = new URL('../..', import.meta.url);

/** As production runs it: compiled, and not transformed as it is loaded, which leaves functions slower than they are. */
const startBuiltService = async ({
  environment,
  checkout,
}: ServerStart): Promise<{ readonly url: string }> => {
  const folder = checkout === undefined ? OWN_CHECKOUT : pathToFileURL(`${checkout}/`);
  const built = (path: string): Promise<unknown> =>
    import(new URL(`dist/infrastructure/${path}`, folder).href);
  // What `npm run build` makes of these three files.
  const { createContainer } = (await built('composition/container.js')) as typeof container;
  const { TOKENS } = (await built('composition/tokens.js')) as typeof tokens;
  const { parseConfig } = (await built('config/config.js')) as typeof config;
  return createContainer(parseConfig(environment)).get(TOKENS.service).start();
};

const KINDS: Readonly<
  Record<ServerStart['kind'], (start: ServerStart) => Promise<{ readonly url: string }>>
> = {
  service: startBuiltService,
  raw: ({ environment }) => startRawServer(environment),
  'raw-files': ({ environment }) => startRawFileServer(environment),
  naive: ({ environment }) => startNaiveServer(environment),
};

const tell = (message: ServerMessage): void => void process.send?.(message);

process.once('message', (start: ServerStart) => {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    tell({ cpuMicroseconds: user + system, mostMemoryBytes: process.resourceUsage().maxRSS * 1024 });
  });
  // Nothing here is worth an orderly end: the server's databases go with it.
  process.once('disconnect', () => process.exit());
  void KINDS[start.kind](start).then(({ url }) => tell({ url }));
});
