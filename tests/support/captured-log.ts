import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { FakeLogger, type LogLine } from './fakes/fake-logger.ts';

export type { LogLine as LogEntry } from './fakes/fake-logger.ts';

/** Puts a logger that remembers into a container just started, before anything was made there. */
export const captureLog = (container: Container): readonly LogLine[] => {
  const logger = new FakeLogger();
  container.rebind(TOKENS.logger).toConstantValue(logger);
  return logger.lines;
};
