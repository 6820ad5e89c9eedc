import type { Container } from 'inversify';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';

export interface LogEntry {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: object;
}

/** Puts a logger that remembers into a container just started, before anything was made there. */
export const captureLog = (container: Container): readonly LogEntry[] => {
  const entries: LogEntry[] = [];
  const record =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      entries.push({ level, message, fields });
    };
  container.rebind(TOKENS.logger).toConstantValue({
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  });
  return entries;
};
