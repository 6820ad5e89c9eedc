/** The program of a server under measurement. */
import type * as container from '../../infrastructure/composition/container.ts';
import type * as tokens from '../../infrastructure/composition/tokens.ts';
import type * as config from '../../infrastructure/config/config.ts';
import { startRawFileServer } from './raw-file-server.ts';
import { startNaiveServer } from './naive-server.ts';
import { startRawServer } from './raw-server.ts';
import type { ServerMessage, ServerStart } from './server-process.ts';

type Environment = ServerStart['environment'];

const built = (path: string): Promise<unknown> =>
  import(new URL(`../../dist/infrastructure/${path}`, import.meta.url).href);

/** As production runs it: compiled, and not transformed as it is loaded, which leaves functions slower than they are. */
const startBuiltService = async (environment: Environment): Promise<{ readonly url: string }> => {
  // What `npm run build` makes of these three files.
  const { createContainer } = (await built('composition/container.js')) as typeof container;
  const { TOKENS } = (await built('composition/tokens.js')) as typeof tokens;
  const { parseConfig } = (await built('config/config.js')) as typeof config;
  return createContainer(parseConfig(environment)).get(TOKENS.service).start();
};

const KINDS: Readonly<
  Record<ServerStart['kind'], (environment: Environment) => Promise<{ readonly url: string }>>
> = {
  service: startBuiltService,
  raw: startRawServer,
  'raw-files': startRawFileServer,
  naive: startNaiveServer,
};

const tell = (message: ServerMessage): void => void process.send?.(message);

process.once('message', ({ kind, environment }: ServerStart) => {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    tell({ cpuMicroseconds: user + system, mostMemoryBytes: process.resourceUsage().maxRSS * 1024 });
  });
  // Nothing here is worth an orderly end: the server's databases go with it.
  process.once('disconnect', () => process.exit());
  void KINDS[kind](environment).then(({ url }) => tell({ url }));
});
